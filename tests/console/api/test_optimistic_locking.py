"""Laws of optimistic locking: of those who change a thing at once from what they have read, none overwrites another's change unseen."""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI

from tests.console.api.asking import asking
from tests.console.api.world import World

WRITERS, CHANGES = 3, 2  # at once, and how many each makes

Document = dict[str, Any]


class Counter(NamedTuple):
    """A thing of which some value is counted up. `path` has the names of `World.places`; `read` finds the value, `write` is a change of it."""

    path: str
    begins: Document
    read: Callable[[Document], int]
    write: Callable[[int], Document]
    method: str = "PATCH"


def digits(text: str) -> int:
    return int(text.removeprefix("N "))


def named(path: str, field: str = "name", method: str = "PATCH", **more: Any) -> Counter:
    return Counter(
        path, {field: "N 0", **more}, lambda one: digits(one[field]), lambda n: {field: f"N {n}", **more}, method
    )


COUNTERS = [
    named("/api/v1/sites/{site_id}"),
    named("/api/v1/sites/{site_id}", method="PUT", currency="EUR"),
    named("/api/v1/definitions/{definition_key}"),
    named("/api/v1/definitions/{definition_key}", method="PUT", config={"trigger": ["order.paid"]}),
    Counter(
        "/api/v1/assignments/{assignment_id}",
        {"overrides": {"priority": 0}},
        lambda one: one["draft"]["overrides"].get("priority", 0),
        lambda n: {"overrides": {"priority": n}},
    ),
    named("/api/v1/people/{person_id}", "display_name"),
    named("/api/v1/ads-accounts/{customer_id}"),
    named("/api/v1/ads-accounts/{customer_id}/actions/{action_id}"),
]


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda one: f"{one.method} {one.path.removeprefix('/api/v1/')}")
def test_no_change_is_lost(app: FastAPI, world: World, counter: Counter) -> None:
    """Everybody reads, adds one, writes, and begins again where somebody was first: in the end all that was added is there."""
    path = counter.path.format(**{name: place[0] for name, place in world.places.items()})
    statuses: list[int] = []

    def count_up(client: httpx.Client) -> None:
        for _ in range(CHANGES):
            while True:
                seen = client.get(path)
                tag = {"If-Match": seen.headers["etag"]}
                change = counter.write(counter.read(seen.json()) + 1)
                statuses.append(client.request(counter.method, path, json=change, headers=tag).status_code)
                if statuses[-1] != 412:
                    break

    with asking(app) as client:
        client.headers.update(world.headers("administrator"))
        begun = client.request(counter.method, path, json=counter.begins, headers={"If-Match": "*"})
        assert begun.status_code == 200, begun.text
        writers = [threading.Thread(target=count_up, args=(client,)) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert counter.read(client.get(path).json()) == WRITERS * CHANGES
    assert set(statuses) <= {200, 412}
    assert statuses.count(200) == WRITERS * CHANGES
