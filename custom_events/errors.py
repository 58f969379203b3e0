"""Errors, sorted by what happens next.

CustomEventsError
├── Transient(retry_after_s)      try again, later; nobody has to do anything
├── NeedsAction(who, sentence)    a person must act; the work waits until then
│   ├── InvalidConfiguration      a setting, definition or assignment that cannot be used (names the path)
│   ├── NotFound                  what was named does not exist (names what does)
│   └── Conflict                  somebody else changed it in between (holds both differences)
└── Permanent(reason)             never; the reason is kept with what failed
    └── NotUnderstood             a body that cannot become commerce events: it is parked, with its reason
"""

from dataclasses import dataclass


class CustomEventsError(Exception):
    """Base of every error this project raises on purpose."""


@dataclass
class Transient(CustomEventsError):
    """Try again after `retry_after_s` seconds."""

    sentence: str
    retry_after_s: float = 0.0

    def __str__(self) -> str:
        return self.sentence


@dataclass
class NeedsAction(CustomEventsError):
    """A person must act: `who` (site owner, operator, ads account owner) and what to do, in one sentence."""

    sentence: str
    who: str = "operator"

    def __str__(self) -> str:
        return self.sentence


@dataclass
class InvalidConfiguration(NeedsAction):
    """A configured value cannot be used. `path` says where it stands (`conditions.all[1].value`)."""

    path: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else self.sentence


@dataclass
class NotFound(NeedsAction):
    """What was named does not exist. `what` is its noun (site, definition, assignment ...)."""

    what: str = ""


@dataclass
class Conflict(NeedsAction):
    """Somebody else changed it since it was read. Nothing was written; each line of a difference names a path."""

    theirs: tuple[str, ...] = ()
    yours: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(
            [
                self.sentence,
                "Theirs:",
                *(f"  {line}" for line in self.theirs),
                "Yours:",
                *(f"  {line}" for line in self.yours),
            ]
        )


@dataclass
class Permanent(CustomEventsError):
    """It will never work: `reason` is a stable word for tables, `sentence` is for people."""

    reason: str
    sentence: str = ""

    def __str__(self) -> str:
        return self.sentence or self.reason


@dataclass
class NotUnderstood(Permanent):
    """A body that gives no commerce event: it is parked with `reason` and can be replayed after a fix."""
