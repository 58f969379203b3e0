"""What is on its way to Google, by the API of a server."""

from typing import Any

from api_client import models
from api_client.api.ads_accounts import (
    hold_ads_account,
    hold_uploads_of_account,
    list_standings,
    probe_ads_account,
    release_ads_account,
    release_uploads_of_account,
    retry_uploads_of_account,
    withhold_uploads_of_account,
)
from api_client.api.ads_actions import hold_ads_action, release_ads_action
from cli.afar.server import Server, as_type
from cli.afar.sites import RemoteSites
from cli.nouns.uploads import Probed, Standings


class RemoteUploads:
    """The functions of `cli.nouns.uploads.Uploads`."""

    def __init__(self, server: Server) -> None:
        self.server, self.client, self.sites = server, server.client, RemoteSites(server)

    def standings(self) -> Standings:
        """What there is."""
        return as_type(self.server.asked(list_standings.sync_detailed(client=self.client)), Standings)

    def probe(self, customer_id: str) -> Probed:
        """Ask Google."""
        return as_type(self.server.asked(probe_ads_account.sync_detailed(customer_id, client=self.client)), Probed)

    def release_account(self, customer_id: str) -> None:
        """The account and its parts go on."""
        self.server.asked(release_ads_account.sync_detailed(customer_id, client=self.client))

    def release_action(self, customer_id: str, action_id: str) -> None:
        """One conversion action goes on."""
        self.server.asked(release_ads_action.sync_detailed(customer_id, action_id, client=self.client))

    def release_rows(self, customer_id: str, reason: str | None, order_id: str | None, site: str | None) -> int:
        """Held rows go now; how many."""
        body = models.HeldRows.from_dict(self._chosen(reason=reason, order_id=order_id, site=site))
        answer = release_uploads_of_account.sync_detailed(customer_id, client=self.client, body=body)
        return self.server.asked(answer).rows

    def hold_account(self, customer_id: str, why: str) -> None:
        """Nothing is sent for the account."""
        self.server.asked(hold_ads_account.sync_detailed(customer_id, client=self.client, body=models.Hold(why=why)))

    def hold_action(self, customer_id: str, action_id: str, why: str) -> None:
        """Nothing is sent for one conversion action."""
        body = models.Hold(why=why)
        self.server.asked(hold_ads_action.sync_detailed(customer_id, action_id, client=self.client, body=body))

    def hold_rows(self, customer_id: str, why: str, order_id: str | None, site: str | None) -> int:
        """What waits now is held; how many rows."""
        body = models.RowsToHold.from_dict({"why": why, **self._chosen(order_id=order_id, site=site)})
        answer = hold_uploads_of_account.sync_detailed(customer_id, client=self.client, body=body)
        return self.server.asked(answer).rows

    def withhold_rows(
        self, customer_id: str, why: str, *, order_id: str | None, action_id: str | None, site: str | None
    ) -> int:
        """What waits now is never sent; how many rows."""
        chosen = self._chosen(order_id=order_id, action_id=action_id, site=site)
        body = models.WithheldRows.from_dict({"why": why, **chosen})
        answer = withhold_uploads_of_account.sync_detailed(customer_id, client=self.client, body=body)
        return self.server.asked(answer).rows

    def retry(self, customer_id: str, reason: str | None, order_id: str | None) -> int:
        """Refused rows go once more; how many."""
        body = models.Chosen.from_dict(self._chosen(reason=reason, order_id=order_id))
        answer = retry_uploads_of_account.sync_detailed(customer_id, client=self.client, body=body)
        return self.server.asked(answer).rows

    def _chosen(self, *, site: str | None = None, **filters: str | None) -> dict[str, Any]:
        chosen: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
        return chosen if site is None else {**chosen, "site_id": self.sites.called(site).id}
