"""The ways to people: e-mail, Slack, Teams. Addresses with secrets in them never reach a log or an error."""

import json
import smtplib
import urllib.error
import urllib.request
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any, Final, Protocol
from urllib.parse import SplitResult, urlsplit

from custom_events.errors import InvalidConfiguration, Transient
from custom_events.report_delivery.mail_server import connected, server_of
from custom_events.settings import Settings, variable_of
from custom_events.values.hosts import is_local
from custom_events.watching.messages import Message

TIMEOUT_S: Final = 10.0  # a channel that takes longer is tried again at the next look


class Channel(Protocol):
    """One way to tell people."""

    @property
    def name(self) -> str:
        """A stable word: what was told is remembered under it."""
        ...

    def send(self, message: Message) -> None:
        """Send it now. Raises Transient, without the address, when that did not work."""
        ...


class Email:
    """Plain text over SMTP; encrypted by `smtp+starttls://` or `smtps://`, with the certificate checked."""

    name = "email"

    def __init__(self, server: SplitResult, sender: str, receivers: tuple[str, ...]) -> None:
        self._server = server
        self._sender = sender
        self._receivers = receivers

    def send(self, message: Message) -> None:
        """See `Channel.send`."""
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = message.title, self._sender, ", ".join(self._receivers)
        mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="custom-events.invalid")
        mail.set_content(message.text)
        try:
            with connected(self._server, TIMEOUT_S) as connection:
                connection.send_message(mail)
        except (OSError, smtplib.SMTPException) as error:
            raise Transient(f"the mail server did not take the message ({type(error).__name__})") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An alarm goes to the address of the setting and to no other: an answer that leads elsewhere is a failure."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        """Nowhere: the answer is an error, as any other code above 299."""


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


class Webhook:
    """An incoming webhook that takes JSON by POST."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self._address = address

    def send(self, message: Message) -> None:
        """See `Channel.send`."""
        body = json.dumps(_slack(message) if self.name == "slack" else _teams(message)).encode()
        request = urllib.request.Request(  # noqa: S310  (the scheme is checked where the channel is made)
            self._address, body, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            raise Transient(f"{self.name} answered {error.code}") from None
        except OSError as error:
            raise Transient(f"{self.name} did not take the message ({type(error).__name__})") from None


def _slack(message: Message) -> dict[str, Any]:
    """Slack reads `text` as its own markup: three characters have to be written out."""
    text = f"{message.title}\n{message.text}"
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def _teams(message: Message) -> dict[str, Any]:
    """An adaptive card, which the workflows that replaced Teams' connectors take."""
    paragraphs = [{"type": "TextBlock", "text": line, "wrap": True} for line in message.lines if line]
    title = {"type": "TextBlock", "text": message.title, "weight": "bolder", "wrap": True}
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [title, *paragraphs],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def channels(settings: Settings) -> tuple[Channel, ...]:
    """The channels that are set up; none is fine. Raises InvalidConfiguration that names the setting, never its value."""
    made: list[Channel] = []
    receivers = tuple(address.strip() for address in (settings.alarm_email_to or "").split(",") if address.strip())
    if receivers:
        made.append(Email(_mail_server(settings), settings.alarm_email_from or receivers[0], receivers))
    for name, address in (("slack", settings.alarm_slack_url), ("teams", settings.alarm_teams_url)):
        if address is not None and address.get_secret_value():
            made.append(Webhook(name, _web_address(address.get_secret_value(), f"alarm_{name}_url")))
    return tuple(made)


def _mail_server(settings: Settings) -> SplitResult:
    address = settings.alarm_smtp_url
    parts = server_of(address.get_secret_value()) if address is not None else None
    if parts is None:
        raise InvalidConfiguration(
            "e-mail needs a server: smtps://user:password@host, smtp+starttls://... or smtp://localhost",
            path=variable_of("alarm_smtp_url"),
        )
    if parts.scheme == "smtp" and not is_local(parts.hostname or ""):
        raise InvalidConfiguration(
            "alarms and the password would cross the net in clear: begin with smtps:// or smtp+starttls://",
            path=variable_of("alarm_smtp_url"),
        )
    return parts


def _web_address(address: str, field: str) -> str:
    parts = _split(address)
    is_safe = parts is not None and (
        parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.hostname or ""))
    )
    if not is_safe:
        raise InvalidConfiguration(
            "the address of an incoming webhook begins with https:// (http:// to this machine only)",
            path=variable_of(field),
        )
    return address


def _split(address: str) -> SplitResult | None:
    """The parts of an address with a host, and a port that is a number if it has one; None for anything else."""
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None
