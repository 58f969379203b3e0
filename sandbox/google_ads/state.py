"""Everything one sandbox remembers, behind one lock."""

import secrets
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from threading import RLock
from typing import Any

import msgspec

from custom_events.values import zones
from sandbox.google_ads.clock import Clock
from sandbox.google_ads.diagnostics import Batch, Diagnostics, NotedBatch
from sandbox.google_ads.faults import FaultBox
from sandbox.google_ads.formats import is_customer_id
from sandbox.google_ads.installed import ads_enums
from sandbox.google_ads.journal import Journal
from sandbox.google_ads.quota import Quotas
from sandbox.google_ads.seed import Action, Customer, SandboxSeed, Token, default_seed
from sandbox.google_ads.switches import Switches

FIRST_GENERATED_JOB_ID = (
    2**31
)  # "a server-generated job id lies in [2^31, 2^63)" (UploadClickConversionsRequest.job_id)


class Conversion(msgspec.Struct, kw_only=True, gc=False):
    """A recorded conversion. `value` is what counts now, `conversion_at` and `uploaded_at` are seconds since 1970."""

    customer_id: str
    action_id: str
    order_id: str | None
    click_id: str | None
    kind: str  # gclid, gbraid, wbraid, or user for user identifiers alone
    value: float
    original_value: float
    currency: str
    conversion_date_time: str
    conversion_at: int
    uploaded_at: float
    counted: bool  # adds to the reported number of conversions
    via: str  # google_ads or data_manager
    user_identifiers: int  # how many came with it
    consent: str  # GRANTED, DENIED, UNKNOWN or UNSPECIFIED
    user_data_usable: bool
    job_id: int | None = None
    request_id: str | None = None
    retracted: bool = False
    enhanced: bool = False
    restatement_times: tuple[int, ...] = ()  # adjustment times so far
    customer_type: str = "UNSPECIFIED"
    environment: str = "UNSPECIFIED"
    cart: dict[str, object] | None = None


class Adjustment(msgspec.Struct, kw_only=True, gc=False):
    """An accepted adjustment. `status`: APPLIED, PENDING (its conversion is not known yet) or FAILED."""

    customer_id: str
    action_id: str
    order_id: str | None
    click_id: str | None
    conversion_at: int | None  # with click_id: addressed by click and time
    type: str
    adjusted_value: float | None
    currency: str
    adjustment_date_time: str
    adjusted_at: int
    uploaded_at: float
    day: str
    job_id: int
    status: str = "APPLIED"
    error: str | None = None


class Counters(msgspec.Struct, frozen=True, array_like=True):
    """What was counted: requests by method, faults that fired by kind."""

    requests: dict[str, int]
    faults_fired: dict[str, int]


class State:
    """Accounts, uploads, counters, faults and switches. Hold `lock` while reading several of them; change them within `changing`.

    With a journal (`recall` sets it), what Google would know for good is in a file: not quotas used, nor armed faults.
    """

    def __init__(self, seed: SandboxSeed | None = None, clock: Clock | None = None) -> None:
        self.lock = RLock()
        self.clock = clock or Clock()
        self.faults = FaultBox()
        self.journal: Journal | None = None
        self.reset(seed)

    @contextmanager
    def changing(self) -> Generator[None, None, None]:
        """Holds the lock, and writes to the journal what was noted, in one piece, before anybody is answered."""
        with self.lock:
            try:
                yield
            finally:
                if self.journal is not None and self.journal.has_news:
                    self.note("counters", Counters(dict(self.requests), dict(self.faults.fired)))
                    self.journal.write()

    def note(self, kind: str, content: Any) -> None:
        """Keep an entry for the journal, as it is now; nothing without one. `recall` reads every kind."""
        if self.journal is not None:
            self.journal.note(kind, content)

    def reset(self, seed: SandboxSeed | None = None) -> None:
        """Forget everything but the time, and start from `seed` (the default seed when None). Raises ValueError as `add` does."""
        seed = default_seed() if seed is None else seed
        _check_seed(seed)
        with self.changing():
            self.note("reset", seed)
            self.switches = msgspec.structs.replace(seed.switches)
            self.customers: dict[str, Customer] = {}
            self.actions: dict[str, Action] = {}
            self.tokens: dict[str, Token] = {}
            self.matched_users: set[str] = set()
            self.conversions: list[Conversion] = []
            self.adjustments: list[Adjustment] = []
            self.by_order: dict[tuple[str, str], Conversion] = {}
            self.by_order_and_api: dict[tuple[str, str, str], Conversion] = {}
            self.by_click_time: dict[tuple[str, str, int], tuple[Conversion, ...]] = {}
            self.clicks_counted: set[tuple[str, str]] = set()
            self.waiting: dict[
                tuple[object, ...], list[Adjustment]
            ] = {}  # adjustments by what their conversion is called
            self.requests: Counter[str] = Counter()
            self.status_requests: dict[str, object] = {}  # Data Manager's request id -> what it answers
            self.quotas = Quotas()
            self.diagnostics = Diagnostics()
            self.grant_revoked = False
            self._issued: set[str] = set()
            self.faults = FaultBox()
            self._next_job_id = FIRST_GENERATED_JOB_ID
            self._next_request = 0
            self._add(seed)

    def add(self, seed: SandboxSeed) -> None:
        """Add the accounts, actions, tokens and users of `seed`; the same ids are replaced, uploads stay.

        Raises ValueError for an id, a time zone or an action's type or category that Google could not have.
        """
        _check_seed(seed)
        with self.changing():
            self.note("seed", seed)
            self._add(seed)

    def _add(self, seed: SandboxSeed) -> None:
        self.customers.update({customer.customer_id: customer for customer in seed.customers})
        self.actions.update({action.action_id: action for action in seed.actions})
        self.tokens.update({token.token: token for token in seed.tokens})
        self.matched_users.update(user.lower() for user in seed.matched_users)

    def issue_token(self) -> str:
        """A fresh access token. It has no end on the sandbox's clock: clients renew by real time."""
        token = Token(token=f"sandbox-token-{secrets.token_hex(12)}")
        self.give_token(token)
        return token.token

    def give_token(self, token: Token) -> None:
        """Let a token be good that is taken back with the grant."""
        self.note("token", token)
        self.tokens[token.token] = token
        self._issued.add(token.token)

    def revoke_grant(self, *, revoked: bool) -> None:
        """Take the grant back (with every token given out under it), or give it again: new tokens are good then."""
        with self.changing():
            self.note("grant", revoked)
            self.grant_revoked = revoked
            if revoked:
                for token in self._issued:
                    self.tokens[token] = Token(token=token, status="REVOKED")

    def switch(self, switches: Switches) -> None:
        """Set every switch."""
        with self.changing():
            self.note("switches", switches)
            self.switches = switches

    def note_clock(self) -> None:
        """Have the journal know that somebody moved the clock."""
        with self.changing():
            self.note("clock", self.clock.standing())

    def set_counters(self, counters: Counters) -> None:
        """Go on counting from these."""
        self.requests, self.faults.fired = Counter(counters.requests), Counter(counters.faults_fired)

    def generated_job_id(self) -> int:
        """The next job id of Google's own making."""
        self._next_job_id += 1
        return self._next_job_id

    def new_request_id(self) -> str:
        """A request id, as the trailer of every answer has one."""
        with self.lock:
            self._next_request += 1
            return f"sandbox-{self._next_request:08d}-{secrets.token_hex(4)}"

    def local_time(self, customer: Customer, at: float) -> datetime:
        """The instant in the account's time zone."""
        return datetime.fromtimestamp(at, zones.zone(customer.time_zone))

    def known(self, action_id: str, order_id: str, via: str) -> Conversion | None:
        """The conversion that an API (google_ads or data_manager) knows under an order id."""
        if self.switches.order_ids_shared_between_apis:
            return self.by_order.get((action_id, order_id))
        return self.by_order_and_api.get((action_id, order_id, via))

    def remember(self, conversion: Conversion) -> None:
        """Record a conversion under its order id and its click."""
        self.note("conversion", conversion)
        self.conversions.append(conversion)
        if conversion.order_id is not None:
            self.by_order[conversion.action_id, conversion.order_id] = conversion
            self.by_order_and_api[conversion.action_id, conversion.order_id, conversion.via] = conversion
        if conversion.click_id is not None:
            key = (conversion.action_id, conversion.click_id, conversion.conversion_at)
            self.by_click_time[key] = (*self.by_click_time.get(key, ()), conversion)
            if conversion.counted and self.actions[conversion.action_id].counting_type == "ONE_PER_CLICK":
                self.clicks_counted.add((conversion.action_id, conversion.click_id))

    def set_value(self, conversion: Conversion, value: float, currency: str) -> None:
        """Overwrite the value of a conversion that has an order id."""
        self.note("value", (conversion.action_id, conversion.order_id, value, currency))
        conversion.value, conversion.currency = value, currency

    def record(self, batch: Batch) -> None:
        """Add what a request did to the diagnostics."""
        if self.journal is not None:
            self.note("batch", NotedBatch.of(batch))
        self._next_job_id = max(self._next_job_id, batch.job_id)
        self.diagnostics.record(batch)


def _check_seed(seed: SandboxSeed) -> None:
    for customer in seed.customers:
        _check_customer(customer)
    for action in seed.actions:
        _check_action(action)


def _check_customer(customer: Customer) -> None:
    if not is_customer_id(customer.customer_id):
        raise ValueError(f"customer_id {customer.customer_id!r} is not made of ten digits")
    if customer.time_zone not in zones.names():
        raise ValueError(f"time_zone {customer.time_zone!r} of customer {customer.customer_id} is no IANA time zone")


def _check_action(action: Action) -> None:
    if not action.action_id.isdecimal():
        raise ValueError(f"action_id {action.action_id!r} is not a number")
    enums = ads_enums()
    for field, table, name in (
        ("type", enums.action_type, action.type),
        ("category", enums.action_category, action.category),
    ):
        try:
            table.number(name)
        except LookupError as error:
            raise ValueError(f"{field} of conversion action {action.action_id}: {error}") from error
