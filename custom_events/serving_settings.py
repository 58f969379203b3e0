"""Settings of what serves stores and people: where things are, addresses, the receiver, the console, the app in shops."""

from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticUseDefault
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServingSettings(BaseSettings):
    """The first half of `Settings`."""

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
    replica_url: SecretStr | None = Field(
        None,
        description="A streaming standby of the database (postgresql://host:port, with user and name of the database where they are not those of DATABASE_URL) that console, exports and report files read from while it is near enough. Unset: all is read from the primary.",
    )
    replica_lag_limit_s: float = Field(
        30.0,
        gt=0,
        description="Seconds that the replica may be behind; beyond them all is read from the primary, and an alarm says so.",
    )
    secret_key: SecretStr | None = Field(
        None,
        description="Fernet key (44 characters) that encrypts site secrets at rest; old ones after it, separated by commas, still decrypt. Unset: the key file in `local_directory`; `custom-events up` makes it beside the embedded server alone.",
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
        description="Key by which the console signs tickets that open Dagster's page for administrators; programs send it as a bearer. Unset: `custom-events up` makes one at each start.",
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
        description="Dagster's page may listen on an address that others reach, without TLS; false: on this machine alone.",
    )
    dagster_code_server: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]+:[0-9]{1,5}$",
        description="host:port of Dagster's code server, where its programs run in containers of their own. Unset: a socket in `local_directory`.",
    )
    dagster_run_launcher: Path | None = Field(
        None,
        description="YAML file with Dagster's `run_launcher`, such as that of Kubernetes. Unset: runs are processes beside the code server.",
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
        description="Beacons of browsers (POST /collect) a minute from one network address, per receiver process; 0: none are taken. Behind a proxy the address is that of X-Forwarded-For, if the proxy is on this machine or named in FORWARDED_ALLOW_IPS.",
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
    password_sign_in: bool = Field(
        True,
        description="People may sign in by a password; false: by the OpenID provider alone, so that its second factor is always asked for.",
    )

    @field_validator("password_sign_in")
    @classmethod
    def _some_way_in(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and info.data.get("openid_issuer") is None:
            raise ValueError("nobody could sign in: set CUSTOM_EVENTS_OPENID_ISSUER before, or leave this true")
        return value

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
