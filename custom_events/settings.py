"""Every setting of every process, read from the environment (prefix `CUSTOM_EVENTS_`) and `.env`.

`DATABASE_URL` and the variables of the Google client keep their usual names. `settings()` is cached: tests that change
the environment call `settings.cache_clear()`.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticUseDefault
from pydantic_settings import BaseSettings, SettingsConfigDict

_HERE = ("localhost", "127.0.0.1", "::1")
DEMO_FILE = (
    "demo.env"  # in the local directory while a demo runs on its embedded server: where its stand-in for Google is
)


class Settings(BaseSettings):
    """One class for all processes; each field has a type, a unit in its name where it has one, a default and a sentence."""

    model_config = SettingsConfigDict(
        env_prefix="CUSTOM_EVENTS_", env_file=".env", extra="ignore", populate_by_name=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _empty(cls, value: Any, info: ValidationInfo) -> Any:
        """An empty variable counts as unset, as `VARIABLE=` in a compose file means it; of a setting that may be missing, as none."""
        if not isinstance(value, str) or value.strip():
            return value
        if type(None) in get_args(cls.model_fields[str(info.field_name)].annotation):
            return None
        raise PydanticUseDefault

    @field_validator("data_manager_endpoint", "google_ads_endpoint")
    @classmethod
    def _encrypted(cls, value: str | None) -> str | None:
        """What goes to Google is customers' data: in clear to this machine alone, where the sandbox is."""
        if value is not None and value.startswith("http://") and urlsplit(value).hostname not in _HERE:
            raise ValueError(
                "http goes to this machine alone (the sandbox): write https://, or leave it unset for Google's own"
            )
        return value

    # ---------------------------------------------------------------- where things are
    local_directory: Path = Field(
        Path(".local"), description="Embedded server, certificates, logs and figures live here."
    )
    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL 15 or newer (postgresql://user:password@host:port/name). Unset: the embedded server.",
    )
    receiver_database_url: SecretStr | None = Field(
        None,
        description="Address with the receiver's own login, which `custom-events up` gives it in place of DATABASE_URL (`custom-events roles` makes logins). Unset: DATABASE_URL.",
    )
    console_database_url: SecretStr | None = Field(None, description="The same for the console. Unset: DATABASE_URL.")
    pipeline_database_url: SecretStr | None = Field(
        None, description="The same for Dagster and what it runs. Unset: DATABASE_URL."
    )
    reporting_database_url: SecretStr | None = Field(
        None, description="The same for dbt, which builds the reports. Unset: that of the pipeline, else DATABASE_URL."
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Fernet key (44 characters) that encrypts site secrets at rest; old ones after it, separated by commas, still decrypt. Unset: one is made in `local_directory`.",
    )

    # ---------------------------------------------------------------- addresses
    receiver_host: str = Field("127.0.0.1", description="Address the receiver listens on.")
    receiver_port: int = Field(8000, ge=0, le=65_535, description="TCP port of the receiver.")
    receiver_url: str | None = Field(
        None,
        description="Where stores reach the receiver (https://events.example); the addresses shown for stores begin with it. Unset: http with the receiver's host and port.",
    )
    console_host: str = Field("127.0.0.1", description="Address the console's server listens on.")
    console_port: int = Field(8080, ge=0, le=65_535, description="TCP port of the console's server.")
    dagster_host: str = Field("127.0.0.1", description="Address Dagster's webserver listens on.")
    dagster_port: int = Field(3000, ge=0, le=65_535, description="TCP port of Dagster's webserver.")
    dagster_token: SecretStr | None = Field(
        None,
        description="What whoever opens Dagster's page must have; the console leads administrators there with it. Unset: `custom-events up` makes one at each start.",
    )
    dagster_url: str | None = Field(
        None, description="Where people's browsers reach Dagster's page. Unset: http with Dagster's host and port."
    )
    dagster_changes: bool = Field(
        False,
        description="Dagster's page may start and stop runs and sensors; false: it only shows them.",
    )
    dagster_exposed: bool = Field(
        False,
        description="Dagster's page may listen on an address that others reach, with its token and without TLS; false: on this machine alone.",
    )
    sandbox_grpc_port: int = Field(
        50551, ge=0, le=65_535, description="TCP port of the sandbox's Google, gRPC with TLS."
    )
    sandbox_http_port: int = Field(
        50552, ge=0, le=65_535, description="TCP port of the sandbox's Google: REST, token endpoint, control."
    )

    # ---------------------------------------------------------------- receiver
    receiver_figures_port: int | None = Field(
        8001,
        ge=0,
        le=65_535,
        description="TCP port, on this machine alone (`receiver_figures_host`), at which the receiver's /metrics answers; empty: nowhere. Never the public one.",
    )
    receiver_figures_host: str = Field(
        "127.0.0.1", description="Address of that port, for a scraper on another machine."
    )
    receiver_connections: int = Field(
        4_096,
        ge=1,
        description="Connections that a receiver process holds at once; a further one is closed when it comes.",
    )
    receiver_workers: int = Field(
        1, ge=1, description="Receiver processes; one for each one or two cores (docs/reference/performance.md 2)."
    )
    body_limit_bytes: int = Field(
        2 * 1024 * 1024, description="Largest webhook body in bytes; above it the answer is 413."
    )
    queue_limit: int = Field(
        2048, ge=1, description="Requests that may wait for the writer, per process; above it 503."
    )
    group_limit: int = Field(256, ge=1, description="Most deliveries committed in one transaction.")
    retry_after_s: int = Field(5, ge=1, description="Seconds named in Retry-After when the answer is 503.")
    replay_window_s: int = Field(300, ge=1, description="Seconds a timestamped signature (our own scheme) stays valid.")
    site_cache_s: float = Field(
        5.0, ge=0, description="Seconds that site keys and secrets are kept in a receiver's memory."
    )
    quarantine_bodies_per_day: int = Field(
        10_000, ge=0, description="Refused deliveries kept with their body, per day; the rest is counted."
    )

    collect_per_client: int = Field(
        60,
        ge=0,
        description="Beacons of browsers (POST /collect) a minute from one network address, per receiver process; 0: none are taken.",
    )
    collect_per_site: int = Field(
        6_000,
        ge=0,
        description="Beacons of browsers a minute for one site, per receiver process; more are answered 429.",
    )

    receiver_role: bool = Field(
        True,
        description="The receiver gives up its login's rights for those of its own role; false where that role cannot be made.",
    )

    # ---------------------------------------------------------------- console
    console_body_limit_bytes: int = Field(
        1024 * 1024, ge=1, description="Largest body of a request to the API in bytes; above it the answer is 413."
    )
    console_body_limit_s: float = Field(
        20.0, gt=0, description="Seconds within which a body must have come; else the answer is 408."
    )

    api_limit_window_s: int = Field(
        60, ge=1, description="Seconds in which requests to the API and for pages are counted, from the first one on."
    )
    api_requests_per_caller: int = Field(
        6_000,
        ge=1,
        description="Requests within that time by one API key or one session; more of them are answered 429. Counted by the console's process.",
    )
    api_requests_per_address: int = Field(
        1_200,
        ge=1,
        description="Requests within that time from one network address (IPv6: one /64) by nobody who is signed in; more of them are answered 429. Behind a proxy see `login_attempts_per_address`.",
    )

    console_figures_open: bool | None = Field(
        None,
        description="The console's /metrics and /api/v1/status answer without a login. Unset: only while `console_host` and `console_url` are of this machine; else they need the role viewer of all sites.",
    )
    operations_at_once: int = Field(
        1,
        ge=0,
        description="Long operations (backtests, replays, exports, large bulk changes) that a console process does at the same time, beside answering; 0: it does none, and another one has to.",
    )
    operation_events_s: float = Field(
        300.0,
        gt=0,
        description="Seconds after which a stream of an operation's progress ends; browsers ask again by themselves.",
    )
    session_lifetime_h: float = Field(
        168.0, gt=0, description="Hours after which somebody must sign in again, however busy they were."
    )
    session_idle_h: float = Field(12.0, gt=0, description="Hours without a request after which a session ends.")
    login_window_s: int = Field(900, ge=1, description="Seconds that an attempt to sign in which failed counts.")
    login_attempts_per_login: int = Field(
        10, ge=1, description="Attempts within that time for one login; more of them are answered 429."
    )
    login_attempts_per_address: int = Field(
        100,
        ge=1,
        description="Attempts within that time from one network address; more of them are answered 429. Behind a proxy the address is that of X-Forwarded-For, if the proxy is on this machine or named in uvicorn's FORWARDED_ALLOW_IPS.",
    )

    openid_issuer: str | None = Field(
        None,
        description="OpenID provider by which people may sign in, exactly as it calls itself (https://login.example). It has to know `console_url` with /api/v1/sessions/openid/callback behind it as redirect address, and send a verified e-mail address. Unset: by password only.",
    )
    openid_client_id: str | None = Field(None, description="What that provider calls this installation.")
    openid_client_secret: SecretStr | None = Field(
        None, description="Its secret, where the provider asks for one beside PKCE."
    )
    openid_default_role: Literal["viewer", "editor", "publisher", "administrator"] | None = Field(
        None,
        description="Role on all sites of whoever signs in by the provider and is not known here: they are made. Unset: they are refused, until `custom-events user add` makes them.",
    )
    openid_role_claim: str | None = Field(
        None,
        description="Claim in which the provider names roles (viewer, editor, publisher, administrator; the greatest counts): at each sign-in it decides the role on all sites. Unset: roles are given here.",
    )
    openid_timeout_s: float = Field(10.0, gt=0, description="Seconds for one answer of the provider.")

    # ---------------------------------------------------------------- Shopify app
    shopify_client_id: str | None = Field(
        None, description="Client id of the Shopify app, from its page in Shopify's Dev Dashboard. Unset: no app."
    )
    shopify_client_secret: SecretStr | None = Field(
        None, description="The app's client secret, which signs its webhooks, install links and session tokens."
    )
    shopify_url: str | None = Field(
        None,
        description="Stands in for Shopify in demo and tests: each shop is a path below it (http://127.0.0.1:8090). Unset: https and the shop's own host.",
    )
    shopify_webhooks_per_shop: bool = Field(
        True,
        description="Webhooks are registered in each shop that has the app, and watched. false: they stand in the app's own settings (plugins/shopify/shopify.app.all-topics.toml), and none is registered beside them.",
    )
    shopify_timeout_s: float = Field(20.0, gt=0, description="Seconds for one answer of Shopify.")

    # ---------------------------------------------------------------- configuration
    publish_needs_second_person: bool = Field(
        False,
        description="A revision is published by somebody else than who drafted it; to pause or to retire needs nobody else.",
    )

    # ---------------------------------------------------------------- retention
    raw_retention_days: int = Field(
        90, ge=1, description="Days that raw events (bodies) are kept before their partition is dropped."
    )
    quarantine_retention_days: int = Field(14, ge=1, description="Days that refused deliveries are kept.")
    customer_retention_days: int = Field(
        760, ge=91, description="Days after which a customer of whom nothing was heard is forgotten."
    )
    ledger_identifiers_days: int = Field(
        120,
        ge=91,
        description="Days after a conversion for which click ids and hashes stay in its settled row (Google takes clicks for 90 days, adjustments for 54).",
    )
    event_retention_days: int = Field(760, ge=1, description="Days that commerce events and custom events are kept.")
    dagster_retention_days: int = Field(
        14, ge=1, description="Days that Dagster's finished runs are kept with their events and logs (26 kB each)."
    )
    partitions_ahead_days: int = Field(45, ge=1, description="Days ahead for which partitions are made.")

    # ---------------------------------------------------------------- stores' own APIs
    store_api_private: bool = Field(
        False,
        description="Orders may be read from stores at private addresses and by http: for the sandbox. False: by https from public ones alone.",
    )

    # ---------------------------------------------------------------- pipeline
    batch_size: int = Field(5_000, ge=1, description="Raw events in one transaction (1,000 to 25,000 measured alike).")
    shards: int = Field(16, ge=1, description="Shards that sites are spread over; one worker holds a shard at a time.")
    drain_idle_s: float = Field(20.0, ge=0, description="Seconds without work after which a draining run ends.")
    drain_limit_s: float = Field(
        600.0, ge=1, description="Longest life of a draining run in seconds; then it hands over."
    )
    drain_poll_s: float = Field(0.5, gt=0, description="Seconds between looks for new work while a run drains.")

    # ---------------------------------------------------------------- uploads
    upload_batch_size: int = Field(
        2_000, ge=1, le=2_000, description="Rows in one request to Google (its own limit is 2,000)."
    )
    upload_timeout_s: float = Field(
        60.0, gt=0, description="Deadline of one call to Google in seconds; the client has none of its own."
    )
    upload_lease_s: float = Field(
        300.0, gt=0, description="Seconds a claimed row stays with its worker before others may resolve it."
    )
    upload_verdict_s: float = Field(
        1_800.0,
        gt=0,
        description="Seconds before the Data Manager API is first asked for its verdict (Google: 30 minutes).",
    )
    google_ads_operations_per_day: int | None = Field(
        2_880,
        ge=1,
        description="Calls in 24 hours to the Google Ads API that the Cloud project may make, one a request whatever it holds (Explorer 2,880, Basic 15,000; empty: no limit).",
    )
    google_ads_operations_per_minute: int = Field(
        1_200,
        ge=2,
        description="Calls a minute to the Google Ads API, all accounts together (Google names no figure; its answers slow us down as well).",
    )
    data_manager_requests_per_day: int | None = Field(
        100_000,
        ge=1,
        description="Calls in 24 hours to the Data Manager API that the Cloud project may make (empty: no limit).",
    )
    data_manager_requests_per_minute: int = Field(
        300, ge=2, description="Calls a minute to the Data Manager API that the Cloud project may make."
    )
    upload_account_calls_per_minute: int = Field(
        240, ge=2, description="Calls a minute for one ads account on either lane (Google names no figure)."
    )
    upload_live_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of minute and day that is kept for today's conversions while those of the past (a replay, an import) are sent.",
    )
    retract_cancelled_after_h: float = Field(
        24.0,
        ge=0,
        description="Hours after an order's cancellation before its conversion is retracted over the Google Ads API, which takes no retraction back; 0: at once.",
    )
    retract_deleted_after_h: float = Field(
        24.0, ge=0, description="Hours after an order was trashed or deleted before the same is done."
    )
    retract_payment_lost_after_h: float = Field(
        72.0,
        ge=0,
        description="Hours after a payment failed, was voided or disputed before the same is done (the site's `payment_lost` says whether).",
    )
    google_ads_endpoint: str | None = Field(
        None,
        validation_alias="GOOGLE_ADS_ENDPOINT",
        description="host:port of the Google Ads API; the sandbox's in demo and tests.",
    )
    data_manager_endpoint: str | None = Field(
        None, description="Address of the Data Manager API; http://... selects its REST transport."
    )
    data_manager_zero_value: bool = Field(
        True,
        description="The Data Manager API takes a conversion back by the value 0; false: such rows are withheld instead.",
    )
    google_json_key_file: Path | None = Field(
        None,
        validation_alias="GOOGLE_ADS_JSON_KEY_FILE_PATH",
        description="Service account key for both lanes to Google.",
    )

    # ---------------------------------------------------------------- where reports go
    report_folder: Path | None = Field(
        None,
        description="Folder below which files of reports are delivered, where a target is a folder. Unset: `delivered-reports` in `local_directory`.",
    )
    report_private_addresses: bool = Field(
        False,
        description="Reports may be delivered to addresses of this machine and of private networks (webhooks, storage), there also by http; false: only to public ones, by https.",
    )
    report_smtp_url: SecretStr | None = Field(
        None,
        description="Mail server of reports, written as `alarm_smtp_url`; unencrypted only on this machine. Unset: that of alarms.",
    )
    report_email_from: str | None = Field(
        None, description="Sender of reports by e-mail. Unset: that of alarms, else their first receiver."
    )
    report_email_domains: str | None = Field(
        None,
        description="Domains whose addresses reports may be mailed to, separated by commas (example.org, example.com). Unset: any.",
    )
    report_email_limit_bytes: int = Field(
        7_000_000,
        ge=1,
        description="Largest file that is attached to an e-mail, in bytes (most servers take mails of 10 MB, and a file grows by a third); above it the mail says where the file is.",
    )
    report_webhook_limit_bytes: int = Field(
        25_000_000,
        ge=1,
        description="Largest file that is posted to a webhook, in bytes; above it the delivery fails and says so.",
    )
    report_delivery_timeout_s: float = Field(
        30.0,
        gt=0,
        description="Seconds that a mail server, a webhook or storage may be silent before a delivery is tried again later.",
    )

    # ---------------------------------------------------------------- alarms
    console_url: str = Field(
        "http://127.0.0.1:8080",
        description="Where people open the console; alarms link to it. A path in it (https://example.org/custom-events) is the prefix below which a proxy shows the console, whether the proxy leaves that in the paths it asks for or takes it away.",
    )
    alarm_email_to: str | None = Field(None, description="E-mail addresses that alarms go to, separated by commas.")
    alarm_email_from: str | None = Field(None, description="Sender of those e-mails. Unset: the first receiver.")
    alarm_smtp_url: SecretStr | None = Field(
        None,
        description="Mail server: smtps://user:password@host:port, smtp+starttls://...; smtp://localhost for a server on this machine, unencrypted.",
    )
    alarm_slack_url: SecretStr | None = Field(None, description="Address of a Slack incoming webhook.")
    alarm_teams_url: SecretStr | None = Field(
        None, description="Address of a Teams workflow that takes an incoming webhook."
    )

    # ---------------------------------------------------------------- reports
    report_lease_s: float = Field(
        300.0,
        gt=0,
        description="Seconds a run of a report stays with a worker that says nothing before another takes it up.",
    )
    report_rows_limit: int = Field(
        2_000_000, ge=1, description="Most rows of a report's file; one that would have more fails and says so."
    )
    report_bytes_limit: int = Field(
        1024 * 1024 * 1024,
        ge=1,
        description="Largest file of a report in bytes; one that would be larger fails and says so.",
    )
    report_retention_days: int = Field(
        30,
        ge=1,
        description="Days that files of reports are kept in `local_directory`, unless their schedule says otherwise.",
    )
    report_log_days: int = Field(
        400,
        ge=1,
        description="Days that runs of reports stay in the log with their digest; those with a file stay until it is removed.",
    )
    reporting_currency: str = Field(
        "EUR",
        pattern="^[A-Z]{3}$",
        description="ISO 4217 code of the currency that reports add amounts up in; others by the rates that `custom-events rates load` has loaded. The first build after a change computes everything anew.",
    )
    exchange_rate_days: int = Field(
        7,
        ge=0,
        le=31,
        description="Days after its own for which an exchange rate holds where no newer one was loaded (weekends, holidays).",
    )

    report_threads: int = Field(
        1,
        ge=1,
        le=32,
        description="Tables that a build of the reports computes at once; each takes a processor of the database from the batches of the pipeline.",
    )

    # ---------------------------------------------------------------- traces
    traces_endpoint: str | None = Field(
        None,
        description="Where the console sends traces of its requests: OTLP over HTTP, http://collector:4318/v1/traces. Unset: nowhere.",
    )
    traces_share: float = Field(
        1.0, ge=0, le=1, description="Share of requests that are traced, where whoever asks has not decided it."
    )

    # ---------------------------------------------------------------- logging
    log_level: str = Field("INFO", description="Least severe level that is logged.")
    log_json: bool = Field(True, description="One JSON object a line; false: for people.")


def variable_of(field: str) -> str:
    """The environment variable of a field (or of an alias, which is the variable itself)."""
    known = Settings.model_fields.get(field)
    if known is None:
        return field
    alias = known.validation_alias
    return alias if isinstance(alias, str) else f"{Settings.model_config.get('env_prefix', '')}{field}".upper()


def as_variables(settings: Settings) -> dict[str, str]:
    """The variables that make `Settings()` read what was set explicitly in `settings`, whether by a variable or in .env."""
    variables: dict[str, str] = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        text = "" if value is None else str(value)  # set and empty, which counts as none
        variables[variable_of(name)] = value.get_secret_value() if isinstance(value, SecretStr) else text
    return variables


DOTENV = "CUSTOM_EVENTS_DOTENV"  # empty: no .env is read; the supervisor sets it, and hands a program what it needs


@cache
def settings() -> Settings:
    """The process's settings, read once."""
    if os.environ.get(DOTENV) == "":
        return Settings(_env_file=None)  # pyright: ignore[reportCallIssue]
    return Settings()  # pyright: ignore[reportCallIssue]  (fields come from the environment)
