"""What files are brought to: a web server that answers as it is asked to, a mail server, storage; and a file."""

import contextlib
import email
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from moto.server import ThreadedMotoServer

from custom_events.report_delivery.targets import DeliveryMessage
from custom_events.report_files.table import WrittenFile
from custom_events.report_files.writing import write
from custom_events.settings import Settings
from sandbox.google_ads import certificates
from tests.report_files.tables import plain_rows, table

MESSAGE = DeliveryMessage(
    report="Sales by site",
    period="2026-11-01 to 2026-11-29",
    key="report-7:2026-11-29",
    zone="Europe/Berlin",
    title="Sales by site",
)
NAME = "Sales-by-site_2026-11-01-to-2026-11-29_e5e4e241.csv"


@pytest.fixture
def file(tmp_path: Path) -> WrittenFile:
    """A file of thirty rows."""
    return write(table(plain_rows(30)), "csv", tmp_path / "written" / "sales.csv")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that permit this machine as a target."""
    return Settings(
        local_directory=tmp_path / "local",
        report_private_addresses=True,
        report_delivery_timeout_s=20.0,
        report_email_from="reports@shop.example",
    )


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture(scope="session")
def server_certificates(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificates:
    """A server's certificate for localhost, and the authority that signed it."""
    return certificates.ensure(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls(server_certificates: certificates.Certificates) -> ssl.SSLContext:
    """What a server with that certificate needs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_certificates.certificate_file, server_certificates.key_file)
    return context


@pytest.fixture
def trusted(server_certificates: certificates.Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine trusts that authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server_certificates.ca_file))


class Hook:
    """A web server that keeps what is posted. `answers`: what the next requests are answered (200 after them)."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                hook.headers.append({name.lower(): value for name, value in self.headers.items()})
                status, headers = hook.answers.pop(0) if hook.answers else (200, {})
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]


@contextlib.contextmanager
def serving(hook: Hook) -> Iterator[Hook]:
    """The server, answering."""
    thread = threading.Thread(target=hook.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hook
    finally:
        hook.server.shutdown()
        hook.server.server_close()
        thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A web server without encryption."""
    with serving(Hook()) as served:
        yield served


class Mailbox:
    """A mail server's ear. `answer`: of what is sent; `refused`: receivers that it does not know."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.receivers: list[list[str]] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.was_encrypted: list[bool] = []
        self.answer = "250 OK"
        self.refused: dict[str, str] = {}

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("2"):
            content = envelope.original_content or b""
            parsed = email.message_from_bytes(content, policy=default)
            assert isinstance(parsed, EmailMessage)
            self.mails.append(parsed)
            self.receivers.append(envelope.rcpt_tos)
            self.was_encrypted.append(session.ssl is not None)
        return self.answer

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"pass@word", handled=False)


@contextlib.contextmanager
def mail_server(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    """A mail server; its port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=60.0, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """Storage that speaks S3; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def bucket(storage: str, request: pytest.FixtureRequest) -> Any:
    """A bucket of that storage, for this test alone."""
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    resource: Any = session.resource("s3", endpoint_url=storage)
    made = resource.create_bucket(Bucket=f"reports-{zlib.crc32(request.node.nodeid.encode())}")
    yield made
    made.objects.all().delete()
    made.delete()
