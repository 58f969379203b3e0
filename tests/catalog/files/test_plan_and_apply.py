from pathlib import Path

import pytest
import sqlalchemy as sa

from custom_events.catalog import ads, assignments, audit, definitions, sites
from custom_events.catalog.files import apply, folder, plan, stored
from custom_events.errors import Conflict, InvalidConfiguration, NeedsAction, NotFound, Transient
from custom_events.postgres import connect
from custom_events.settings import settings
from custom_events.values.conversions import Lane
from custom_events.values.deliveries import Platform
from tests.catalog.conftest import ME
from tests.catalog.files.conftest import NOW, Write, applied, planned

BEA = "bea@example.org"
ADS = "name: Ads\nlane: google_ads\nactions:\n  '77': {name: Buy, click_window_days: 30}\n"
VIP = "name: VIP\ntrigger: [order.paid]\nconditions: {field: order.total, op: '>=', value: 200}\n"
SHOP = """\
name: Shop
platform: custom
currency: EUR
assignments:
- {definition: vip, label: big, click_window_days: 30, ads_action: 1234567890/77}
- {definition: purchase, label: all, active: false}
- {definition: refund, label: later, published: false}
"""
ALL = {"ads/1234567890": ADS, "definitions/vip": VIP, "sites/shop-key-1": SHOP}


def said(connection: sa.Connection, directory: Path) -> list[str]:
    return [line for step in planned(connection, directory).steps for line in (str(step), *step.lines)]


def test_a_folder_makes_what_is_not_there(seeded: sa.Connection, rules: Write) -> None:
    steps = applied(seeded, rules(**ALL), author=ME, by=BEA, reason="the beginning")
    assert [str(step) for step in steps] == [
        "create ads account 1234567890",
        "create ads action 1234567890/77",
        "create definition vip",
        "publish definition vip",
        "create site shop-key-1",
        'create assignment shop-key-1: "vip" labelled "big"',
        'publish assignment shop-key-1: "vip" labelled "big"',
        'create assignment shop-key-1: "purchase" labelled "all"',
        'publish assignment shop-key-1: "purchase" labelled "all"',
        'pause assignment shop-key-1: "purchase" labelled "all"',
        'create assignment shop-key-1: "refund" labelled "later"',
    ]
    (revision,) = definitions.history(seeded, "vip")
    assert (revision.author, revision.published_by, revision.reason) == (ME, BEA, "the beginning")
    entry = audit.entries(seeded, subject="configuration")[0]
    assert (entry.actor, entry.detail["planned_by"], len(entry.detail["steps"])) == (BEA, ME, len(steps))
    site = sites.by_key(seeded, "shop-key-1")
    found = {one.definition_key: (one.is_active, one.published_number) for one in assignments.of_site(seeded, site.id)}
    assert found == {"vip": (True, 1), "purchase": (False, 1), "refund": (True, None)}
    assert said(seeded, rules()) == []


def test_each_change_is_a_step_that_shows_old_and_new(seeded: sa.Connection, rules: Write) -> None:
    applied(seeded, rules(**ALL))
    directory = rules(
        **{
            "ads/1234567890": ADS.replace("Ads", "Google").replace("30", "60") + "  '78': {name: More}\n",
            "definitions/vip": VIP.replace("200", "250").replace("name: VIP", "name: Very good\ndescription: Best."),
            "sites/shop-key-1": SHOP.replace("EUR", "NOK\nactive: false")
            .replace("label: big,", "label: big, priority: 3,")
            .replace("all, active: false", "all")
            .replace("later, published: false", "later"),
        }
    )
    assert said(seeded, directory) == [
        "change ads account 1234567890",
        'name: "Ads" -> "Google"',
        "change ads action 1234567890/77",
        "click_window_days: 30 -> 60",
        "create ads action 1234567890/78",
        'name: added "More"',
        'action_type: added "UPLOAD_CLICKS"',
        "click_window_days: added 90",
        "one_per_click: added false",
        "change definition vip",
        'name: "VIP" -> "Very good"',
        'description: "" -> "Best."',
        "revise definition vip",
        "conditions.value: 200 -> 250",
        "publish definition vip",
        "change site shop-key-1",
        'currency: "EUR" -> "NOK"',
        "pause site shop-key-1",
        'revise assignment shop-key-1: "vip" labelled "big"',
        "priority: added 3",
        'publish assignment shop-key-1: "vip" labelled "big"',
        'resume assignment shop-key-1: "purchase" labelled "all"',
        'publish assignment shop-key-1: "refund" labelled "later"',
    ]
    applied(seeded, directory)
    assert said(seeded, directory) == []
    assert ads.get_action(seeded, "1234567890/77").click_window_days == 60
    applied(seeded, rules(**{"sites/shop-key-1": SHOP}))
    assert sites.by_key(seeded, "shop-key-1").is_active


def test_what_is_not_published_any_more_is_retired_and_comes_back(seeded: sa.Connection, rules: Write) -> None:
    applied(seeded, rules(**ALL))
    off = {
        "definitions/vip": VIP + "published: false\n",
        "sites/shop-key-1": SHOP.replace("big,", "big, published: false,"),
    }
    steps = applied(seeded, rules(**off))
    assert [str(step) for step in steps] == [
        "retire definition vip",
        'retire assignment shop-key-1: "vip" labelled "big"',
    ]
    assert said(seeded, rules()) == []
    text = folder.texts(stored.exported(stored.read(seeded).catalog))
    assert "published: false" in text["definitions/vip.yaml"]
    steps = applied(seeded, rules(**ALL))
    assert [step.verb for step in steps] == [plan.Verb.REVISE, plan.Verb.PUBLISH] * 2
    assert definitions.get(seeded, "vip").published_number == 2
    with pytest.raises(NeedsAction, match="no published revision"):
        assignments.retire(seeded, _assignment(seeded, "refund"), by=ME)


def test_a_draft_that_says_the_same_is_published_not_written_again(seeded: sa.Connection, rules: Write) -> None:
    applied(seeded, rules(**ALL))
    wanted = {"trigger": ["order.paid"], "conditions": {"field": "order.total", "op": ">=", "value": 300}}
    definitions.draft(seeded, "vip", wanted, expected=1, author=BEA)
    assert said(seeded, rules()) == []  # drafts are work in progress
    (step,) = applied(seeded, rules(**{"definitions/vip": VIP.replace("200", "300")}))
    assert (step.verb, step.lines) == (plan.Verb.PUBLISH, ("conditions.value: 200 -> 300",))
    assert definitions.history(seeded, "vip")[-1].author == BEA


def test_what_the_folder_does_not_name_stays(seeded: sa.Connection, rules: Write) -> None:
    directory = rules(**ALL)
    applied(seeded, directory)
    (directory / "definitions/vip.yaml").unlink()
    rules(**{"sites/shop-key-1": "name: Shop\nplatform: custom\ncurrency: EUR\n"})
    found = planned(seeded, directory)
    assert found.steps == ()
    assert found.left_alone == (
        "definitions/vip.yaml",
        'sites/shop-key-1.yaml: "purchase" labelled "all"',
        'sites/shop-key-1.yaml: "refund" labelled "later"',
        'sites/shop-key-1.yaml: "vip" labelled "big"',
    )


def test_a_plan_is_refused_once_the_configuration_has_changed(seeded: sa.Connection, rules: Write) -> None:
    applied(seeded, rules(**ALL))
    made = planned(seeded, rules(**{"definitions/vip": VIP.replace("200", "300")}))
    saved = apply.load(apply.save(made, author=ME, reason="", now=NOW))
    definitions.draft(seeded, "vip", {"trigger": ["order.created"]}, expected=1, author=BEA)
    sites.create(seeded, platform=Platform.CUSTOM, name="Other", actor=ME, site_key="other-key-1")
    with pytest.raises(Conflict) as caught:
        apply.apply(seeded, saved, by=ME)
    assert caught.value.theirs == ("definitions/vip.yaml: changed", "sites/other-key-1.yaml: added")
    assert caught.value.yours == ("revise definition vip", "publish definition vip")
    assert "plan again" in caught.value.sentence
    assert definitions.get(seeded, "vip").published_number == 1


def test_a_change_that_breaks_what_only_the_database_has_is_refused(seeded: sa.Connection, rules: Write) -> None:
    directory = rules(**ALL)
    applied(seeded, directory)
    (directory / "sites/shop-key-1.yaml").unlink()
    found = planned(seeded, rules(**{"ads/1234567890": ADS.replace("30", "20")}))
    assert not found.can_be_applied
    (finding,) = found.findings
    assert (finding.file, finding.line) == ("sites/shop-key-1.yaml", 0)
    assert "30 is longer than the 20 days of 1234567890/77" in str(finding)
    with pytest.raises(NeedsAction, match="mend the files"):
        apply.save(found, author=ME, reason="", now=NOW)
    forced = apply.Saved(format=1, author=ME, reason="", made_at=NOW, seen=found.seen, wanted=found.wanted, steps=())
    with pytest.raises(InvalidConfiguration, match="longer than the 20 days"):
        apply.apply(seeded, forced, by=ME)


def test_a_platform_stays(seeded: sa.Connection, rules: Write) -> None:
    applied(seeded, rules(**ALL))
    found = planned(seeded, rules(**{"sites/shop-key-1": SHOP.replace("custom", "woocommerce")}))
    (wrong,) = [str(one) for one in found.findings if one.severity == "error"]
    assert wrong.startswith(
        "sites/shop-key-1.yaml:2: platform: a site's platform cannot be changed; it is custom; make"
    )


def test_a_folder_with_errors_gives_no_steps(seeded: sa.Connection, rules: Write) -> None:
    found = planned(seeded, rules(**{"definitions/vip": VIP + "prioritty: 1\n"}))
    assert (found.steps, found.can_be_applied) == ((), False)


def test_publishing_by_files_needs_a_second_person_where_the_setting_says_so(
    seeded: sa.Connection, rules: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUSTOM_EVENTS_PUBLISH_NEEDS_SECOND_PERSON", "true")
    settings.cache_clear()
    try:
        with pytest.raises(NeedsAction, match="config apply --plan FILE") as caught:
            applied(seeded, rules(**ALL), author=ME, by=ME.upper())
        assert caught.value.who == "a second person"
        with pytest.raises(NotFound):
            definitions.get(seeded, "vip")
        applied(seeded, rules(**ALL), author=ME, by=BEA)
        (entry,) = [one for one in audit.entries(seeded, subject="definition:vip") if one.action.endswith("publish")]
        assert (entry.actor, entry.detail["draft_by"]) == (BEA, ME)
        # What publishes nothing needs nobody else.
        applied(seeded, rules(**{"sites/shop-key-1": SHOP.replace("big,", "big, active: false,")}))
    finally:
        settings.cache_clear()


@pytest.mark.parametrize(("content", "words"), [(b"{", "is not a plan"), (b'{"format": 1}', "is not a plan")])
def test_what_is_no_plan_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(InvalidConfiguration, match=words):
        apply.load(content)


def test_a_plan_of_another_version_is_refused(seeded: sa.Connection, rules: Write) -> None:
    content = apply.save(planned(seeded, rules()), author=ME, reason="", now=NOW)
    with pytest.raises(InvalidConfiguration, match="format 2, this version reads 1"):
        apply.load(content.replace(b'"format": 1', b'"format": 2'))


def test_others_who_change_the_configuration_are_waited_for_only_so_long(
    database: str, rules: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "WAIT_MS", 50)
    engine = connect.engine(database, name="tests")
    with engine.begin() as busy, engine.begin() as mine:
        saved = apply.load(apply.save(planned(mine, rules(**{"ads/1234567890": ADS})), author=ME, reason="", now=NOW))
        ads.create_account(busy, customer_id="2222222222", name="B", lane=Lane.GOOGLE_ADS, actor=ME)
        with pytest.raises(Transient, match="Nothing was applied"):
            apply.apply(mine, saved, by=ME)
        mine.rollback()
    engine.dispose()


def test_what_is_stored_and_cannot_be_read_names_itself(seeded: sa.Connection) -> None:
    made = definitions.get(seeded, "purchase")
    seeded.execute(sa.text("ALTER TABLE app.definition_revisions DISABLE TRIGGER USER"))
    seeded.execute(
        sa.text(
            "UPDATE app.definition_revisions SET config = config || '{\"from_tomorrow\": 1}' WHERE definition_id = :id"
        ),
        {"id": made.id},
    )
    with pytest.raises(NeedsAction, match='definition "purchase" cannot be read by this version'):
        stored.read(seeded)


def _assignment(connection: sa.Connection, definition: str) -> int:
    site = sites.by_key(connection, "shop-key-1")
    return next(one.id for one in assignments.of_site(connection, site.id) if one.definition_key == definition)
