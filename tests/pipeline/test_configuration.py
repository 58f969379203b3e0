"""The published configuration is loaded once per change, and one broken rule stops nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from custom_events.errors import Transient
from custom_events.pipeline import configuration

InWorld = Callable[[Callable[[Any], Any]], None]


def test_loaded_once_and_again_after_every_kind_of_change(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        assignment = world.rule(site)
        cache = configuration.ConfigurationCache()
        seen = await cache.current(world.connection)
        assert await cache.current(world.connection) is seen
        for change in (
            "UPDATE app.sites SET time_zone = 'Asia/Tokyo'",
            "UPDATE app.site_custom_events SET is_active = false",
            "UPDATE app.site_custom_events SET is_active = true",
            "INSERT INTO app.ads_accounts (customer_id, name, lane) VALUES ('1234567890', 'a', 'google_ads')",
            "DELETE FROM app.ads_accounts",
        ):
            await world.connection.execute(change)
            now = await cache.current(world.connection)
            assert now is not seen, change
            seen = now
        assert seen.sites[site].time_zone == "Asia/Tokyo"
        assert [rule.id for rule in seen.compiled_rules.sites[site].rules] == [assignment]

    in_world(test)


def test_drafts_pauses_and_definitions_without_a_published_revision_match_nothing(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        site = world.site()
        await world.connection.execute("INSERT INTO app.custom_event_definitions (id, key, name) VALUES (50, 'd', 'd')")
        world.assignment(site, 50, "unpublished")
        paused = world.rule(site)
        await world.connection.execute("UPDATE app.site_custom_events SET is_active = false WHERE id = $1", paused)
        loaded = await configuration.load(world.connection)
        assert loaded.compiled_rules.sites == {}

    in_world(test)


def test_what_cannot_be_read_is_left_out(in_world: InWorld) -> None:
    async def test(world: Any) -> None:
        site = world.site(cod_paid_when="completed", default_country=None, something_else=1)
        broken_site = world.site("broken", take_test_orders="perhaps")
        world.rule(site, "broken", trigger=["no.such.event"])
        kept = world.rule(site, "kept")
        definition = await world.value("SELECT definition_id FROM app.site_custom_events WHERE id = $1", kept)
        world.assignment(site, definition, "broken overrides", nonsense=True)
        loaded = await configuration.load(world.connection)
        assert [rule.id for rule in loaded.compiled_rules.sites[site].rules] == [kept]
        assert loaded.sites[site].cod_paid_when == "completed"
        assert loaded.sites[broken_site].take_test_orders is False

    in_world(test)


def test_a_configuration_that_never_rests_is_tried_again_later(
    in_world: InWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(world: Any) -> None:
        numbers = iter(range(100))

        async def restless(_connection: Any) -> Any:
            return ((next(numbers),),)

        monkeypatch.setattr(configuration, "_version", restless)
        with pytest.raises(Transient, match="faster than it can be loaded"):
            await configuration.ConfigurationCache().current(world.connection)

    in_world(test)
