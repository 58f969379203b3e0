from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from custom_events.catalog import assignments, definitions, seed, signing, sites
from custom_events.catalog.sample import GOOGLE_ADS_ACCOUNT, sample_secret, seed_sample
from custom_events.catalog.seed import seed_system_definitions
from custom_events.matching.system import SYSTEM_DEFINITIONS
from custom_events.secrets import key
from custom_events.settings import Settings
from custom_events.values.definitions import ConsentNeeded
from custom_events.values.deliveries import Platform
from tests.catalog.conftest import ME


def test_seeding_again_changes_nothing(connection: sa.Connection) -> None:
    assert seed_system_definitions(connection) == list(SYSTEM_DEFINITIONS)
    assert seed_system_definitions(connection) == []
    for one in definitions.all_of(connection):
        assert one.is_system
        assert one.published_number == one.newest_number == 1


def test_processes_that_seed_at_once_take_turns(engine: sa.Engine) -> None:
    def run(_: int) -> list[str]:
        with engine.begin() as connection:
            return seed_system_definitions(connection)

    with ThreadPoolExecutor(3) as pool:
        changed = list(pool.map(run, range(3)))
    assert sorted(map(len, changed)) == [0, 0, len(SYSTEM_DEFINITIONS)]


def test_a_release_renews_ours_and_leaves_what_people_revised(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_system_definitions(connection)
    config = definitions.published_config(connection, "refund")
    assert config is not None
    definitions.draft(connection, "refund", msgspec.structs.replace(config, priority=3), expected=1, author=ME)
    newer = {
        name: msgspec.structs.replace(one, name=f"{one.name}!", config=msgspec.structs.replace(one.config, priority=9))
        for name, one in SYSTEM_DEFINITIONS.items()
    }
    newer["add_to_cart"] = msgspec.structs.replace(SYSTEM_DEFINITIONS["add_to_cart"], description="Only the words.")
    monkeypatch.setattr(seed, "SYSTEM_DEFINITIONS", newer)
    assert set(seed_system_definitions(connection)) == newer.keys() - {"refund"}
    assert definitions.get(connection, "refund").name == "Refund"
    renewed = definitions.get(connection, "purchase")
    assert (renewed.name, renewed.published_number) == ("Purchase!", 2)
    assert definitions.get(connection, "add_to_cart").newest_number == 1
    assert seed_system_definitions(connection) == []


def test_what_people_retired_renamed_or_revised_under_our_name_stays(
    connection: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed_system_definitions(connection)
    definitions.retire(connection, "refund", by=ME)
    definitions.rename(connection, "purchase", name="Kauf", author=ME)
    config = definitions.published_config(connection, "add_to_cart")
    assert config is not None
    stricter = msgspec.structs.replace(config, priority=3)
    made = definitions.draft(
        connection, "add_to_cart", stricter, expected=1, author=seed.AUTHOR, reason="a login's name"
    )
    definitions.publish(connection, "add_to_cart", made.number, by=seed.AUTHOR)
    assert seed_system_definitions(connection) == []
    newer = {
        name: msgspec.structs.replace(one, config=msgspec.structs.replace(one.config, priority=9))
        for name, one in SYSTEM_DEFINITIONS.items()
    }
    monkeypatch.setattr(seed, "SYSTEM_DEFINITIONS", newer)
    assert set(seed_system_definitions(connection)) == newer.keys() - {"refund", "add_to_cart"}
    assert definitions.get(connection, "refund").published_number is None
    assert definitions.get(connection, "purchase").name == "Kauf"
    assert definitions.published_config(connection, "add_to_cart") == stricter


def test_the_sample_covers_every_definition_and_is_seeded_once(connection: sa.Connection, tmp_path: Path) -> None:
    settings = Settings(local_directory=tmp_path, _env_file=None)
    made = seed_sample(connection, settings)
    assert made.assignments >= 12
    used = {one.definition_key for site in made.sites for one in assignments.of_site(connection, site.site_id)}
    assert used == SYSTEM_DEFINITIONS.keys()
    assert [site.platform for site in made.sites] == [Platform.SHOPIFY, Platform.WOOCOMMERCE, Platform.CUSTOM]
    shopify = made.site(Platform.SHOPIFY)
    assert shopify.ads_customer_id == GOOGLE_ADS_ACCOUNT
    assert shopify.secret == sample_secret(shopify.site_key, key(settings))
    before = _counts(connection)
    assert seed_sample(connection, settings) == made
    assert _counts(connection) == before


def test_what_people_changed_in_the_sample_stays(connection: sa.Connection, tmp_path: Path) -> None:
    settings = Settings(local_directory=tmp_path, _env_file=None)
    site = seed_sample(connection, settings).site(Platform.CUSTOM)
    sites.update(connection, site.site_id, actor=ME, name="Mine")
    (secret,) = signing.of(connection, site.site_id)
    signing.remove(connection, site.site_id, secret.id, actor=ME)
    seed_sample(connection, settings)
    assert sites.get(connection, site.site_id).name == "Mine"
    assert signing.holds(connection, site.site_id, site.secret, key=key(settings))


def test_every_assignment_of_the_sample_applies_without_warning(connection: sa.Connection, tmp_path: Path) -> None:
    for site in seed_sample(connection, Settings(local_directory=tmp_path, _env_file=None)).sites:
        for one in assignments.of_site(connection, site.site_id):
            assert assignments.warnings(connection, one.id) == [], one.label


def _counts(connection: sa.Connection) -> dict[str, int]:
    tables = (
        *("sites", "site_secrets", "ads_accounts", "ads_actions", "custom_event_definitions"),
        *("definition_revisions", "site_custom_events", "assignment_revisions", "audit_entries"),
    )
    return {name: connection.execute(sa.text(f"SELECT count(*) FROM app.{name}")).scalar_one() for name in tables}


def test_the_careful_policy_is_published_where_nobody_revised_ours(connection: sa.Connection) -> None:
    """Stored definitions name the policy that they meant (migration 0022); ours get the new one as a new revision."""
    seed_system_definitions(connection)
    config = definitions.published_config(connection, "refund")
    assert config is not None
    definitions.draft(connection, "refund", msgspec.structs.replace(config, priority=3), expected=1, author=ME)
    connection.execute(sa.text(AS_BEFORE))
    assert set(seed_system_definitions(connection)) == SYSTEM_DEFINITIONS.keys() - {"refund"}
    policies = {one.key: definitions.published_config(connection, one.key) for one in definitions.all_of(connection)}
    assert {key: found.consent_needed for key, found in policies.items() if found is not None} == {
        key: ConsentNeeded.NOT_DENIED if key == "refund" else ConsentNeeded.CLICK_ONLY_IN_EUROPE
        for key in SYSTEM_DEFINITIONS
    }


AS_BEFORE = """
ALTER TABLE app.definition_revisions DISABLE TRIGGER definition_revision_is_immutable;
UPDATE app.definition_revisions SET config = config || '{"consent_needed": "not_denied"}';
ALTER TABLE app.definition_revisions ENABLE TRIGGER definition_revision_is_immutable
"""
