"""What roles allow, alone and together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_events.access.roles import NOBODY, Caller, Grant, Role, within

SITES = st.sampled_from([None, 1, 2, 3])
GRANTS = st.lists(st.builds(Grant, role=st.sampled_from(Role), site_id=SITES), max_size=4).map(tuple)


def of(*grants: Grant) -> Caller:
    return Caller(kind="person", name="ana", grants=grants)


def test_a_role_may_what_those_before_it_may() -> None:
    caller = of(Grant(role=Role.PUBLISHER, site_id=1), Grant(role=Role.VIEWER))
    assert caller.may(Role.EDITOR, 1)
    assert not caller.may(Role.ADMINISTRATOR, 1)
    assert caller.may(Role.VIEWER, 2)
    assert not caller.may(Role.EDITOR, 2)
    assert not caller.may(Role.EDITOR)
    assert caller.may_somewhere(Role.PUBLISHER)
    assert not caller.may_somewhere(Role.ADMINISTRATOR)


def test_the_sites_of_a_role() -> None:
    caller = of(Grant(role=Role.EDITOR, site_id=1), Grant(role=Role.VIEWER, site_id=2))
    assert caller.sites() == {1, 2}
    assert caller.sites(Role.EDITOR) == {1}
    assert of(Grant(role=Role.VIEWER)).sites() is None
    assert NOBODY.sites() == frozenset()


@given(grants=GRANTS, limits=GRANTS)
def test_within_limits_both_must_allow(grants: tuple[Grant, ...], limits: tuple[Grant, ...]) -> None:
    both = of(*within(grants, limits))
    for role in Role:
        for site_id in (None, 1, 2, 3, 4):
            if site_id is not None:
                assert both.may(role, site_id) == (of(*grants).may(role, site_id) and of(*limits).may(role, site_id))
            assert not both.may(role) or (of(*grants).may(role) and of(*limits).may(role))


@pytest.mark.parametrize("role", Role)
def test_roles_of_the_database_are_these(role: Role) -> None:
    from custom_events.tables.access import ROLES

    assert ROLES[role.rank] == role
