"""The product's processes, as `custom-events up` and the demo start them: which, with which arguments and environment."""

import secrets
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from pydantic import SecretStr

from custom_events.errors import InvalidConfiguration
from custom_events.settings import Settings, as_variables, variable_of
from custom_events.values.hosts import is_local
from orchestration import dbt_project, instance
from supervisor import environments
from supervisor.processes import Program, python

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  (in a container, whose network decides who reaches it)
TOKEN_BYTES = 24  # of chance
ROOT = Path(__file__).parents[1]
CODE_SERVER, WEBSERVER, DAEMON = "dagster-code", "dagster-web", "dagster-daemon"


def receiver(settings: Settings) -> Program:
    """The public webhook receiver."""
    return Program(
        name="receiver",
        arguments=python("ingest_api.serve"),
        port=settings.receiver_port,
        port_setting="CUSTOM_EVENTS_RECEIVER_PORT",
        health=f"http://{_reachable(settings.receiver_host)}:{settings.receiver_port}/healthz",
        restrict=_restricted(environments.receiver_variables(), settings.receiver_database_url),
    )


def console(settings: Settings) -> Program:
    """The console's server: its pages and the JSON API."""
    return Program(
        name="console",
        arguments=python("console.serve"),
        port=settings.console_port,
        port_setting="CUSTOM_EVENTS_CONSOLE_PORT",
        health=f"http://{_reachable(settings.console_host)}:{settings.console_port}/healthz",
        restrict=_restricted(environments.console_variables(settings), settings.console_database_url, "GOOGLE_"),
    )


def product(settings: Settings) -> list[Program]:
    """All of them, in the order in which they are started."""
    return [receiver(settings), console(settings), *dagster(settings)]


def check_exposure(settings: Settings) -> None:
    """Raise InvalidConfiguration when Dagster's page, which has no TLS, would listen where others reach it, unless that is set."""
    if not settings.dagster_exposed and not is_local(settings.dagster_host):
        raise InvalidConfiguration(
            f"Dagster's page has no TLS, and {settings.dagster_host} is reached by others. Use 127.0.0.1 and a tunnel or a proxy with TLS "
            "(CUSTOM_EVENTS_DAGSTER_URL), or set CUSTOM_EVENTS_DAGSTER_EXPOSED=true",
            path="CUSTOM_EVENTS_DAGSTER_HOST",
        )


def dagster(settings: Settings) -> list[Program]:
    """Dagster: one code server, and the webserver and the daemon that ask it. Also dbt's manifest, which it reads.

    `dagster dev` would do the same with two processes more, and starts a code server again that nobody misses when it dies.
    Raises NeedsAction where this installation has no models of dbt, and when dbt cannot read them.
    """
    dbt_project.parse_if_needed(dbt_project.prepare(settings))
    socket, served, asked = _code_server(settings)
    working = ROOT if dbt_project.is_checkout() else instance.home(settings).resolve()
    code_server = [
        *("api", "grpc", "--module-name", "orchestration.definitions", "--working-directory", str(working)),
        *(*served, "--use-python-environment-entry-point", "--log-level", "warning"),
    ]
    webserver = [
        *(*asked, "--host", settings.dagster_host, "--port", str(settings.dagster_port)),
        *("--log-level", "warning", "--dagster-log-level", "warning"),
        *(() if settings.dagster_changes else ("--read-only",)),
    ]
    daemon = ["run", *asked, "--log-level", "warning"]
    restrict = _restricted(
        environments.pipeline_variables(),
        settings.pipeline_database_url,
        "DAGSTER_",
        "CUSTOM_EVENTS_DAGSTER_",
        "CUSTOM_EVENTS_DBT_",
        "GOOGLE_",
        "PG",
    )
    return [
        Program(name=CODE_SERVER, arguments=python("dagster", *code_server), unlink=socket, restrict=restrict),
        Program(
            name=WEBSERVER,
            arguments=python("orchestration.dagster_webserver_guarded", *webserver),
            port=settings.dagster_port,
            port_setting="CUSTOM_EVENTS_DAGSTER_PORT",
            health=f"http://{_reachable(settings.dagster_host)}:{settings.dagster_port}/server_info",
            restrict=restrict,
        ),
        Program(name=DAEMON, arguments=python("dagster._daemon", *daemon), restrict=restrict),
    ]


def _code_server(settings: Settings) -> tuple[Path | None, tuple[str, ...], tuple[str, ...]]:
    """Where Dagster's code server is: its socket if it has one, the arguments by which it listens, and those by which others ask it."""
    if settings.dagster_code_server is None:
        socket = instance.code_server_socket(settings)
        return socket, ("--socket", str(socket)), ("--grpc-socket", str(socket))
    host, _, port = settings.dagster_code_server.rpartition(":")
    return None, ("--host", EVERY_ADDRESS, "--port", port), ("--grpc-host", host, "--grpc-port", port)


def dagster_token(settings: Settings) -> str:
    """By what the console's tickets for Dagster's page are signed: the setting's, else one of this process's own."""
    return _made_token() if settings.dagster_token is None else settings.dagster_token.get_secret_value()


@cache
def _made_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def _restricted(
    variables: frozenset[str], own: SecretStr | None, *beginnings: str
) -> Callable[[Mapping[str, str]], dict[str, str]]:
    def restrict(environment: Mapping[str, str]) -> dict[str, str]:
        restricted = environments.restricted(environment, variables, *beginnings)
        return {**restricted, "DATABASE_URL": environments.login(own, restricted["DATABASE_URL"])}

    return restrict


def _reachable(host: str) -> str:
    """An address of this machine at which a server that listens on `host` answers."""
    if host in ("0.0.0.0", ""):  # noqa: S104  (compared, not listened on)
        return "127.0.0.1"
    return "[::1]" if host == "::" else f"[{host}]" if ":" in host else host


def search_path() -> dict[str, str]:
    """The variable by which a checkout's modules are found; an installed wheel needs none."""
    return {"PYTHONPATH": str(ROOT)} if dbt_project.is_checkout() else {}


def environment(settings: Settings, url: str) -> dict[str, str]:
    """What processes are told: what is set, the one database, Dagster's home, dbt's connection. Each program then gets its own part."""
    pipeline = environments.login(settings.pipeline_database_url, url)
    return {
        **as_variables(settings),
        "DATABASE_URL": url,
        variable_of("dagster_token"): dagster_token(settings),
        **search_path(),
        "CUSTOM_EVENTS_LOCAL_DIRECTORY": str(settings.local_directory.resolve()),
        **instance.prepare(
            instance.home(settings), pipeline, settings.dagster_run_launcher, settings.dagster_retention_days
        ),
        **dbt_project.environment(environments.login(settings.reporting_database_url, pipeline)),
    }


def addresses(settings: Settings) -> dict[str, str]:
    """What to open in a browser or post to."""
    return {
        "Webhooks": f"http://{settings.receiver_host}:{settings.receiver_port}/webhooks/...",
        "Console": f"http://{settings.console_host}:{settings.console_port}",
        "Console API": f"http://{settings.console_host}:{settings.console_port}/docs",
        "Dagster": f"http://{settings.dagster_host}:{settings.dagster_port}",
    }
