"""Sites and their secrets, by the API of a server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from api_client import models
from api_client.api.site_secrets import add_secret, list_secrets, revoke_secret, rotate_secret
from api_client.api.sites import (
    create_site,
    list_last_deliveries,
    list_sites,
    pause_site,
    read_arrivals,
    read_instructions,
    read_site,
    remove_site,
    resume_site,
)
from cli.afar.server import PAGE, Server, as_type
from cli.nouns.sites import Added, SiteRow
from custom_events.catalog.connecting import Arrivals
from custom_events.catalog.signing import SiteSecret
from custom_events.errors import NeedsAction, NotFound
from custom_events.platforms.registry import PLATFORMS
from custom_events.values.numbers import MAX_ID
from custom_events.values.platforms import Platform

_SWITCHES: Final = {"pause": pause_site, "resume": resume_site, "remove": remove_site}


class RemoteSites:
    """By the API of a server."""

    def __init__(self, server: Server) -> None:
        self.server, self.client = server, server.client

    def add(self, fields: dict[str, Any]) -> Added:
        """A new site with its secret."""
        body = models.NewSite.from_dict({name: value for name, value in fields.items() if value is not None})
        made = self.server.asked(create_site.sync_detailed(client=self.client, body=body))
        instructions = self.server.asked(read_instructions.sync_detailed(made.id, client=self.client))
        secret: str | None = None
        if not PLATFORMS[Platform(made.platform)].makes_secret:
            new = models.NewSecret()
            secret = shown(self.server.asked(add_secret.sync_detailed(made.id, client=self.client, body=new)).secret)
        return Added(site=_row(made), lines=tuple(instructions.lines), secret=secret)

    def every(self) -> list[SiteRow]:
        """All of them, with their last deliveries."""
        answer = self.server.asked(list_last_deliveries.sync_detailed(client=self.client))
        last = {delivery.site_id: delivery.received_at for delivery in answer.items}
        return [_row(site, last.get(site.id)) for site in self._sites(sort="id")]

    def called(self, name: str) -> SiteRow:
        """The site of this name."""
        if name.isascii() and name.isdigit() and int(name) <= MAX_ID:
            answer = read_site.sync_detailed(int(name), client=self.client)
            if isinstance(answer.parsed, models.Site):
                return _row(answer.parsed)
        for site in self._sites(search=name):
            if name in (site.site_key, site.shop_domain):
                return _row(site)
        raise NotFound(
            f'There is no site "{name}" (an id, a key or a shop domain). `custom-events site list` shows them all.',
            what="site",
        )

    def switch(self, name: str, verb: str, reason: str) -> SiteRow:
        """Pause, resume or remove it."""
        site = self.called(name)
        body = models.Reason(reason=reason)
        return _row(self.server.asked(_SWITCHES[verb].sync_detailed(site.id, client=self.client, body=body)))

    def now(self) -> datetime:
        """By the server's clock, to the second."""
        answered = list_sites.sync_detailed(client=self.client, limit=1)
        self.server.asked(answered)
        said = answered.headers.get("date")
        return datetime.now(UTC) if said is None else parsedate_to_datetime(said)

    def arrivals(self, site: SiteRow, since: datetime) -> Arrivals:
        """What came to it since then."""
        return as_type(
            self.server.asked(read_arrivals.sync_detailed(site.id, client=self.client, since=since)), Arrivals
        )

    def _sites(self, **asked: Any) -> Iterator[models.Site]:
        after: str | None = None
        while True:
            page = self.server.asked(list_sites.sync_detailed(client=self.client, limit=PAGE, after=after, **asked))
            yield from page.items
            after = page.next_
            if after is None:
                return


class RemoteSecrets:
    """By the API of a server."""

    def __init__(self, server: Server) -> None:
        self.server, self.client, self.sites = server, server.client, RemoteSites(server)

    def add(self, name: str, value: str, key_id: str | None) -> tuple[int, int]:
        """One more secret: the site's id and the secret's."""
        site = self.sites.called(name)
        body = models.NewSecret(secret=value, key_id=key_id)
        return site.id, self.server.asked(add_secret.sync_detailed(site.id, client=self.client, body=body)).id

    def rotate(self, name: str, key_id: str | None) -> tuple[int, str]:
        """A new secret of ours in the place of the others: the site's id, and its value."""
        site = self.sites.called(name)
        body = models.Rotation(key_id=key_id)
        made = self.server.asked(rotate_secret.sync_detailed(site.id, client=self.client, body=body))
        return site.id, shown(made.secret)

    def of(self, name: str) -> list[SiteSecret]:
        """Those of a site that are good, without what they hold."""
        page = self.server.asked(list_secrets.sync_detailed(self.sites.called(name).id, client=self.client))
        return [as_type(secret, SiteSecret) for secret in page.items]

    def revoke(self, name: str, number: int) -> int:
        """Remove one at once: the site's id."""
        site = self.sites.called(name)
        self.server.done(revoke_secret.sync_detailed(site.id, number, client=self.client))
        return site.id


def shown(secret: str | None) -> str:
    """The secret that was made. Raises NeedsAction where the server shows none."""
    if secret is None:
        raise NeedsAction("The server made a secret and did not show it: rotate it.")
    return secret


def _row(site: models.Site, last: datetime | None = None) -> SiteRow:
    values = site.to_dict()
    active = values["state"] == "active"
    return msgspec.convert({**values, "is_active": active, "last_delivery_at": last}, SiteRow)
