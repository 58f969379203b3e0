"""A file sent by e-mail: attached, or where it would be too large for that, a link to it."""

import re
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final
from urllib.parse import SplitResult

from custom_events.errors import Fault, InvalidConfiguration, NeedsAction, Transient
from custom_events.report_delivery.mail_server import connected, server_of
from custom_events.report_delivery.naming import file_name, key_digest
from custom_events.report_delivery.targets import DeliveryMessage, DeliveryReceipt, EmailTarget
from custom_events.report_files.table import WrittenFile
from custom_events.settings import Settings, variable_of
from custom_events.values.hosts import is_local

MOST_RECEIVERS: Final = 50
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")
_KEY_CHARS: Final = 32
_SUBJECT_CHARS: Final = 200
_FIRST_PERMANENT: Final = 500


def faults(target: EmailTarget, settings: Settings) -> list[Fault]:
    """What is wrong with the receivers, and with the settings of the server."""
    wrong: list[Fault] = []
    if not 1 <= len(target.to) <= MOST_RECEIVERS:
        wrong.append(Fault("to", f"there are {len(target.to)} receivers", f"1 to {MOST_RECEIVERS}"))
    domains = [domain.strip().lower() for domain in (settings.report_email_domains or "").split(",") if domain.strip()]
    for place, address in enumerate(target.to):
        if not _ADDRESS.match(address):
            wrong.append(Fault(f"to[{place}]", "it is no e-mail address", "name@example.org"))
        elif domains and address.rpartition("@")[2].lower() not in domains:
            right = f"one of {', '.join(domains)} (setting report_email_domains)"
            wrong.append(Fault(f"to[{place}]", "reports are not mailed to its domain", right))
    try:
        server(settings)
        sender(settings)
    except InvalidConfiguration as error:
        wrong.append(Fault(error.path, "it cannot be used", error.sentence))
    return wrong


def deliver_by_mail(
    target: EmailTarget, file: WrittenFile, message: DeliveryMessage, settings: Settings
) -> DeliveryReceipt:
    """Send it to all receivers at once. The Message-ID is made of the key: what sorts out doubles does so by it.

    Raises Transient where the server may take it later; NeedsAction where it does not know a receiver, the login or encryption, or the
    file is too large and nobody said where it is.
    """
    mail = _mail(target, file, message, settings)
    try:
        with connected(server(settings), settings.report_delivery_timeout_s) as connection:
            refused = connection.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _refusal(min(codes, default=0), "took none of the receivers") from None
    except smtplib.SMTPNotSupportedError:
        raise NeedsAction(
            f"The mail server offers no encryption or no login. Set {variable_of('report_smtp_url')} to one that does."
        ) from None
    except smtplib.SMTPAuthenticationError as error:
        raise _refusal(error.smtp_code, f"did not take the login of {variable_of('report_smtp_url')}") from None
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, "did not take the message") from None
    except ssl.SSLCertVerificationError:
        raise NeedsAction("The mail server has no certificate that can be trusted. Mend it there.") from None
    except (OSError, smtplib.SMTPException) as error:
        raise Transient(f"The mail server did not take the message ({type(error).__name__}).") from None
    if refused:
        raise NeedsAction(
            f"The mail server refused {len(refused)} of {len(target.to)} receivers; the others have the message. Mend or remove their addresses."
        )
    return DeliveryReceipt(where=str(mail["Message-ID"]), digest=file.sha256)


def server(settings: Settings) -> SplitResult:
    """The mail server. Raises InvalidConfiguration, which names the setting and never its value."""
    field = "report_smtp_url" if settings.report_smtp_url is not None else "alarm_smtp_url"
    address = settings.report_smtp_url or settings.alarm_smtp_url
    right = (
        "a mail server is needed: smtps://user:password@host or smtp+starttls://..., on this machine also smtp://host"
    )
    parts = server_of(address.get_secret_value()) if address is not None else None
    if parts is None:
        raise InvalidConfiguration(right, path=variable_of(field if address is not None else "report_smtp_url"))
    if parts.scheme == "smtp" and not is_local(parts.hostname or ""):
        raise InvalidConfiguration(f"unencrypted mail would be read on its way; {right}", path=variable_of(field))
    return parts


def sender(settings: Settings) -> str:
    """Who mails are from. Raises InvalidConfiguration."""
    receivers = (settings.alarm_email_to or "").split(",")[0].strip()
    address = settings.report_email_from or settings.alarm_email_from or receivers
    if not _ADDRESS.match(address):
        raise InvalidConfiguration("the sender's e-mail address is needed", path=variable_of("report_email_from"))
    return address


def _mail(target: EmailTarget, file: WrittenFile, message: DeliveryMessage, settings: Settings) -> EmailMessage:
    mail = EmailMessage()
    from_address = sender(settings)
    title = " ".join((message.title or message.report).split())
    mail["Subject"] = _header(f"{title}: {message.period}" if message.period else title)
    mail["From"], mail["To"], mail["Date"] = from_address, ", ".join(target.to), formatdate()
    mail["Message-ID"] = f"<{key_digest(message)[:_KEY_CHARS]}@{from_address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    name = file_name(file, message)
    lines = [title, "", f"Period: {message.period}", f"Time zone: {message.zone}", f"Rows: {file.rows:,}"]
    lines += [f"File: {name}, {file.bytes:,} bytes", f"SHA-256: {file.sha256}"]
    if message.address is not None:
        lines += [f"In the console: {message.address}"]
    limit = settings.report_email_limit_bytes
    if file.bytes <= limit:
        mail.set_content("\n".join(lines))
        main, sub = file.media_type.split("/")
        mail.add_attachment(file.path.read_bytes(), maintype=main, subtype=sub, filename=name)
        return mail
    if message.address is None:
        raise NeedsAction(
            f"The file has {file.bytes:,} bytes, and {limit:,} are attached to an e-mail at most (setting report_email_limit_bytes). "
            "Narrow the report, or deliver it to storage."
        )
    lines += [
        "",
        f"The file is not attached, since it has more than {limit:,} bytes: it is in the console, at the address above.",
    ]
    mail.set_content("\n".join(lines))
    return mail


def _header(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:_SUBJECT_CHARS]


def _refusal(code: int, what: str) -> NeedsAction | Transient:
    sentence = f"The mail server {what} ({code})."
    return (
        NeedsAction(f"{sentence} Mend it there or here, then deliver it again.")
        if code >= _FIRST_PERMANENT
        else Transient(sentence)
    )
