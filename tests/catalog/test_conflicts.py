from datetime import date
from typing import Any

import pytest

from custom_events.catalog.conflicts import may_meet, rule_conflicts
from custom_events.values.definitions import DefinitionConfig
from custom_events.values.events import EventType

PAID = (EventType.ORDER_PAID,)
ACTION = "1234567890/77"


def config(**changes: Any) -> DefinitionConfig:
    return DefinitionConfig(**{"trigger": PAID, "ads_action": ACTION, **changes})


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ({}, {}, True),
        ({"trigger": (EventType.ORDER_CREATED,)}, {}, True),  # both carry the order's id
        ({"trigger": (EventType.ORDER_REFUNDED,)}, {}, False),
        ({"trigger": (EventType.CHECKOUT_STARTED,)}, {"trigger": (EventType.CHECKOUT_STARTED,)}, True),
        ({"group": "g"}, {"group": "g"}, False),
        ({"group": "g"}, {"group": "h"}, True),
        ({"group": "g", "trigger": (EventType.ORDER_CREATED,)}, {"group": "g"}, True),  # two events of one order
        ({"valid_until": date(2026, 1, 31)}, {"valid_from": date(2026, 2, 1)}, False),
        ({"valid_until": date(2026, 2, 1)}, {"valid_from": date(2026, 2, 1)}, True),
    ],
)
def test_who_may_meet(one: dict[str, Any], other: dict[str, Any], meet: bool) -> None:
    assert may_meet(config(**one), config(**other)) is meet
    assert may_meet(config(**other), config(**one)) is meet


def test_contentions_are_told_by_action_with_their_members_only() -> None:
    refund = (EventType.ORDER_REFUNDED,)
    applying = {
        ("purchase", "all"): config(),
        ("purchase", "other action"): config(ads_action="1234567890/78"),
        ("purchase", "recorded"): config(ads_action=None),
        ("refund", "apart"): config(trigger=refund),
        ("vip", "big"): config(),
    }
    (found,) = rule_conflicts("shop-key-1", applying)
    assert found.members == (("purchase", "all"), ("vip", "big"))
    assert found.remedy.startswith("put them into one group")
    (across,) = rule_conflicts("shop-key-1", {**applying, ("begun", "all"): config(trigger=(EventType.ORDER_CREATED,))})
    assert across.remedy.startswith(
        "let them wait for one and the same event in one group"
    )  # a group alone keeps no two events apart
    assert str(found) == f'"purchase" labelled "all", "vip" labelled "big" send the same orders to {ACTION}'
