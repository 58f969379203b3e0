"""Google's stand-in in the demo: its seed from our own ads accounts, its address for our processes, its clock."""

from pathlib import Path

import httpx
import msgspec
import sqlalchemy as sa

from custom_events import private_files
from custom_events.settings import DEMO_FILE, Settings, variable_of
from custom_events.tables.sites import ads_accounts, ads_actions
from sandbox.demo.ready import wait_until_ready
from sandbox.google_ads.certificates import TRUST_VARIABLE, ensure
from sandbox.google_ads.seed import Action, Customer, SandboxSeed
from sandbox.google_ads.service_account import write_service_account
from supervisor.processes import Program, Supervisor, python

VERDICT_AFTER_S = 1_860.0  # Google's verdict on a Data Manager request takes half an hour; the demo's clock jumps it
ASK_AFTER_S = 3.0  # instead of half an hour, since the clock is moved
SEED_FILE = "seed.json"
PORTS = ("receiver_port", "console_port", "dagster_port")


def directory(settings: Settings) -> Path:
    """Certificates, key file and seed."""
    return settings.local_directory.resolve() / "sandbox"


def write_seed(connection: sa.Connection, settings: Settings) -> Path:
    """The sandbox's seed: the accounts and actions that our assignments name. Returns the file."""
    account_of = {row.id: row for row in connection.execute(sa.select(ads_accounts)).all()}
    seed = SandboxSeed(
        customers=[
            Customer(
                customer_id=row.customer_id, name=row.name, currency=row.currency or "EUR", time_zone=row.time_zone
            )
            for row in account_of.values()
        ],
        actions=[
            Action(
                customer_id=account_of[row.ads_account_id].customer_id,
                action_id=row.action_id,
                name=row.name,
                click_through_lookback_window_days=row.click_window_days,
            )
            for row in connection.execute(sa.select(ads_actions)).all()
        ],
    )
    file = directory(settings) / SEED_FILE
    private_files.make_directory(file.parent)
    file.write_bytes(msgspec.json.encode(seed))
    return file


def google_program(settings: Settings, *, journal: Path | None = None) -> Program:
    """The sandbox's Google as a process; with a journal it may be killed, and knows what it acknowledged when it is started again."""
    home = directory(settings)
    arguments = [
        *("--directory", str(home)),
        *("--grpc-port", str(settings.sandbox_grpc_port)),
        *("--http-port", str(settings.sandbox_http_port)),
        *("--seed", str(home / SEED_FILE)),
        *(() if journal is None else ("--journal", str(journal))),
    ]
    return Program(
        name="google",
        arguments=python("sandbox.google_ads.server", *arguments),
        port=settings.sandbox_http_port,
        port_setting="CUSTOM_EVENTS_SANDBOX_HTTP_PORT",
    )


def google_environment(settings: Settings) -> dict[str, str]:
    """The variables that turn both lanes to the sandbox instead of Google."""
    home = directory(settings)
    private_files.make_directory(home)
    url = _url(settings)
    return {
        TRUST_VARIABLE: str(ensure(home).ca_file.resolve()),
        "GOOGLE_ADS_ENDPOINT": f"localhost:{settings.sandbox_grpc_port}",
        "GOOGLE_ADS_JSON_KEY_FILE_PATH": str(write_service_account(home, f"{url}/token").resolve()),
        "GOOGLE_ADS_USE_PROTO_PLUS": "False",
        "CUSTOM_EVENTS_DATA_MANAGER_ENDPOINT": url,
        "CUSTOM_EVENTS_UPLOAD_VERDICT_S": str(ASK_AFTER_S),
        "no_proxy": "localhost,127.0.0.1",
    }


def write_variables(settings: Settings) -> None:
    """Leave the variables where the command line looks for them, so that every verb finds the stand-in and the demo's ports. Nothing
    on a server of one's own: there every verb means Google."""
    if settings.database_url is not None:
        return
    ports = {variable_of(field): str(getattr(settings, field)) for field in PORTS}
    lines = [f"{name}='{value}'\n" for name, value in {**google_environment(settings), **ports}.items()]
    file = settings.local_directory / DEMO_FILE
    file.touch(mode=0o600)
    file.write_text("".join(lines))


def remove_variables(settings: Settings) -> None:
    """Nothing answers there any more."""
    (settings.local_directory / DEMO_FILE).unlink(missing_ok=True)


def wait_for_google(settings: Settings, supervisor: Supervisor) -> None:
    """Returns when the sandbox answers."""
    wait_until_ready(f"{_url(settings)}/control/health", supervisor)


def let_time_pass(settings: Settings, seconds: float = VERDICT_AFTER_S) -> None:
    """Moves the sandbox's clock, so that verdicts that take half an hour are there at once."""
    answer = httpx.post(f"{_url(settings)}/control/clock", json={"move_seconds": seconds}, timeout=5.0, trust_env=False)
    answer.raise_for_status()


def _url(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.sandbox_http_port}"
