"""What is on its way to Google, and what a person can do about it."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

import msgspec
import sqlalchemy as sa

from cli.session import connected, prepared, server
from custom_events.catalog import sites
from custom_events.destinations.findings import Finding
from custom_events.destinations.registry import destinations
from custom_events.ledger import operator_actions
from custom_events.ledger.overview import AccountOverview, overview, without_account
from custom_events.ledger.probe import probe_account
from custom_events.settings import Settings


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """Every account, and the rows of which nothing says where they go, by state."""

    items: tuple[AccountOverview, ...]
    conversions_without_account: Mapping[str, int]
    adjustments_without_account: Mapping[str, int]


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What Google said that an account allows. `fine`: nothing keeps conversions from being sent."""

    fine: bool
    findings: tuple[Finding, ...]


class Uploads(Protocol):
    """What verbs ask of the ledger, for an account by its customer id. `order_id` and `site` (an id, a key or a shop domain) narrow it;
    what is unknown raises an error that names it."""

    def standings(self) -> Standings: ...
    def probe(self, customer_id: str) -> Probed: ...
    def release_account(self, customer_id: str) -> None: ...
    def release_action(self, customer_id: str, action_id: str) -> None: ...
    def release_rows(self, customer_id: str, reason: str | None, order_id: str | None, site: str | None) -> int: ...
    def hold_account(self, customer_id: str, why: str) -> None: ...
    def hold_action(self, customer_id: str, action_id: str, why: str) -> None: ...
    def hold_rows(self, customer_id: str, why: str, order_id: str | None, site: str | None) -> int: ...
    def withhold_rows(
        self, customer_id: str, why: str, *, order_id: str | None, action_id: str | None, site: str | None
    ) -> int: ...
    def retry(self, customer_id: str, reason: str | None, order_id: str | None) -> int: ...


class LocalUploads:
    """By the services, on the database beside us; all of one verb in one transaction."""

    def __init__(self, engine: sa.Engine, connection: sa.Connection, settings: Settings, author: str) -> None:
        self.engine, self.connection, self.settings, self.author = engine, connection, settings, author
        self.now = datetime.now(UTC)

    def standings(self) -> Standings:
        """What there is."""
        conversions, adjustments = without_account(self.connection)
        return Standings(
            items=tuple(overview(self.connection, self.now)),
            conversions_without_account=conversions,
            adjustments_without_account=adjustments,
        )

    def probe(self, customer_id: str) -> Probed:
        """Ask Google."""
        probed = probe_account(self.engine, destinations(self.settings), self.settings, customer_id, self.now)
        return Probed(fine=probed.fine, findings=probed.findings)

    def release_account(self, customer_id: str) -> None:
        """The account and its parts go on."""
        operator_actions.release_account(self.connection, self._account(customer_id), self.now, actor=self.author)

    def release_action(self, customer_id: str, action_id: str) -> None:
        """One conversion action goes on."""
        account = self._account(customer_id)
        operator_actions.release_action(self.connection, account, action_id, self.now, actor=self.author)

    def release_rows(self, customer_id: str, reason: str | None, order_id: str | None, site: str | None) -> int:
        """Held rows go now; how many."""
        return operator_actions.release_held(
            self.connection,
            self._account(customer_id),
            self.now,
            reason,
            actor=self.author,
            order_id=order_id,
            site_key=self._site_key(site),
        )

    def hold_account(self, customer_id: str, why: str) -> None:
        """Nothing is sent for the account."""
        operator_actions.hold_account(self.connection, self._account(customer_id), why, actor=self.author, now=self.now)

    def hold_action(self, customer_id: str, action_id: str, why: str) -> None:
        """Nothing is sent for one conversion action."""
        operator_actions.hold_action(
            self.connection, self._account(customer_id), action_id, why, actor=self.author, now=self.now
        )

    def hold_rows(self, customer_id: str, why: str, order_id: str | None, site: str | None) -> int:
        """What waits now is held; how many rows."""
        return operator_actions.hold_rows(
            self.connection,
            self._account(customer_id),
            why,
            actor=self.author,
            now=self.now,
            order_id=order_id,
            site_key=self._site_key(site),
        )

    def withhold_rows(
        self, customer_id: str, why: str, *, order_id: str | None, action_id: str | None, site: str | None
    ) -> int:
        """What waits now is never sent; how many rows."""
        return operator_actions.withhold_rows(
            self.connection,
            self._account(customer_id),
            why,
            actor=self.author,
            now=self.now,
            order_id=order_id,
            action_id=action_id,
            site_key=self._site_key(site),
        )

    def retry(self, customer_id: str, reason: str | None, order_id: str | None) -> int:
        """Refused rows go once more; how many."""
        return operator_actions.retry_refused(
            self.connection,
            self._account(customer_id),
            actor=self.author,
            now=self.now,
            reason=reason,
            order_id=order_id,
        )

    def _account(self, customer_id: str) -> int:
        return operator_actions.account_id_of(self.connection, customer_id)

    def _site_key(self, name: str | None) -> str | None:
        return None if name is None else sites.called(self.connection, name).site_key


@contextmanager
def opened(author: str = "") -> Generator[Uploads]:
    """Where --server says, else beside the database."""
    if (asked := server()) is not None:
        from cli.afar.uploads import RemoteUploads

        yield RemoteUploads(asked)
        return
    settings = prepared()
    with connected(settings) as engine, engine.begin() as connection:
        yield LocalUploads(engine, connection, settings, author)
