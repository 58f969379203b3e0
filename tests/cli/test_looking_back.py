"""backtest, explain, test-rule and replay at the terminal: readable, as JSON, with errors that say what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.backtest.conftest import PastWorld, paid_order
from tests.cli.conftest import Run

LARGE = "conditions: {field: order.total, op: '>=', value: 150}\n"


@pytest.fixture
def stricter(tmp_path: Path) -> str:
    file = tmp_path / "stricter.yaml"
    file.write_text(f"name: Bought\ntrigger: [order.paid]\n{LARGE}")
    return str(file)


def test_a_backtest_in_words_and_as_json(run: Run, world: PastWorld, stricter: str) -> None:
    before = world.written()
    text = run("backtest", "--definition", "bought", "--config", stricter, DATABASE_URL=world.url).output
    for words in (
        "Definition bought as given on 2 events of 1 site,",
        "  would drop             1\n",
        "  unchanged              1\n",
        "1 taken back before sending, 100.00 EUR",
        "would drop order.paid:1 of ",
        "no  order.total >= 150   (is 100.00)",
        "what is stored begins on",
    ):
        assert words in text, text
    found = json.loads(
        run("backtest", "--definition", "bought@1", "--json", "--site", "1", DATABASE_URL=world.url).output
    )
    assert found["counts"]["unchanged"] == 2
    assert set(found) == {
        "draft", "since", "until", "sites", "events", "seconds", "is_complete", "counts", "assignments", "days", "effects",
        "samples", "notes",
    }  # fmt: skip
    assert world.written() == before


def test_overrides_from_a_file_and_several_assignments(run: Run, world: PastWorld, tmp_path: Path) -> None:
    overrides = tmp_path / "overrides.json"
    overrides.write_text('{"value": {"factor": "2"}}')
    text = run("backtest", "--assignment", "1", "--overrides", str(overrides), DATABASE_URL=world.url).output
    assert "would change           2" in text
    assert "2 taken back before sending, 300.00 EUR" in text  # the overrides name no action
    for number in range(25):
        world.assign(1, "bought", f"label {number}")
    text = run("backtest", "--since", "20d", DATABASE_URL=world.url).output
    assert '2 bought "label 0", site 1' in text
    assert "... and 5 more (--json has all)" in text
    assert "recorded and not sent: no_ads_action 50" in text


def test_what_others_of_a_group_would_win_if_a_rule_stopped(run: Run, world: PastWorld) -> None:
    world.publish("bought", world.draft("bought", group="g", priority=1))
    world.assign(1, world.define("rest", group="g"))
    world.order(1, 3, 7)
    world.drain()
    text = run("backtest", "--assignment", "1", "--stopped", DATABASE_URL=world.url).output
    assert text.startswith("Assignment 1 stopped, on 3 events of 1 site")
    assert "would add              3\n" in text
    assert "Nothing of assignment 1 applies: what it has made stays, and it makes nothing new." in text
    assert "Covered too, since a group holds or held them together with what is asked about: assignment 2." in text
    refused = run("backtest", "--stopped", DATABASE_URL=world.url)
    assert refused.exit_code == 1
    assert "Name what stops" in refused.output


def test_what_a_rule_is_to_be_tried_on_is_asked_for(run: Run, world: PastWorld, stricter: str) -> None:
    world.site()
    event = ("test-rule", "--event", "order.paid:1")
    for asked, words in (
        ((), "Name the site whose rules to try (--site), or a rule (--definition, --assignment or --config)."),
        (("--config", stricter), "The definition is on no site yet: name the site to try it on (--site)."),
    ):
        assert words in run(*event, *asked, DATABASE_URL=world.url).output


def test_explaining_an_order(run: Run, world: PastWorld) -> None:
    text = run("explain", "#1", DATABASE_URL=world.url).output
    assert text.startswith("Order #1 (id 1) of Shop 1 (shop-key-1, shopify); times are UTC\n")
    assert "It became custom event 1. The conversion is queued." in text
    found = json.loads(run("explain", "order.paid:1", "--site", "shop-key-1", "--json", DATABASE_URL=world.url).output)
    assert [one["verdict"] for one in found["events"][0]["decisions"]] == [
        "It became custom event 1. The conversion is queued."
    ]


def test_trying_a_rule_on_a_body(run: Run, tmp_path: Path, stricter: str) -> None:
    body = tmp_path / "order.json"
    body.write_text(json.dumps(paid_order(1, 5)))
    as_body = ("--platform", "shopify", "--topic", "orders/paid")
    text = run("test-rule", str(body), *as_body, "--config", stricter).output
    assert "order.paid:1 under (draft): no match" in text
    assert "no  order.total >= 150   (is 100.00)" in text
    counting = tmp_path / "counting.yaml"
    counting.write_text("trigger: [order.paid]\nthreshold: {at_least: 2}\n")
    assert "Without a site nothing is known" in run("test-rule", str(body), *as_body, "--config", str(counting)).output
    body.write_text("{}")
    assert run("test-rule", str(body), *as_body, "--config", stricter).output.startswith("The body is parked: ")
    body.write_text(json.dumps(paid_order(1, 5, financial_status="pending")))
    quiet = run(
        "test-rule", str(body), "--platform", "shopify", "--topic", "products/update", "--config", stricter
    ).output
    assert quiet.startswith("The body")


def test_trying_a_rule_with_a_site_s_history(run: Run, world: PastWorld, tmp_path: Path) -> None:
    text = run("test-rule", "--event", "order.paid:2", "--definition", "bought", DATABASE_URL=world.url).output
    assert "order.paid:2 under bought (assignment 1): fires" in text
    assert "value 200.00 EUR, key o:2" in text
    body = tmp_path / "order.json"
    body.write_text(json.dumps(paid_order(3, 7)))
    counting = tmp_path / "counting.yaml"
    counting.write_text("trigger: [order.paid]\nthreshold: {at_least: 3, scope: site}\n")
    asked = (
        "test-rule",
        str(body),
        "--platform",
        "shopify",
        "--topic",
        "orders/paid",
        "--config",
        str(counting),
        "--site",
        "1",
    )
    found = json.loads(run(*asked, "--json", DATABASE_URL=world.url).output)
    paid = next(one for one in found["tried"] if one["event_type"] == "order.paid")
    assert paid["explanation"]["fires"] is True
    assert "the body itself is not stored" in found["notes"][0]
    world.assign(world.site(), "bought")
    result = run("test-rule", "--event", "order.paid:2", "--definition", "bought", DATABASE_URL=world.url)
    assert "2 sites have this rule: name the one to try it on (--site)." in result.output


def test_a_replay_lists_and_then_writes(run: Run, world: PastWorld) -> None:
    world.execute("DELETE FROM app.custom_event_keys WHERE dedup_key = 'o:2'")
    world.execute("DELETE FROM app.upload_keys WHERE transaction_id LIKE '%2'")
    world.execute("DELETE FROM app.conversion_uploads WHERE order_id = '2'")
    world.execute("DELETE FROM app.custom_events WHERE order_id = '2'")
    text = run("replay", "--site", "1", DATABASE_URL=world.url).output
    assert "2 raw events through today's understanding: 0 say something else" in text
    assert "would add              1" in text
    assert "Nothing was written: --write changes just this." in text
    text = run("replay", "--write", "--reason", "lost", "--by", "ana", DATABASE_URL=world.url).output
    assert "Written as replay:" in text
    found = json.loads(run("replay", "--definition", "bought", "--json", DATABASE_URL=world.url).output)
    assert (found["counts"]["unchanged"], found["counts"]["would_add"], found["reread"]) == (2, 0, None)
    assert world.rows("SELECT actor FROM app.audit_entries WHERE action = 'replay.run'") == [("ana",)]


@pytest.mark.parametrize(("arguments", "words"), [
    (("backtest", "--definition", "nothing"), 'There is no definition "nothing". There are: bought.'),
    (("backtest", "--definition", "bought@x"), '"x" is no revision: give its number (bought@3)'),
    (("backtest", "--assignment", "x"), '"x" is no id of an assignment: give its number'),
    (("backtest", "--overrides", "FILE"), "overrides belong to an assignment: name it with --assignment"),
    (("backtest", "--config", "BROKEN"), "line 2: it is not YAML: did not find expected node content"),
    (("backtest", "--config", "TWICE"), "line 2: trigger: it stands here twice, first in line 1; once"),
    (("backtest", "--config", "EMPTY"), "it has no settings by name, such as trigger: [order.paid]"),
    (("backtest", "--config", "LIST"), "it has no settings by name"),
    (("backtest", "--config", "WRONG"), "conditions.field: "),
    (("backtest", "--since", "soon"), '"soon" is no time: give 2026-11-01'),
    (("backtest", "--since", "2026-W05"), '"2026-W05" is no time: give 2026-11-01'),
    (("backtest", "--since", "20260105"), '"20260105" is no time: give 2026-11-01'),
    (("backtest", "--since", "2026-11-02", "--until", "2026-11-01T00:00+01:00"), "since: 2026-11-02 00:00 is not before"),
    (("backtest", "--site", "nowhere"), 'There is no site "nowhere" (an id, a key or a shop domain). There are: shop-key-1.'),
    (("explain", "99"), 'No order is called "99". Ask by number or id of an order'),
    (("test-rule",), "give the event once"),
    (("test-rule", "FILE"), "a body needs --platform and --topic"),
    (("replay", "--write"), "a replay that writes needs a reason"),
])  # fmt: skip
def test_what_is_wrong_is_said_in_a_line(
    run: Run, world: PastWorld, tmp_path: Path, arguments: Any, words: str
) -> None:
    files = {
        "FILE": "{}",
        "BROKEN": "a:\n- }",
        "TWICE": "trigger: [order.paid]\ntrigger: [order.paid]\n",
        "EMPTY": "",
        "LIST": "- 1\n",
        "WRONG": "trigger: [order.paid]\nconditions: {field: order.totl, op: '>=', value: 1}\n",
    }
    given: list[str] = []
    for one in arguments:
        if one in files:
            (tmp_path / one).write_text(files[one])
            given.append(str(tmp_path / one))
        else:
            given.append(one)
    result = run(*given, DATABASE_URL=world.url)
    assert result.exit_code in (1, 2)
    assert words in " ".join(result.output.replace("│", "").split()), result.output


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("explain", f"raw:{2**63}"), 1, f"No raw event {2**63} is kept"),
        (("explain", "1", "--assignment", "99"), 1, "There is no assignment 99"),
        (
            ("explain", "1", "--assignment", str(2**63)),
            1,
            f"There is no assignment {2**63}",
        ),
        (("explain", "1", "--site", "nowhere"), 1, 'There is no site "nowhere"'),
        (("backtest", "--assignment", str(2**63)), 1, f"There is no assignment {2**63}"),
        (("backtest", "--definition", f"bought@{2**63}"), 1, f"has no revision {2**63}; it has 1 to 1"),
        (("replay", "--assignment", str(2**63)), 1, f"There is no assignment {2**63}"),
        (("replay", "--definition", "nothing"), 1, 'There is no definition "nothing". There are: bought'),
        (("raw", "show", str(2**63)), 1, f"No raw event {2**63} is kept"),
    ],
)
def test_what_is_not_there_is_named(
    run: Run, world: PastWorld, words: tuple[str, ...], code: int, sentence: str
) -> None:
    result = run(*words, DATABASE_URL=world.url)
    assert (result.exit_code, sentence in " ".join(result.stderr.split())) == (code, True), result.output


def test_an_assignment_of_another_site_is_told_apart(run: Run, world: PastWorld) -> None:
    other = world.assign(world.site(), "bought")
    result = run("explain", "1", "--assignment", str(other), DATABASE_URL=world.url)
    assert result.exit_code == 1
    assert f"Assignment {other} is of site" in result.stderr
