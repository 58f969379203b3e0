"""Assignments that get into each other's way: several of a site that would send the same orders to the same ads action.

Google counts an order once for each action, so of such conversions only the first is sent, whichever it is. Found from the
rules alone; `backtest.rule_conflict_counts` counts how often it happens.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from custom_events.values.definitions import DefinitionConfig
from custom_events.values.events import EventType

REMEDY = (
    "put them into one group (of which the highest priority fires), give each an ads action of its own, "
    "or conditions that exclude each other"
)
# A group lets one fire on each event; they would still meet at an order of which one fires on one event, another on another.
REMEDY_ACROSS_EVENTS = (
    "let them wait for one and the same event in one group (of which the highest priority fires), give each an ads action of its "
    "own, or conditions that exclude each other"
)

Name = tuple[str, str]  # definition and label

# Of these a conversion carries the order's id; of the others an id of their own (pipeline/conversion.py, `transaction_id`).
_OF_AN_ORDER = frozenset(
    {
        EventType.ORDER_CREATED,
        EventType.ORDER_PAID,
        EventType.ORDER_FULFILLED,
        EventType.ORDER_CANCELLED,
        EventType.SUBSCRIPTION_STARTED,
        EventType.SUBSCRIPTION_RENEWED,
    }
)


class RuleConflict(msgspec.Struct, frozen=True, kw_only=True):
    """`members` (sorted) of a site send to `ads_action`, and each meets at least one of the others there; `remedy`: what helps."""

    site_key: str
    ads_action: str
    members: tuple[Name, ...]
    remedy: str = REMEDY

    def __str__(self) -> str:
        named = ", ".join(f'"{definition}" labelled "{label}"' for definition, label in self.members)
        return f"{named} send the same orders to {self.ads_action}"


def rule_conflicts(site_key: str, applying: Mapping[Name, DefinitionConfig]) -> Iterator[RuleConflict]:
    """The conflicts of a site, one for each ads action. `applying`: the effective configurations that are published and
    active."""
    by_action: dict[str, list[Name]] = {}
    for name, config in sorted(applying.items()):
        if config.ads_action is not None:
            by_action.setdefault(config.ads_action, []).append(name)
    for action, names in sorted(by_action.items()):
        members = [name for name in names if _meets_another(name, names, applying)]
        if members:
            kinds = {kind for member in members for kind in applying[member].trigger}
            remedy = REMEDY if len(kinds) == 1 else REMEDY_ACROSS_EVENTS
            yield RuleConflict(site_key=site_key, ads_action=action, members=tuple(members), remedy=remedy)


class Tie(msgspec.Struct, frozen=True, kw_only=True):
    """Two members of a group that have one priority and may fire on one event."""

    first: Name
    second: Name
    group: str
    priority: int

    def __str__(self) -> str:
        names = [f'"{definition}" labelled "{label}"' for definition, label in (self.second, self.first)]
        return (
            f'{names[0]} has priority {self.priority} in group "{self.group}", as {names[1]} has: '
            "which of the two fires is decided by which was assigned first"
        )


TIE_REMEDY = "priorities that differ"


def ties(applying: Mapping[Name, DefinitionConfig]) -> Iterator[Tie]:
    """Equal priorities within the groups of a site, each member with the first one before it that it ties with, in the order of
    `applying`: the effective configurations that are published and active."""
    seen: list[Name] = []
    for name, config in applying.items():
        for other in seen:
            if _tie(applying[other], config):
                yield Tie(first=other, second=name, group=config.group or "", priority=config.priority)
                break
        seen.append(name)


def _tie(config: DefinitionConfig, other: DefinitionConfig) -> bool:
    return (
        config.group is not None
        and (config.group, config.priority) == (other.group, other.priority)
        and not {*config.trigger}.isdisjoint(other.trigger)
        and not (_ends_before(config, other) or _ends_before(other, config))
    )


def _meets_another(name: Name, names: Sequence[Name], configs: Mapping[Name, DefinitionConfig]) -> bool:
    return any(other != name and may_meet(configs[name], configs[other]) for other in names)


def may_meet(config: DefinitionConfig, other: DefinitionConfig) -> bool:
    """Whether both could fire for one order (conditions aside, which only history can tell)."""
    if _ends_before(config, other) or _ends_before(other, config):
        return False
    triggers = {*config.trigger, *other.trigger}
    if config.group is not None and config.group == other.group and len(triggers) == 1:
        return False  # one event, of which the group lets one fire
    shared = set(config.trigger) & set(other.trigger)
    return bool(shared) or (bool(_OF_AN_ORDER & set(config.trigger)) and bool(_OF_AN_ORDER & set(other.trigger)))


def _ends_before(config: DefinitionConfig, other: DefinitionConfig) -> bool:
    return config.valid_until is not None and other.valid_from is not None and config.valid_until < other.valid_from
