"""A role is enough for a page or it is not. Whoever has enough changes things: this law has a world of its own."""

from collections.abc import Iterator

import httpx

from console.api.rights import Right, Scope
from custom_events.access.roles import Role
from tests.console.api.world import World
from tests.console.pages.test_rights import ASKING, MINE, ask, path_of


def test_a_role_is_enough_or_it_is_not(client: httpx.Client, world: World) -> None:
    for page in ASKING:
        for role, headers in _by_role(world, page.right):
            answer = ask(client, page, path_of(page, world, MINE), headers)
            if page.right.role is None or role.rank >= page.right.role.rank:
                assert answer.status_code not in (401, 403, 500), f"{page.path} {role}: {answer.text}"
            else:
                assert answer.status_code == 403, f"{page.path} {role}"


def _by_role(world: World, right: Right) -> Iterator[tuple[Role, dict[str, str]]]:
    for role in Role:  # the least first: what the greater ones do may take the thing away
        yield role, world.headers(f"{role} of mine" if right.scope is Scope.ONE_SITE else role.value)
