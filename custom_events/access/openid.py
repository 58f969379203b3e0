"""Signing in by an OpenID provider: the person is whom the provider's name is linked to, at first the one with the verified e-mail address
as login. What follows is a session as a password begins it."""

import secrets as tokens
import time
from typing import Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events import secrets
from custom_events.access import people, sessions
from custom_events.access.openid_provider import Claims, Flow, Provider
from custom_events.access.people import Person
from custom_events.access.roles import Grant, Role
from custom_events.catalog import audit
from custom_events.errors import NeedsAction, NotAdmitted, NotFound
from custom_events.queries import openid_links as queries
from custom_events.settings import Settings, variable_of

FLOW_LIFETIME_S: Final = 600  # from leaving for the provider to coming back: a password and a second factor
TOKEN_BYTES: Final = 32

_LOG = structlog.get_logger(__name__)


def begin(provider: Provider, key: bytes) -> tuple[str, str]:
    """Where to send somebody who wants to sign in, and what their browser keeps until they are back. Raises what the provider does."""
    flow = Flow(
        state=tokens.token_urlsafe(TOKEN_BYTES),
        nonce=tokens.token_urlsafe(TOKEN_BYTES),
        verifier=tokens.token_urlsafe(TOKEN_BYTES),
        until_s=time.time() + FLOW_LIFETIME_S,
    )
    kept = secrets.encrypt(msgspec.json.encode(flow), key).decode()
    return provider.authorization_url(flow), kept


def resume(kept: str, state: str | None, key: bytes) -> Flow:
    """The sign-in that this browser has begun. Raises NotAdmitted for none, another one's, or one from long ago."""
    try:
        flow = msgspec.json.decode(secrets.decrypt(kept.encode(), key), type=Flow)
    except (NeedsAction, msgspec.DecodeError):
        raise NotAdmitted("This browser has begun no sign-in, or another one since: begin again.") from None
    if not tokens.compare_digest(flow.state.encode(), (state or "").encode("utf-8", "replace")):
        raise NotAdmitted("This is the end of another sign-in than the one this browser has begun: begin again.")
    if time.time() > flow.until_s:
        raise NotAdmitted(f"The sign-in took more than {FLOW_LIFETIME_S // 60} minutes: begin again.")
    return flow


def sign_in(
    connection: sa.Connection, claims: Claims, *, client_address: str, user_agent: str, settings: Settings
) -> str:
    """The token of a new session of whom the provider has named. Raises NotAdmitted with what to do when that is nobody here."""
    person_id = queries.person_of(connection, claims.issuer, claims.subject)
    person = _linked(connection, claims, settings) if person_id is None else people.get(connection, person_id)
    if person.disabled_at is not None:
        raise NotAdmitted("Whom the OpenID provider names may not sign in here any more: ask an administrator.")
    _take_role(connection, person, claims, settings)
    return sessions.begin(
        connection,
        person.id,
        person.login,
        by="openid",
        client_address=client_address,
        user_agent=user_agent,
        settings=settings,
    )


def unlink(connection: sa.Connection, person_id: int, *, actor: str) -> Person:
    """No provider signs in as this person, until a verified e-mail address links one again; their sessions go on. Raises NotFound."""
    person = people.get(connection, person_id, lock=True)
    links = queries.remove(connection, person_id)
    if links:
        before = {"links": [{"issuer": issuer, "subject": subject} for issuer, subject in links]}
        audit.record(
            connection,
            actor=actor,
            action="person.unlink",
            subject=f"person:{person.login}",
            before=before,
            after={"links": []},
        )
    return person


def _linked(connection: sa.Connection, claims: Claims, settings: Settings) -> Person:
    """Whoever has the verified e-mail address as login, linked from now on; or somebody new, where the settings say so."""
    if claims.email is None:
        raise NotAdmitted(
            "The OpenID provider names no e-mail address that it has verified, so nobody knows who you are here. Have it verified there."
        )
    person = _called(connection, claims.email)
    if person is None:
        role = _role(claims) or settings.openid_default_role
        if role is None:
            raise NotAdmitted(
                f"There is no person {claims.email} here. Ask an administrator: custom-events user add {claims.email} --role viewer"
            )
        person = people.add(
            connection,
            login=claims.email,
            display_name=claims.name or claims.email,
            grants=(Grant(role=Role(role)),),
            actor=claims.email,
        )
    if not queries.add(connection, issuer=claims.issuer, subject=claims.subject, person_id=person.id):
        raise NotAdmitted(
            f"The OpenID provider has another account with the address {claims.email}, and that one signs in as this person. If it has "
            f"become yours, ask an administrator: custom-events user unlink {claims.email}"
        )
    audit.record(
        connection,
        actor=person.login,
        action="person.link",
        subject=f"person:{person.login}",
        after={"issuer": claims.issuer, "subject": claims.subject},
    )
    return person


def _called(connection: sa.Connection, login: str) -> Person | None:
    try:
        return people.called(connection, login)
    except NotFound:
        return None


def _take_role(connection: sa.Connection, person: Person, claims: Claims, settings: Settings) -> None:
    """With a claim of roles the provider decides the role on all sites, at each sign-in; those on single sites stay."""
    if settings.openid_role_claim is None:
        return
    role = _role(claims) or settings.openid_default_role
    grants = tuple(grant for grant in person.grants if grant.site_id is not None)
    if role is not None:
        grants = (Grant(role=Role(role)), *grants)
    if set(grants) == set(person.grants):
        return
    try:
        people.change(connection, person.id, grants=grants, actor=f"{variable_of('openid_role_claim')}")
    except NeedsAction as error:  # the last administrator: nobody could mend it any more
        _LOG.warning("role_of_provider_not_taken", person=person.id, why=str(error))


def _role(claims: Claims) -> Role | None:
    """The greatest role that the provider names."""
    named = [Role(role) for role in claims.roles if role in set(Role)]
    return max(named, key=lambda role: role.rank, default=None)
