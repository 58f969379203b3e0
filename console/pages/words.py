"""Words and sentences for people: what a state means, what to do about a reason, a rule as a sentence."""

from typing import Any, Final

import msgspec

from console.pages import formats
from console.pages.translations import N_, _, translated
from custom_events.conditions.render import render
from custom_events.ledger.codes import RULES
from custom_events.matching.sentences import often, threshold, worth
from custom_events.matching.sentences import sentence as sentence  # noqa: PLC0414  (for templates, beside what is here)
from custom_events.values import reasons
from custom_events.values.definitions import Dedup, Threshold, ValueRule

# What a state is to who looks: fine, under way, waiting for somebody, bad, or of no further interest.
TONES: Final[dict[str, str]] = {
    **dict.fromkeys(
        (
            N_("accepted"),
            N_("understood"),
            N_("active"),
            N_("published"),
            N_("enabled"),
            N_("fine"),
            "queued_event",
        ),
        "good",
    ),
    **dict.fromkeys((N_("queued"), N_("claimed"), N_("sent"), N_("new"), N_("waiting"), N_("draft")), "info"),
    **dict.fromkeys(
        (N_("held"), N_("parked"), N_("paused"), N_("unknown"), N_("unmatched"), N_("warning"), N_("retracted")), "warn"
    ),
    **dict.fromkeys(
        (N_("rejected"), N_("refused"), N_("expired"), N_("critical"), N_("disabled"), N_("removed"), N_("failed")),
        "bad",
    ),
    N_("made"): "good",
    N_("succeeded"): "good",
    N_("delivered"): "good",
    N_("writing"): "info",
    N_("delivering"): "info",
    N_("changed"): "info",
    N_("running"): "info",
    N_("cancelled"): "warn",
}
STATES: Final[dict[str, str]] = {
    "new": N_("recorded, not yet placed in the queue"),
    "held": N_("waits for its time or for a person"),
    "queued": N_("goes with the next request"),
    "claimed": N_("is being sent now"),
    "sent": N_("handed over; Google's verdict comes later"),
    "unknown": N_("no answer came; it is cleared up before anything is sent again"),
    "accepted": N_("Google has it"),
    "unmatched": N_("Google took the call and has no such click"),
    "rejected": N_("Google refused it"),
    "expired": N_("too late: Google takes it no more"),
    "withheld": N_("recorded and never sent"),
}
# What somebody can do about deliveries that are parked for a reason; those of a platform's own are in its pages of the manual.
PARKED: Final[dict[str, str]] = {
    "unknown_topic": N_(
        "The store sends a topic that nobody here understands. Switch the webhook off in the store, or update this product and replay."
    ),
    "malformed": N_("The body is not what the platform documents. Look at one; if the store has mended it, replay."),
    "redact_customer": N_(
        "A person asks to be forgotten. The nightly job does it, custom-events privacy carry-out at once; a replay changes nothing."
    ),
    "redact_shop": N_(
        "The shop asks for its data to be erased. The nightly job does it, custom-events privacy carry-out at once."
    ),
    "data_request": N_(
        "A person asks for their data. Write it into a file (custom-events privacy export), send it to them, then note it as done."
    ),
    "no_currency": N_("The body names no currency, and the site has none: give the site a currency, then replay."),
    "unknown_currency": N_("The body names no currency that there is. Give the site a currency, then replay."),
}
_OTHERWISE: Final = N_("Look at one of them: its detail says what could not be understood. After a fix, replay them.")
_WITHHELD: Final[dict[str, str]] = {
    "no_ads_action": N_("Choose an ads action for the assignment; later events are then sent."),
    "unknown_ads_action": N_("Register the ads action under ads accounts, or choose another for the assignment."),
    "consent_denied": N_("Nothing: the customer said no."),
    "consent_unknown": N_(
        "Let the store's consent banner tell its answer with the order, or change the assignment's consent policy."
    ),
    "no_click_or_identifier": N_(
        "Nothing for orders without ads; if there are many, see how click ids and hashed addresses reach the order."
    ),
    "click_too_old": N_("Widen the assignment's click window, if the ads action allows it."),
    "value_unknown": N_("Give the assignment a fixed value, or another source of it."),
    "no_currency": N_("Give the site its currency."),
    "duplicate": N_("Nothing: the first one counts."),
    "same_transaction_other_assignment": N_(
        "Nothing: Google counts a transaction once. Use another ads action if both should count."
    ),
    "too_late": N_("Find out why it came so late: see when its delivery was received."),
}
_NAMES: Final[dict[str, str]] = {
    "dedup": N_("how often"),
    "value": N_("what it is worth"),
    "click_window_days": N_("click window"),
    "delay_minutes": "delay",
    "extra_data": N_("further data"),
    "also": N_("further conditions, added to those"),
}
_UNITS: Final[dict[str, str]] = {"click_window_days": "days", "delay_minutes": "minutes"}


def tone(state: str) -> str:
    """How a state is marked: good, info, warn, bad or quiet."""
    return TONES.get(state, "quiet")


def state_means(state: str) -> str:
    """What a state of an upload means."""
    return translated(STATES[state]) if state in STATES else ""


def reason_means(reason: str | None) -> str:
    """What a reason means, ours or Google's code; "" where nothing general can be said."""
    if not reason:
        return ""
    rule = RULES.get(reason)
    return rule.sentence if rule is not None else reasons.meaning(reason) or ""


def remedy_of_parked(reason: str) -> str:
    """What to do about deliveries that are parked for this reason."""
    return translated(PARKED.get(reason, _OTHERWISE))


def remedy_of_withheld(reason: str) -> str:
    """What to do about custom events that are withheld for this reason."""
    return translated(_WITHHELD[reason]) if reason in _WITHHELD else ""


def setting_name(name: str) -> str:
    """What a setting of a rule is called."""
    return translated(_NAMES.get(name, name.replace("_", " ")))


def setting(name: str, value: Any) -> str:
    """A setting of a rule for people: nothing as "none", conditions as their line, others in words."""
    match value:
        case Dedup():
            return often(value)
        case ValueRule():
            return worth(value)
        case Threshold():
            return _("the %(threshold)s", threshold=threshold(value))
        case _:
            pass
    if name == "conditions":
        return render(value)
    if name == "consent_needed":
        return formats.word(value)
    if name in _UNITS:
        return f"{value} {_UNITS[name]}"
    return shown(value)


def shown(value: Any) -> str:
    """A value in words."""
    if value is None or value in ("", (), []):
        return "none"
    built = msgspec.to_builtins(value, enc_hook=str)
    if isinstance(built, bool):
        return "yes" if built else "no"
    if isinstance(built, str | int | float):
        return str(built)
    if isinstance(built, list | tuple):
        return ", ".join(map(str, built))
    return ", ".join(f"{name.replace('_', ' ')}: {shown(part)}" for name, part in built.items()) or "none"
