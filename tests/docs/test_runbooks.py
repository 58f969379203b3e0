"""Every alarm has a section that says what it means, how to see it, what to do, and when it is over; and whoever hears of it is led there."""

import re
from datetime import UTC, datetime

import pytest
import yaml

from console.pages.manual import MANUAL, anchor, sections
from custom_events.watching import exposition, messages, outside
from custom_events.watching.alarms import WATCHES, Severity
from custom_events.watching.runbooks import RUNBOOKS, runbook
from custom_events.watching.state import Episode, News

ALARMS = [*(watch.name for watch in WATCHES), outside.NAME, exposition.SILENCE]
PARTS = ["Means", "See", "Do", "Over"]
MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECTIONS = {section.heading: section.text for section in sections((MANUAL / RUNBOOKS).read_text())}
EPISODE = Episode(
    id=1,
    key="AccountParked{account=1}",
    name="AccountParked",
    severity=Severity.CRITICAL,
    place={"account": "1"},
    sentence="Nothing is sent",
    remedy="Mend it",
    opened_at=MOMENT,
    seen_at=MOMENT,
)


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_has_a_runbook(name: str) -> None:
    assert re.findall(r"^- \*\*(\w+)\*\*: \S", SECTIONS[name], re.MULTILINE) == PARTS
    assert runbook(name) == f"{RUNBOOKS}#{anchor(name)}"


def test_no_runbook_is_left_of_an_alarm_that_is_gone() -> None:
    assert {heading for heading in SECTIONS if re.fullmatch(r"\w+", heading)} == set(ALARMS)


def test_a_message_leads_to_it() -> None:
    text = messages.compose([(News.OPENED, EPISODE)], "https://console.example/events/", MOMENT).text
    assert "  More: https://console.example/events/help/runbooks/alarms.md#accountparked\n" in text


def test_a_rule_of_prometheus_names_it() -> None:
    rules = yaml.safe_load(exposition.rules())["groups"][0]["rules"]
    assert [rule["annotations"]["runbook"] for rule in rules] == [f"docs/{runbook(rule['alert'])}" for rule in rules]
    assert {rule["alert"] for rule in rules} == set(ALARMS) - {outside.NAME}
