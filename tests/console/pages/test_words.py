"""What stands on pages for values, states, reasons and rules."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from console.api.problems import ProblemError
from console.api.routes.explanations import ROUTES
from console.pages import formats, toasts, words
from console.pages.ask import Ask, path_value, read_form, read_query
from console.pages.page import Moved
from console.pages.routes.orders import outcome, steps
from custom_events.browse.uploads import STATES
from custom_events.ledger.codes import RULES
from custom_events.settings import Settings
from custom_events.values.definitions import DefinitionConfig

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"trigger": ["order.paid"]},
            "When order.paid happens: once for each order it counts with the order's total, and is recorded, and sent nowhere.",
        ),
        (
            {
                "trigger": ["order.paid", "order.created"],
                "conditions": {"field": "order.total", "op": ">=", "value": 200, "currency": "EUR"},
                "threshold": {
                    "measure": "sum",
                    "at_least": 500,
                    "currency": "EUR",
                    "period": "rolling",
                    "window_days": 30,
                },
                "dedup": {"per": "customer_window", "window_days": 7},
                "value": {"factor": "0.5", "without_tax": True, "without_shipping": True},
                "ads_action": "1234567890/7001",
                "delay_minutes": 60,
            },
            (
                "When order.paid or order.created happens and order.total >= 200 EUR, and the sum of the amounts of 30 days for the customer "
                "reaches 500 EUR: once for each customer within 7 days it counts with the order's total without tax and shipping times 0.5, and "
                "goes after 60 minutes to the ads action 1234567890/7001."
            ),
        ),
        (
            {
                "trigger": ["customer.created"],
                "threshold": {"at_least": 3, "period": "month", "fires": "every_nth", "scope": "site"},
                "dedup": {"per": "event"},
                "value": {"source": "fixed", "fixed": "5.00", "currency": "EUR"},
            },
            (
                "When customer.created happens, and the number of the month for the site reaches a multiple of 3: each time it counts with "
                "5.00 EUR, and is recorded, and sent nowhere."
            ),
        ),
    ],
)
def test_a_rule_is_a_sentence(settings: dict[str, Any], said: str) -> None:
    assert words.sentence(msgspec.convert(settings, DefinitionConfig)) == said


def test_settings_are_said_in_words() -> None:
    config = msgspec.convert({"trigger": ["order.paid"], "threshold": {"at_least": 3}}, DefinitionConfig)
    said = {name: words.setting(name, getattr(config, name)) for name in config.__struct_fields__}
    assert said["threshold"] == "the number of all time for the customer reaches 3"
    assert (said["conditions"], said["group"], said["click_window_days"]) == ("always", "none", "90 days")
    assert words.setting_name("dedup") == "how often"
    assert words.setting_name("valid_from") == "valid from"
    assert (words.shown(True), words.shown({"a_b": [1, 2]}), words.shown(())) == ("yes", "a b: 1, 2", "none")


def test_every_state_has_a_meaning_and_reasons_say_what_to_do() -> None:
    assert all(words.state_means(state) for state in STATES)
    assert words.tone("accepted") == "good"
    assert words.tone("whatever") == "quiet"
    assert all(words.reason_means(code) == rule.sentence for code, rule in RULES.items())
    assert words.reason_means(None) == ""
    assert words.reason_means("no_such_reason") == ""
    assert words.remedy_of_parked("whatever").startswith("Look at one")
    assert words.remedy_of_withheld("consent_denied").startswith("Nothing")


def test_values_stand_in_their_own_units() -> None:
    assert formats.money(Decimal("1234.5"), "EUR") == "1,234.50 EUR"
    assert formats.money(Decimal("0.005")) == "0.005"
    assert formats.money(Decimal("1E+3"), "JPY") == "1,000.00 JPY"
    assert formats.number(1234) == "1,234"
    assert (formats.size(1023), formats.size(2048)) == ("1023 B", "2.0 KiB")
    assert 'title="2026-11-30 12:00:00 UTC"' in formats.when(NOON)
    assert (formats.word("wrong_signature"), formats.word("TOO_LATE")) == ("wrong signature", "TOO_LATE")
    assert all(
        what(None) == formats.NOTHING
        for what in (formats.when, formats.number, formats.money, formats.size, formats.given, formats.word)
    )
    assert formats.ago(None, NOON) == formats.NOTHING
    moments = {
        timedelta(0): "just now",
        timedelta(minutes=3): "3 min ago",
        timedelta(days=2): "2 d ago",
        timedelta(hours=-5): "in 5 h",
        timedelta(seconds=-5): "in a moment",
    }
    assert {formats.ago(NOON - gap, NOON): said for gap, said in moments.items()} == {
        said: said for said in moments.values()
    }
    assert (formats.plain("x"), formats.plain({"a": Decimal(1)})) == ("x", '{"a":"1"}')
    assert formats.pretty({"a": 1}) == '{\n  "a": 1\n}'


def test_what_is_told_once_leads_nowhere_else() -> None:
    (header,) = toasts.headers(Moved(to="", said="It is done.", about="sites/3"), Settings(_env_file=None))
    value = header.partition(";")[0].partition("=")[2]
    assert toasts.read({toasts.COOKIE: value}) == toasts.Toast(said="It is done.", about="sites/3")
    (header,) = toasts.headers(Moved(to="", said="It is done.", about="//evil.example"), Settings(_env_file=None))
    found = toasts.read({toasts.COOKIE: header.partition(";")[0].partition("=")[2]})
    assert found is not None
    assert found.about == ""
    for bad in ("", "x", "=" * 9, "A" * 3_000):
        assert toasts.read({toasts.COOKIE: bad}) is None
    assert toasts.headers(Moved(to=""), Settings(_env_file=None)) == ()


def test_forms_and_queries_are_read_as_browsers_send_them() -> None:
    assert read_form(b"a=1&a=2&b=%C3%A4&c=") == {"a": "1\n2", "b": "ä", "c": ""}
    assert read_query("a=1&a=2&site_ids=1&site_ids=2") == {"a": "2", "site_ids": "1,2"}
    with pytest.raises(ProblemError):
        read_form(b"a=" + b"x" * 1_000_001)
    ask = Ask(query={"live": "yes", "none": "no", "at": "2026-11-30T12:00"}, form={"text": " a\r\nb "})
    assert (ask.flag("live"), ask.flag("none"), ask.flag("absent")) == (True, False, None)
    assert ask.moment("at") == NOON
    assert ask.field("text") == "a\r\nb"
    assert ask.address(live=None, after="x y") == "?none=no&at=2026-11-30T12%3A00&after=x+y"
    assert path_value("site_id", "7") == 7
    assert path_value("customer_id", "123-456-7890") == "123-456-7890"


def test_how_an_order_ended_is_one_sentence() -> None:
    from custom_events.explain.trace import Decision, EventTrace, Occurred, Trace, Upload

    (operation,) = ROUTES.operations
    trace: Trace = operation.example
    event: EventTrace = trace.events[0]

    def ended(*states: str, events: int = 1, occurs: bool = True) -> tuple[str, str]:
        uploads = tuple(msgspec.structs.replace(some_upload, state=state) for state in states)
        made = msgspec.structs.replace(some_event, uploads=uploads)
        decision = msgspec.convert({"custom_events": ()}, type=msgspec.defstruct("Only", [("custom_events", tuple)]))
        decision.custom_events = (made,) if occurs else ()
        with_it = msgspec.structs.replace(event, decisions=(decision,))  # type: ignore[arg-type]
        found = msgspec.structs.replace(trace, events=(with_it,) * events)
        if states:
            assert [step.kind for step in steps(found)].count("upload") == len(states) * events
        return outcome(found)

    some_upload = Upload(
        id=1, reference="1", created_at=NOON, kind="conversion", sequence=0, state="accepted", reason=None, sentence=None, value=None, currency=None,
        ads_action=None, transaction_id="1", click_kind=None, conversion_at=NOON, adjusted_at=None, not_before=NOON, deadline_at=NOON,
        settled_at=None, attempts=0, google_request_id=None, intent_at=None, answered_at=None,
    )  # fmt: skip
    some_event = Occurred(
        id=1, dedup_key="k", value=None, currency=None, withheld_reason=None, withdrawn_at=None, withdrawn_reason=None, created_at=NOON,
        definition_revision=1, assignment_revision=1,
    )  # fmt: skip
    assert Decision  # the shape that `decision` stands for
    assert ended("accepted") == ("Google accepted 1 conversion of it.", "good")
    assert ended("accepted", "rejected") == ("Of 2 conversions, Google accepted 1; 1 rejected.", "bad")
    assert ended("held")[1] == "warn"
    assert ended("queued")[1] == "info"
    assert ended(occurs=False)[0].startswith("No assignment matched")
    assert ended()[0].startswith("It matched, and nothing of it")
    assert ended(events=0)[0].startswith("No commerce event")
