"""Errors, sorted by what happens next.

CustomEventsError
├── Transient(retry_after_s)      try again, later; nobody has to do anything
│   └── Throttled                 too many attempts; later means after the window
├── NeedsAction(who, sentence)    a person must act; the work waits until then
│   ├── InvalidConfiguration      a setting, definition or assignment that cannot be used (names the path)
│   ├── NotFound                  what was named does not exist (names what does)
│   ├── NotAdmitted               who asks is not known: a wrong login or password
│   ├── InUse                     others depend on it (names them)
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
class Throttled(Transient):
    """Too many attempts: none is looked at before `retry_after_s` are over."""


@dataclass
class NeedsAction(CustomEventsError):
    """A person must act: `who` (site owner, operator, ads account owner) and what to do, in one sentence."""

    sentence: str
    who: str = "operator"

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Fault:
    """One value that cannot be used: where it stands, what is wrong with it, and what would be right."""

    path: str
    wrong: str
    right: str


@dataclass
class InvalidConfiguration(NeedsAction):
    """A configured value cannot be used. `path` says where it stands (`conditions.all[1].value`); `faults` are all of them, where
    more than one was looked for."""

    path: str = ""
    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else self.sentence


@dataclass
class NotFound(NeedsAction):
    """What was named does not exist. `what` is its noun (site, definition, assignment ...)."""

    what: str = ""


@dataclass(frozen=True)
class Dependent:
    """What depends on something: its noun (assignment, revision), id and name."""

    noun: str
    id: str
    name: str = ""


@dataclass
class InUse(NeedsAction):
    """Others depend on it, so that it cannot be removed. `dependents` are some of them."""

    dependents: tuple[Dependent, ...] = ()


@dataclass
class NotAdmitted(NeedsAction):
    """Who asks is not known. Says not whether the login exists."""


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
    """A body that gives no commerce event: it is parked with `reason` and can be replayed after a fix. `path`: of the leaf that is
    to blame, where it is one (`$.refunds[].id`)."""

    path: str = ""
