"""What each consent policy means, for whom, in words."""

import sqlalchemy as sa

from custom_events.catalog import consent_policies
from tests.world import World


def test_policies_are_told_with_those_they_are_for(database: str, engine: sa.Engine) -> None:
    world = World(database, engine)
    first, second = world.site(), world.site(consent_default="granted")
    with engine.connect() as connection:
        assert consent_policies.uses(connection) == []
    world.rule(first, "purchase")
    world.rule(second, "strict", consent_needed="granted")
    world.rule(second, "another")
    with engine.connect() as connection:
        lines = consent_policies.sentences(connection)
        assert consent_policies.granting_sites(connection) == ["shop_2"]
    assert lines[0].startswith("2 assignments of 2 sites (click_only_in_europe): of a customer who may be in Europe")
    assert lines[1] == "1 assignments of 1 sites (granted): nothing goes without a yes"
    assert "1 sites take silence for a yes (consent_default: granted), whatever the policy: shop_2" in lines[2]
