"""Assignments that get into each other's way: several of a site that would send the same orders to the same ads action.

Google counts an order once for each action, so of such conversions only the first is sent, whichever it is. Found from the
rules alone; `hindsight.contention` counts how often it happens.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from custom_events.values.definitions import DefinitionConfig
from custom_events.values.events import EventType

REMEDY = (
    "put them into one group (of which the highest priority fires), give each an ads action of its own, "
    "or conditions that exclude each other"
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


class Contention(msgspec.Struct, frozen=True, kw_only=True):
    """`members` (sorted) of a site send to `ads_action`, and each meets at least one of the others there."""

    site_key: str
    ads_action: str
    members: tuple[Name, ...]

    def __str__(self) -> str:
        named = ", ".join(f'"{definition}" labelled "{label}"' for definition, label in self.members)
        return f"{named} send the same orders to {self.ads_action}"


def contentions(site_key: str, applying: Mapping[Name, DefinitionConfig]) -> Iterator[Contention]:
    """The contentions of a site, one for each ads action. `applying`: the effective configurations that are published and
    active."""
    by_action: dict[str, list[Name]] = {}
    for name, config in sorted(applying.items()):
        if config.ads_action is not None:
            by_action.setdefault(config.ads_action, []).append(name)
    for action, names in sorted(by_action.items()):
        members = [one for one in names if _meets_another(one, names, applying)]
        if members:
            yield Contention(site_key=site_key, ads_action=action, members=tuple(members))


def _meets_another(name: Name, names: Sequence[Name], configs: Mapping[Name, DefinitionConfig]) -> bool:
    return any(other != name and may_meet(configs[name], configs[other]) for other in names)


def may_meet(one: DefinitionConfig, other: DefinitionConfig) -> bool:
    """Whether both could fire for one order (conditions aside, which only history can tell)."""
    if _ends_before(one, other) or _ends_before(other, one):
        return False
    triggers = {*one.trigger, *other.trigger}
    if one.group is not None and one.group == other.group and len(triggers) == 1:
        return False  # one event, of which the group lets one fire
    shared = set(one.trigger) & set(other.trigger)
    return bool(shared) or (bool(_OF_AN_ORDER & set(one.trigger)) and bool(_OF_AN_ORDER & set(other.trigger)))


def _ends_before(one: DefinitionConfig, other: DefinitionConfig) -> bool:
    return one.valid_until is not None and other.valid_from is not None and one.valid_until < other.valid_from
