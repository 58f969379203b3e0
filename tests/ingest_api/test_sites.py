"""Which sites a receiver knows, and how little an attacker can make it ask."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from custom_events.errors import Transient
from custom_events.platforms.base import Secret
from custom_events.queries.landing import Site
from custom_events.values.deliveries import Platform
from ingest_api import sites
from ingest_api.sites import Sites, by_domain


class Source:
    """Sites as the database has them, and what was asked of it."""

    def __init__(self, *keys: str) -> None:
        self.known = {key: site(number) for number, key in enumerate(keys)}
        self.asked: list[list[str]] = []
        self.broken = False

    async def load(self, addresses: list[str]) -> Mapping[str, Site]:
        self.asked.append(sorted(addresses))
        if self.broken:
            raise ConnectionError
        return {address: self.known[address] for address in addresses if address in self.known}

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(10):
            while len(self.asked) < times:
                await asyncio.sleep(0.001)


def site(number: int, secret: bytes = b"s") -> Site:
    return Site(site_id=number, platform=Platform.SHOPIFY, secrets=(Secret(value=secret),))


def play(source: Source, scenario: Callable[[Sites], Awaitable[None]], cache_s: float = 60) -> None:
    async def main() -> None:
        known = Sites(source.load, cache_s)
        running = asyncio.create_task(known.run())
        try:
            await asyncio.wait_for(scenario(known), 10)
        finally:
            running.cancel()

    asyncio.run(main())


def test_looks_up_once_and_remembers() -> None:
    source = Source("a", by_domain(" Shop.Example "))

    async def scenario(known: Sites) -> None:
        assert known.cached("a") is None
        found = await asyncio.gather(*(known.find("a") for _ in range(50)), known.find("@shop.example"))
        assert {each.site_id for each in found if each} == {0, 1}
        assert known.cached("a") is found[0]
        assert await known.find("a") is found[0]

    play(source, scenario)
    assert source.asked == [["@shop.example", "a"]]


def test_nobodys_addresses_are_remembered_in_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "UNKNOWN_LIMIT", 3)
    source = Source()

    async def scenario(known: Sites) -> None:
        for key in ("a", "b", "c", "d", "b", "c", "d"):
            assert await known.find(key) is None
        assert len(known._unknown) == 3
        assert await known.find("a") is None

    play(source, scenario)
    assert source.asked == [["a"], ["b"], ["c"], ["d"], ["a"]]


def test_impossible_addresses_are_not_looked_up() -> None:
    source = Source()

    async def scenario(known: Sites) -> None:
        assert await known.find("k" * 256) is None
        assert await known.find("a\x00b") is None

    play(source, scenario)
    assert source.asked == []


def test_too_many_at_once_have_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "LOOK_UPS_LIMIT", 2)
    source = Source()

    async def scenario(known: Sites) -> None:
        said = await asyncio.gather(*(known.find(key) for key in "abcd"), return_exceptions=True)
        assert [type(each) for each in said] == [type(None), type(None), Transient, Transient]

    play(source, scenario)


def test_a_client_that_goes_away_takes_nothing_from_the_others() -> None:
    source = Source("a")

    async def scenario(known: Sites) -> None:
        gone = asyncio.create_task(known.find("a"))
        stays = asyncio.create_task(known.find("a"))
        await asyncio.sleep(0)
        gone.cancel()
        found = await stays
        assert found is not None

    play(source, scenario)


def test_changes_count_after_the_next_refresh_and_the_unused_is_forgotten() -> None:
    source = Source("a", "b")

    async def scenario(known: Sites) -> None:
        await known.find("a")
        await known.find("b")
        source.known["a"] = site(0, b"new")
        known.cached("a")
        async with asyncio.timeout(10):
            while (found := await known.find("a")) is None or found.secrets[0].value != b"new":
                await asyncio.sleep(0.001)
        async with asyncio.timeout(10):
            while known._known:  # nobody uses them any more
                await asyncio.sleep(0.001)

    play(source, scenario, cache_s=0.02)


def test_a_database_that_is_away_changes_nothing_that_is_known() -> None:
    source = Source("a")

    async def scenario(known: Sites) -> None:
        await known.find("a")
        source.broken = True
        with pytest.raises(Transient):
            await known.find("b")
        known.cached("a")
        await source.until_asked(len(source.asked) + 2)
        assert known.cached("a") is not None
        source.broken = False
        assert await known.find("b") is None

    play(source, scenario, cache_s=0.01)
