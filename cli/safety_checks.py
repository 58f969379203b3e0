"""Of what `custom-events doctor` looks at, what keeps an installation safe: who may read what, by which way, and what customers are taken to have agreed to."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import SecretStr

from cli.check import Check, State, failed
from custom_events import private_files, secrets
from custom_events.access import exposure
from custom_events.catalog import consent_policies, signing
from custom_events.errors import CustomEventsError
from custom_events.postgres import address, replica
from custom_events.settings import Settings, variable_of
from custom_events.shopify_app import installation
from custom_events.shopify_app.app_settings import app_of
from custom_events.values.hosts import is_local
from custom_events.watching.channels import channels

if TYPE_CHECKING:
    import sqlalchemy as sa


def local_directory(settings: Settings) -> Check:
    """Whether other accounts of this machine may read it."""
    name, directory = "local directory", settings.local_directory
    open_ones = [path for path in (directory, directory / secrets.KEY_FILE) if private_files.is_open_to_others(path)]
    if open_ones:
        state = f"other accounts of this machine may read {', '.join(map(str, open_ones))}"
        return Check(name=name, state=State.WARNING, found=state, remedy=f"Run: chmod -R go-rw {directory}")
    return Check(name=name, state=State.OK, found=f"{directory} is this account's alone")


def transports(settings: Settings) -> Iterator[Check]:
    """The way to each database that an address of ours names."""
    for field in (name for name in Settings.model_fields if name.endswith("database_url") or name == "replica_url"):
        url: SecretStr | None = getattr(settings, field)
        if url is None:
            continue
        name = f"transport of {variable_of(field)}"
        try:
            problem = address.transport_problem(url.get_secret_value())
        except CustomEventsError as error:
            yield Check(name=name, state=State.FAILED, found="cannot be read", remedy=str(error))
            continue
        if problem is None:
            yield Check(name=name, state=State.OK, found="verified, or on this machine")
        else:
            yield failed(name, problem)


def replica_is_read(connection: "sa.Connection", settings: Settings) -> Iterator[Check]:
    """Whether the replica is read, where there is one."""
    state = replica.look(connection, settings)
    if state is None:
        return
    if state.problem is None:
        yield Check(name="replica", state=State.OK, found=f"{state.behind_s:.1f} s behind")
        return
    remedy = "Until it is mended all is read from the primary; docs/how-to/read-from-a-replica.md says what to look at."
    yield Check(name="replica", state=State.WARNING, found=f"not read: {state.problem}", remedy=remedy)


def logins(settings: Settings) -> Check:
    """Whether each program has a login of its own where others reach us. Beside the embedded server logins separate nothing (decision 57)."""
    name, fields = "logins", ("receiver_database_url", "console_database_url", "pipeline_database_url")
    shared = [variable_of(field) for field in fields if getattr(settings, field) is None]
    if settings.database_url is None or not shared:
        whose = "the embedded server's" if settings.database_url is None else "each program has its own"
        return Check(name=name, state=State.OK, found=whose)
    if not (exposure.is_public(settings) or settings.receiver_url or not is_local(settings.receiver_host)):
        return Check(name=name, state=State.OK, found="that of DATABASE_URL for all programs; nobody else reaches them")
    remedy = f"Run: custom-events roles. It makes the values of {', '.join(shared)}."
    return Check(
        name=name, state=State.WARNING, found="others reach a program that has the owner's login", remedy=remedy
    )


def alarm_channels(settings: Settings) -> Check:
    """By which channels alarms are sent. Raises InvalidConfiguration for an address that cannot be used."""
    named = ", ".join(channel.name for channel in channels(settings))
    return Check(name="alarms", state=State.OK, found=f"sent by {named}" if named else "sent to nobody")


def weak_secrets(connection: "sa.Connection", key: bytes) -> Check:
    """Signing secrets that whoever sees one delivery could guess."""
    if sites := signing.weak(connection, key):
        named = ", ".join(map(str, sites[:10]))
        remedy = "Whoever sees one delivery can guess them, and then sign others: custom-events site secret rotate makes a strong one."
        return Check(
            name="weak secrets", state=State.WARNING, found=f"{len(sites)} sites have one (site {named})", remedy=remedy
        )
    return Check(name="weak secrets", state=State.OK, found="none")


def consent(connection: "sa.Connection") -> Check:
    """What each consent policy means, for whom."""
    policies = "; ".join(consent_policies.sentences(connection)) or "no assignment is active"
    if granting := consent_policies.granting_sites(connection):
        remedy = f"Only right where the shop asks everybody before: else set consent_default of {', '.join(granting[:10])} to unknown."
        return Check(name="consent", state=State.WARNING, found=policies, remedy=remedy)
    return Check(name="consent", state=State.OK, found=policies)


def shopify_app(connection: "sa.Connection", settings: Settings) -> Check:
    """Whether the app has what it needs, and what is wrong in the shops that have it."""
    name = "Shopify app"
    if settings.shopify_client_id is None and settings.shopify_client_secret is None:
        return Check(name=name, state=State.OK, found="none is set up")
    try:
        app_of(settings)
    except CustomEventsError as error:
        return Check(name=name, state=State.FAILED, found="half set up", remedy=str(error))
    for field, url in (("receiver_url", settings.receiver_url or ""), ("console_url", settings.console_url)):
        if not url.startswith("https://"):
            remedy = f"Set {variable_of(field)} to the https address at which others reach it."
            return Check(
                name=name, state=State.WARNING, found=f"Shopify cannot reach {url or 'the receiver'}", remedy=remedy
            )
    installed = [shop for shop in installation.everything(connection) if shop.is_installed]
    troubled = [
        f"{shop.shop} ({', '.join(problem.what for problem in shop.problems)})" for shop in installed if shop.problems
    ]
    if troubled:
        remedy = "custom-events shopify status says what to do."
        return Check(name=name, state=State.WARNING, found=f"needs somebody in {', '.join(troubled)}", remedy=remedy)
    return Check(name=name, state=State.OK, found=f"installed in {len(installed)} shops")
