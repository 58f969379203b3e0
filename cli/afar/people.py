"""People who sign in, and API keys, by the API of a server."""

from datetime import datetime
from typing import Any

import msgspec

from api_client import models
from api_client.api.api_keys import list_api_keys, make_api_key, revoke_api_key
from api_client.api.people import (
    change_person,
    create_person,
    disable_person,
    enable_person,
    list_people,
    set_password,
    unlink_person,
)
from cli.afar.server import ANY_STATE, PAGE, Server, as_type
from cli.afar.sites import RemoteSites
from cli.roles import grants_of
from custom_events.access.api_keys import ApiKey
from custom_events.access.people import Person
from custom_events.errors import NotFound


class RemotePeople:
    """The functions of `cli.nouns.people.People`."""

    def __init__(self, server: Server) -> None:
        self.server, self.client, self.sites = server, server.client, RemoteSites(server)

    def add(self, login: str, roles: tuple[str, ...], name: str, password: str) -> Person:
        """Somebody who signs in."""
        fields = {"login": login, "display_name": name, "grants": self._grants(roles), "password": password}
        body = models.NewPerson.from_dict(fields)
        return as_type(self.server.asked(create_person.sync_detailed(client=self.client, body=body)), Person)

    def every(self) -> list[Person]:
        """Everybody, by login."""
        return self._people()

    def give(self, login: str, roles: tuple[str, ...]) -> Person:
        """These roles in the place of all they had."""
        body = models.PersonChanges.from_dict({"grants": self._grants(roles)})
        answer = change_person.sync_detailed(self._called(login).id, client=self.client, body=body, if_match=ANY_STATE)
        return as_type(self.server.asked(answer), Person)

    def set_password(self, login: str, password: str) -> Person:
        """A new password; ends the sessions."""
        person = self._called(login)
        body = models.NewPassword(password=password)
        self.server.done(set_password.sync_detailed(person.id, client=self.client, body=body))
        return person

    def switch(self, login: str, *, enabled: bool) -> Person:
        """Let them sign in, or not."""
        change = enable_person if enabled else disable_person
        return as_type(self.server.asked(change.sync_detailed(self._called(login).id, client=self.client)), Person)

    def unlink(self, login: str) -> Person:
        """No account of the OpenID provider signs in as them."""
        answer = unlink_person.sync_detailed(self._called(login).id, client=self.client)
        return as_type(self.server.asked(answer), Person)

    def make_key(
        self, name: str, roles: tuple[str, ...], owner: str | None, expires_at: datetime | None
    ) -> tuple[ApiKey, str]:
        """A new key, and what it is."""
        person = None if owner is None else self._called(owner).id
        ends = None if expires_at is None else expires_at.isoformat()
        fields = {"name": name, "grants": self._grants(roles), "person_id": person, "expires_at": ends}
        body = models.NewApiKey.from_dict(fields)
        made = self.server.asked(make_api_key.sync_detailed(client=self.client, body=body))
        return as_type(made.api_key, ApiKey), made.key

    def keys(self) -> list[ApiKey]:
        """All of them, the oldest first."""
        keys: list[ApiKey] = []
        after: str | None = None
        while True:
            page = self.server.asked(list_api_keys.sync_detailed(client=self.client, limit=PAGE, after=after))
            keys += [as_type(key, ApiKey) for key in page.items]
            if (after := page.next_) is None:
                return keys

    def revoke_key(self, prefix: str) -> ApiKey:
        """The key that begins so is good no longer."""
        for key in self.keys():
            if key.prefix == prefix:
                return as_type(self.server.asked(revoke_api_key.sync_detailed(key.id, client=self.client)), ApiKey)
        raise NotFound(f'There is no API key "{prefix}".', what="API key")

    def _called(self, login: str) -> Person:
        wanted = login.strip().lower()
        for person in self._people(wanted):
            if person.login == wanted:
                return person
        raise NotFound(f'There is no person "{login}": `custom-events user list` shows them.', what="person")

    def _people(self, search: str | None = None) -> list[Person]:
        people: list[Person] = []
        after: str | None = None
        while True:
            page = self.server.asked(
                list_people.sync_detailed(client=self.client, limit=PAGE, after=after, search=search)
            )
            people += [as_type(person, Person) for person in page.items]
            if (after := page.next_) is None:
                return people

    def _grants(self, roles: tuple[str, ...]) -> list[dict[str, Any]]:
        grants: list[dict[str, Any]] = msgspec.to_builtins(grants_of(lambda name: self.sites.called(name).id, roles))
        return grants
