"""What `custom-events doctor` looks at. Each check says what it found and, when something is wrong, what to do."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli import safety_checks
from cli.check import Check, State, failed
from custom_events import secrets
from custom_events.access import exposure, key_rotation
from custom_events.catalog import key_ring, signing
from custom_events.catalog.definitions import all_of
from custom_events.errors import CustomEventsError
from custom_events.matching.system import SYSTEM_DEFINITIONS
from custom_events.postgres import address, connect, migrate, partitions, pooling, roles, spans, zone_offsets
from custom_events.queries.orphans import orphans
from custom_events.queries.people import has_administrator
from custom_events.queries.sites import database_now
from custom_events.queries.zones import SERVER_DIFFERENCES, UNKNOWN_ZONES
from custom_events.settings import DEMO_FILE, Settings, variable_of
from custom_events.tables.registry import PARTITIONED, Partitioning
from custom_events.values import zones

if TYPE_CHECKING:
    import sqlalchemy as sa

LEAST_VERSION = 150_000  # PostgreSQL 15, as server_version_num says it
CLOCK_LIMIT = timedelta(seconds=5)  # a sixtieth of the window in which timestamped signatures are good
PARTITIONS_LEAST_DAYS = 7  # of room ahead; the schedule makes more every day
ORPHANS_NEWEST = 10_000  # rows of each table whose references are followed: a second on a busy machine
REACH_LIMIT_S = 5.0
ZONES_COMPARED = timedelta(days=400)  # back and ahead: a year with all its changes of clocks
GOOGLE_ADS = "googleads.googleapis.com:443"
DATA_MANAGER = "https://datamanager.googleapis.com:443"
KEY_FIELDS = ("client_email", "private_key", "token_uri")  # of a service account's key file


def examine(settings: Settings) -> Iterator[Check]:
    """Every check, in the order in which things are mended."""
    yield _settings(settings)
    yield _guarded("secret key", lambda: _key(settings))
    yield safety_checks.local_directory(settings)
    yield from safety_checks.transports(settings)
    yield safety_checks.logins(settings)
    yield _guarded("alarms", lambda: safety_checks.alarm_channels(settings))
    yield from _of_database(settings)
    for program, host, port, field in (
        ("the receiver", settings.receiver_host, settings.receiver_port, "receiver_port"),
        ("the console", settings.console_host, settings.console_port, "console_port"),
        ("Dagster", settings.dagster_host, settings.dagster_port, "dagster_port"),
    ):
        yield _port(program, host, port, field)
    yield _credentials(settings)
    worst = (
        State.WARNING if settings.google_json_key_file is None else State.FAILED
    )  # without a key nothing is sent yet
    yield _way("way to the Google Ads API", settings.google_ads_endpoint or GOOGLE_ADS, worst)
    yield _way("way to the Data Manager API", settings.data_manager_endpoint or DATA_MANAGER, worst)


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except CustomEventsError as error:
        return Check(name=name, state=State.FAILED, found="not usable", remedy=str(error))


def _settings(settings: Settings) -> Check:
    """They could be read, else we were not here; says which differ from the defaults, by name only."""
    named = ", ".join(sorted(variable_of(field) for field in settings.model_fields_set))
    state = f"set: {named}" if named else "all have their defaults"
    demo = settings.local_directory / DEMO_FILE
    if settings.database_url is None and demo.is_file():
        state += f"; a demo runs, and its stand-in for Google is used ({demo})"
    return Check(name="settings", state=State.OK, found=state)


def _key(settings: Settings) -> Check:
    """Nothing is made: whoever only looks has no key."""
    if not secrets.has_key(settings):
        if settings.database_url is not None:
            raise key_ring.unset()
        return Check(name="secret key", state=State.OK, found="none yet: the first start makes one")
    secrets.key(settings)
    place = "the setting" if settings.secret_key is not None else str(settings.local_directory / secrets.KEY_FILE)
    return Check(name="secret key", state=State.OK, found=f"a Fernet key, from {place}")


def _of_database(settings: Settings) -> Iterator[Check]:
    import psycopg
    from sqlalchemy.exc import SQLAlchemyError

    name = "database"
    try:
        with address.database(settings) as url:
            engine = connect.engine(url, name="custom-events doctor")
            try:
                sessions = _sessions(url)
                yield sessions
                if sessions.state is State.FAILED:
                    return  # what else is looked at here would be said of somebody else's session
                with engine.connect() as connection:
                    yield _version(connection, settings)
                    migrated = _migrations(migrate.current(url))
                    yield migrated
                    yield _clock(connection)
                    yield from safety_checks.replica_is_read(connection, settings)
                    if migrated.state is State.OK:
                        if settings.receiver_role:
                            yield _receiver_role(connection)
                        yield _partitions(connection)
                        yield _time_zones(connection)
                        yield _definitions(connection)
                        yield _administrator(connection, settings)
                        yield _references(connection)
                        yield safety_checks.shopify_app(connection, settings)
                        yield from _of_secrets(connection, settings)
                        yield safety_checks.consent(connection)
            finally:
                engine.dispose()
    except (SQLAlchemyError, psycopg.Error) as error:
        message = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        remedy = "Check DATABASE_URL and that the server runs and lets us in."
        yield Check(name=name, state=State.FAILED, found=message, remedy=remedy)
    except CustomEventsError as error:
        yield Check(name=name, state=State.FAILED, found="cannot be had", remedy=str(error))


def _of_secrets(connection: "sa.Connection", settings: Settings) -> Iterator[Check]:
    yield _guarded("site secrets", lambda: _site_secrets(connection, settings))
    if secrets.has_key(settings):
        yield _guarded("weak secrets", lambda: safety_checks.weak_secrets(connection, secrets.key(settings)))


def _sessions(url: str) -> Check:
    problem = pooling.problem(url)
    if problem is not None:
        return failed("sessions", problem)
    return Check(name="sessions", state=State.OK, found="each connection is one of its own, with our settings")


def _version(connection: "sa.Connection", settings: Settings) -> Check:
    kind = "embedded" if settings.database_url is None else "DATABASE_URL"
    number = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    version = f"PostgreSQL {number // 10_000}.{number % 10_000} ({kind})"
    if number < LEAST_VERSION:
        return Check(name="database", state=State.FAILED, found=version, remedy="PostgreSQL 15 or newer is needed.")
    return Check(name="database", state=State.OK, found=version)


def _migrations(current: str | None) -> Check:
    wanted = migrate.head()
    if current == wanted:
        return Check(name="migrations", state=State.OK, found=f"at {current}, the newest")
    state = f"at {current or 'nothing'}, this version needs {wanted}"
    return Check(name="migrations", state=State.FAILED, found=state, remedy="Run: custom-events migrate")


def _receiver_role(connection: "sa.Connection") -> Check:
    problem = roles.problem(connection)
    if problem is not None:
        return failed("receiver's role", problem)
    return Check(name="receiver's role", state=State.OK, found=f"{roles.RECEIVER} can land, and we may become it")


def _clock(connection: "sa.Connection") -> Check:
    before = datetime.now(UTC)
    apart = abs(database_now(connection) - before)
    distance = f"{apart.total_seconds():.1f} s apart from the database's"
    if apart > CLOCK_LIMIT:
        remedy = "Let both machines follow one time server: signatures with a time would be refused."
        return Check(name="clock", state=State.FAILED, found=distance, remedy=remedy)
    return Check(name="clock", state=State.OK, found=distance)


def _partitions(connection: "sa.Connection") -> Check:
    today = datetime.now(UTC).date()
    missing = [
        f"{kind.table.schema}.{partition.name}"
        for kind in PARTITIONED
        for partition in _not_there(connection, kind, today)
    ]
    if missing:
        remedy = "Run: custom-events migrate. Then see that Dagster's daemon runs: its schedule makes them every day."
        gap = f"{len(missing)} are missing for the next {PARTITIONS_LEAST_DAYS} days, {missing[0]} for example"
        return Check(name="partitions", state=State.FAILED, found=gap, remedy=remedy)
    return Check(name="partitions", state=State.OK, found=f"made for the next {PARTITIONS_LEAST_DAYS} days at least")


def _not_there(connection: "sa.Connection", kind: Partitioning, today: date) -> Iterator[spans.Partition]:
    there = partitions.existing(connection, kind)
    for partition in spans.wanted(kind, today, PARTITIONS_LEAST_DAYS):
        if partition.end > today and partition.name not in there:
            yield partition


def _time_zones(connection: "sa.Connection") -> Check:
    """Our offsets are those of our package; where the server's own copy differs is for those who ask it in queries of their own."""
    name, release = "time zones", zone_offsets.release_of(connection)
    if release is None or release < zones.RELEASE:
        state = f"the table of offsets is of release {release or 'none'}, our package of {zones.RELEASE}"
        return Check(name=name, state=State.FAILED, found=state, remedy="Run: custom-events migrate")
    unknown = list(connection.execute(UNKNOWN_ZONES).scalars())
    if unknown:
        state = f"sites or ads accounts have zones that nobody knows, and are in UTC: {', '.join(unknown)}"
        remedy = f"Give them IANA names, {zones.EXAMPLE} for example (`custom-events config`)."
        return Check(name=name, state=State.WARNING, found=state, remedy=remedy)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    span = {"since": now - ZONES_COMPARED, "until": now + ZONES_COMPARED}
    differences = [
        f"{row.zone} from {row.first_at:%Y-%m-%d}" if row.is_known else f"{row.zone} (not known there)"
        for row in connection.execute(SERVER_DIFFERENCES, span)
    ]
    state = f"release {release}, from the package tzdata, in Python and in SQL"
    if release > zones.RELEASE:
        state = f"SQL has release {release}, which a newer version of ours wrote; here the package tzdata has {zones.RELEASE}"
    if differences:
        state += (
            f". Queries of your own: the server's copy differs for {', '.join(differences)}; app.zone_offsets has ours"
        )
    return Check(name=name, state=State.OK, found=state)


def _definitions(connection: "sa.Connection") -> Check:
    missing = SYSTEM_DEFINITIONS.keys() - {definition.key for definition in all_of(connection)}
    if missing:
        state = f"missing: {', '.join(sorted(missing))}"
        return Check(name="system definitions", state=State.FAILED, found=state, remedy="Run: custom-events seed")
    return Check(name="system definitions", state=State.OK, found=f"all {len(SYSTEM_DEFINITIONS)} are there")


def _administrator(connection: "sa.Connection", settings: Settings) -> Check:
    name = "administrator"
    if problem := exposure.problem(connection, settings):
        return failed(name, problem)
    sentence = "there is one, at least"
    if not has_administrator(connection):
        sentence = "none yet, and nobody but this machine reaches the console (custom-events user add makes one)"
    return Check(name=name, state=State.OK, found=sentence)


def _references(connection: "sa.Connection") -> Check:
    missing = orphans(connection, newest=ORPHANS_NEWEST)
    if missing:
        named = ", ".join(f"{count} in {column}" for column, count in missing.items())
        remedy = "No program of ours deletes what others refer to: was something removed by hand, or restored in part?"
        return Check(name="references", state=State.FAILED, found=f"rows refer to nothing: {named}", remedy=remedy)
    return Check(
        name="references", state=State.OK, found=f"the last {ORPHANS_NEWEST:,} rows of each table refer to what exists"
    )


def _site_secrets(connection: "sa.Connection", settings: Settings) -> Check:
    if not secrets.has_key(settings):
        key_ring.verify(connection, settings)
        return Check(name="site secrets", state=State.OK, found="none is stored yet")
    key = secrets.key(settings)
    total, sites = signing.undecryptable(connection, key)
    if sites:
        named = ", ".join(map(str, sites[:10]))
        return Check(
            name="site secrets",
            state=State.FAILED,
            found=f"of {total}, those of {len(sites)} sites cannot be decrypted (site {named})",
            remedy=f"Set {variable_of('secret_key')} to the key they were encrypted with, or enter the secrets again.",
        )
    key_ring.verify(connection, settings)
    if old := key_rotation.outstanding(connection, key):
        state, remedy = f"{old} of {total} are encrypted by an older key", "Run: custom-events secrets rotate"
        return Check(name="site secrets", state=State.WARNING, found=state, remedy=remedy)
    rest = "; the older keys are not needed for them any more" if len(secrets.parts(key)) > 1 else ""
    return Check(name="site secrets", state=State.OK, found=f"all {total} can be decrypted{rest}")


def _port(program: str, host: str, port: int, field: str) -> Check:
    name = f"port of {program}"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError as error:
            state = f"{host}:{port} is in use or cannot be had ({error.strerror})"
            remedy = f"Fine while {program} runs. Else free it, or move ours: {variable_of(field)}"
            return Check(name=name, state=State.WARNING, found=state, remedy=remedy)
    return Check(name=name, state=State.OK, found=f"{host}:{port} is free")


def _credentials(settings: Settings) -> Check:
    name, variable, file = "Google's credentials", variable_of("google_json_key_file"), settings.google_json_key_file
    if file is None:
        remedy = f"Before anything is sent to Google: set {variable} to the key file of a service account."
        return Check(name=name, state=State.WARNING, found="no key file is set", remedy=remedy)
    try:
        document = json.loads(file.read_bytes())
        lacking = [field for field in KEY_FIELDS if not document.get(field)]
    except (OSError, ValueError, AttributeError) as error:
        state = f"{file} is not a readable key file ({type(error).__name__})"
        return Check(name=name, state=State.FAILED, found=state, remedy=f"Mend the file, or {variable}.")
    if lacking:
        state = f"{file} lacks {', '.join(lacking)}"
        return Check(name=name, state=State.FAILED, found=state, remedy="Download the service account's key again.")
    return Check(name=name, state=State.OK, found=f"service account {document['client_email']}")


def _way(name: str, endpoint: str, worst: State) -> Check:
    split = urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    host, port = split.hostname or "", split.port or (80 if split.scheme == "http" else 443)
    try:
        with socket.create_connection((host, port), timeout=REACH_LIMIT_S):
            return Check(name=name, state=State.OK, found=f"{host}:{port} answers")
    except OSError as error:
        remedy = "Let this machine reach it (firewall, proxy, DNS); until then uploads wait, nothing is lost."
        state = f"{host}:{port} cannot be reached ({error.strerror or type(error).__name__})"
        return Check(name=name, state=worst, found=state, remedy=remedy)
