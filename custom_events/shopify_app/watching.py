"""Looks at every shop that has our app: tokens, scopes, webhooks, pixel. What is missing is registered again, what a person must do is kept as a
problem of the installation, which alarms and pages show."""

from typing import Final

import msgspec
import sqlalchemy as sa
import structlog

from custom_events.catalog import audit, connecting, sites
from custom_events.catalog.sites import Site
from custom_events.errors import CustomEventsError, NeedsAction, Transient
from custom_events.platforms.shopify.admin_api import AdminApi
from custom_events.platforms.shopify.admin_queries import API_VERSION, INSTALLATION
from custom_events.platforms.shopify.app_topics import missing_scopes, topics_with
from custom_events.queries import shopify_app as sql
from custom_events.settings import Settings
from custom_events.shopify_app import installation, tokens
from custom_events.shopify_app.asking import with_api
from custom_events.shopify_app.installation import Installation, Problem, Registered
from custom_events.shopify_app.registering import PIXEL_SCOPES, Registrations, Repaired, register
from custom_events.shopify_app.token_endpoint import GrantRefused

COLLECT_PATH: Final = "/collect"  # of the receiver: where the pixel posts what it knows

TOKEN_REFUSED: Final = "token_refused"  # noqa: S105  (words, as alarms name them)
TOKEN_NEVER_EXPIRES: Final = "token_never_expires"  # noqa: S105
UNINSTALLED: Final = "uninstalled"
SCOPES_MISSING: Final = "scopes_missing"
NOT_REGISTERED: Final = "not_registered"
REGISTERED_AGAIN: Final = "registered_again"
NOT_REACHED: Final = "not_reached"

_LOG: Final = structlog.get_logger(__name__)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at one shop found and did."""

    shop: str
    repaired: Repaired
    problems: tuple[Problem, ...]


class _Inspection(msgspec.Struct, frozen=True, kw_only=True):
    scopes: tuple[str, ...]
    registrations: Registrations
    repaired: Repaired


def watch_all(engine: sa.Engine, settings: Settings, *, actor: str) -> list[Look]:
    """Every shop in which the app is installed; one that cannot be looked at keeps no other from its turn: a fault of ours is raised when all
    have had theirs."""
    with engine.connect() as connection:
        installed = [entry for entry in installation.everything(connection) if entry.is_installed]
    looks: list[Look] = []
    faults: list[Exception] = []
    for entry in installed:
        try:
            looks.append(watch(engine, settings, entry.site_id, actor=actor))
        except Exception as fault:  # noqa: BLE001  (raised below)
            _LOG.error("shopify_shop_not_watched", shop=entry.shop, cause=type(fault).__name__)
            faults.append(fault)
    if faults:
        raise ExceptionGroup("Some shops were not looked at", faults)
    return looks


def watch(engine: sa.Engine, settings: Settings, site_id: int, *, actor: str) -> Look:
    """Look at one shop. Raises NotFound for a site without an installation; whatever else goes wrong is a problem of it."""
    with engine.connect() as connection:
        before = installation.get(connection, site_id)
        site = sites.get(connection, site_id)
    problems = [] if not before.never_expires else _migrated(engine, settings, before)
    try:
        inspection = with_api(engine, settings, site_id, lambda api: _inspect(api, settings, site))
    except CustomEventsError as error:
        problems.append(_problem_of(error))
        return _keep_problems(engine, before, problems)
    return _keep(engine, before, inspection, problems, actor)


def registrations_of(settings: Settings, site: Site, scopes: tuple[str, ...]) -> Registrations:
    """What is to be registered in the shop of a site that has given these scopes."""
    uri = connecting.address(settings, site)
    base = uri.partition("/webhooks/")[0]
    pixel = {"siteKey": site.site_key, "collectUrl": f"{base}{COLLECT_PATH}"}
    return Registrations(
        uri=uri,
        topics=topics_with(scopes) if settings.shopify_webhooks_per_shop else (),
        pixel=pixel if scopes and set(scopes) >= PIXEL_SCOPES else None,
    )


def _inspect(api: AdminApi, settings: Settings, site: Site) -> _Inspection:
    """What the shop allows, and what had to be registered. May be begun again."""
    answer = api.ask(INSTALLATION)
    scopes = tuple(sorted(scope["handle"] for scope in answer["currentAppInstallation"]["accessScopes"]))
    registrations = registrations_of(settings, site, scopes)
    return _Inspection(scopes=scopes, registrations=registrations, repaired=register(api, registrations))


def _migrated(engine: sa.Engine, settings: Settings, before: Installation) -> list[Problem]:
    """Exchange a token that never expires. What is left to do where Shopify does not give another."""
    try:
        tokens.migrate(engine, settings, before.site_id)
    except (NeedsAction, Transient) as error:
        sentence = f"Shopify takes its token no more from {tokens.LASTING_ENDS} on, and gave no other for it: {error}"
        return [Problem(TOKEN_NEVER_EXPIRES, sentence)]
    _LOG.info("shopify_token_exchanged", shop=before.shop)
    return []


def _keep(
    engine: sa.Engine, before: Installation, inspection: _Inspection, problems: list[Problem], actor: str
) -> Look:
    lacking = missing_scopes(inspection.scopes)
    if lacking:
        sentence = f"The shop does not let the app {', '.join(lacking)}: the owner has to open the app and agree"
        problems.append(Problem(SCOPES_MISSING, sentence))
    if before.watched_at is not None and not inspection.repaired.is_nothing:
        problems.append(
            Problem(REGISTERED_AGAIN, f"Not there, or changed, since the last look: {_words(inspection.repaired)}")
        )
    registered = Registered(
        webhooks=inspection.registrations.topics,
        pixel=inspection.registrations.pixel is not None,
        by_app=not inspection.registrations.topics,
    )
    with engine.begin() as connection:
        values = {
            "site": before.site_id,
            "scopes": list(inspection.scopes),
            "registered": msgspec.json.encode(registered).decode(),
            "problems": msgspec.json.encode(problems).decode(),
            "version": API_VERSION,
        }
        connection.execute(sql.WATCHED, values)
        if not inspection.repaired.is_nothing:
            audit.record(
                connection,
                actor=actor,
                action="shopify_app.register",
                subject=f"site:{before.site_id}",
                detail=msgspec.to_builtins(inspection.repaired),
                site_id=before.site_id,
            )
    return Look(shop=before.shop, repaired=inspection.repaired, problems=tuple(problems))


def _keep_problems(engine: sa.Engine, before: Installation, problems: list[Problem]) -> Look:
    with engine.begin() as connection:
        values = {"site": before.site_id, "problems": msgspec.json.encode(problems).decode()}
        connection.execute(sql.NOT_WATCHED, values)
    _LOG.warning("shopify_shop_not_watched", shop=before.shop, problems=[problem.what for problem in problems])
    return Look(shop=before.shop, repaired=Repaired(), problems=tuple(problems))


def _problem_of(error: CustomEventsError) -> Problem:
    if isinstance(error, GrantRefused):
        return Problem(TOKEN_REFUSED, str(error))
    return Problem(NOT_REACHED if isinstance(error, Transient) else NOT_REGISTERED, str(error))


def _words(repaired: Repaired) -> str:
    parts = [*repaired.made, *repaired.changed, *(f"{topic} (one too many)" for topic in repaired.removed)]
    return ", ".join([*parts, *(["the pixel"] if repaired.pixel else [])])
