"""What each consent policy means, for whom, in words."""

import sqlalchemy as sa

from custom_events.catalog import consent_policies
from custom_events.catalog.files.documents import AssignmentEntry, Catalog, DefinitionFile, SiteFile
from custom_events.catalog.sites import SiteSettings
from custom_events.values.clicks import ConsentStatus
from custom_events.values.definitions import ConsentNeeded
from custom_events.values.deliveries import Platform
from custom_events.values.events import EventType
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


def test_files_are_told_alike() -> None:
    rules = (
        AssignmentEntry(definition="vip", label="a"),
        AssignmentEntry(definition="vip", label="b", consent_needed=ConsentNeeded.GRANTED),
        AssignmentEntry(definition="vip", label="off", active=False),
    )
    granting = SiteSettings(consent_default=ConsentStatus.GRANTED)
    catalog = Catalog(
        definitions={"vip": DefinitionFile(name="VIP", trigger=(EventType.ORDER_PAID,))},
        sites={
            "shop_1": SiteFile(name="1", platform=Platform.CUSTOM, assignments=rules[:1]),
            "shop_2": SiteFile(name="2", platform=Platform.CUSTOM, assignments=rules, settings=granting),
            "shop_3": SiteFile(name="3", platform=Platform.CUSTOM, assignments=rules, active=False),
        },
    )
    lines = consent_policies.sentences_of(catalog)
    assert lines[0].startswith("2 assignments of 2 sites (click_only_in_europe): ")
    assert lines[1] == "1 assignments of 1 sites (granted): nothing goes without a yes"
    assert lines[2].endswith("whatever the policy: shop_2")
    assert consent_policies.sentences_of(Catalog()) == []
