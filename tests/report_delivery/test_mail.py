"""E-mail, against a mail server: encrypted, whole, with one Message-ID for each key, and a link where a file is too large."""

import ssl
from typing import Any

import msgspec
import pytest

from custom_events.errors import InvalidConfiguration, NeedsAction, Transient
from custom_events.report_delivery.checking import check
from custom_events.report_delivery.delivering import deliver
from custom_events.report_delivery.targets import DeliveryReceipt, DeliverySecrets, EmailTarget
from custom_events.report_files.table import WrittenFile
from custom_events.settings import Settings
from tests.report_delivery.conftest import MESSAGE, NAME, Mailbox, mail_server

TO = EmailTarget(to=("boss@shop.example", "team@shop.example"))


def by(settings: Settings, url: str, **others: Any) -> Settings:
    return Settings(**{**settings.model_dump(), "report_smtp_url": url, **others})


def send(file: WrittenFile, settings: Settings, **message: Any) -> DeliveryReceipt:
    return deliver(TO, file, msgspec.structs.replace(MESSAGE, **message), DeliverySecrets(), settings)


def test_the_file_is_attached_with_what_it_is_about(file: WrittenFile, settings: Settings) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        receipt = send(file, by(settings, f"smtp://127.0.0.1:{port}"), title="Sales\r\nBcc: x@y.example")
    (mail,) = mailbox.mails
    assert mailbox.receivers == [["boss@shop.example", "team@shop.example"]]
    assert mail["Subject"] == "Sales Bcc: x@y.example: 2026-11-01 to 2026-11-29"
    assert (mail["From"], mail["Bcc"]) == ("reports@shop.example", None)
    assert mail["Message-ID"] == receipt.where == "<e5e4e2419880028bbe199e4a2bdce352@shop.example>"
    text, attached = mail.iter_parts()
    content = text.get_content()
    for line in ("Period: 2026-11-01 to 2026-11-29", "Time zone: Europe/Berlin", "Rows: 30", f"SHA-256: {file.sha256}"):
        assert line in content
    assert attached.get_filename() == NAME
    assert attached.get_content_type() == "text/csv"
    assert attached.get_payload(decode=True) == file.path.read_bytes()


@pytest.mark.usefixtures("trusted")
def test_encrypted_by_starttls_and_signed_in(tls: ssl.SSLContext, file: WrittenFile, settings: Settings) -> None:
    mailbox = Mailbox()
    options = {"tls_context": tls, "require_starttls": True, "authenticator": mailbox.authenticate}
    with mail_server(mailbox, **options) as port:
        send(file, by(settings, f"smtp+starttls://user:pass%40word@localhost:{port}"))
        with pytest.raises(NeedsAction, match="did not take the login of CUSTOM_EVENTS_REPORT_SMTP_URL") as refused:
            send(file, by(settings, f"smtp+starttls://user:wrong-one@localhost:{port}"))
    assert "wrong-one" not in str(refused.value)
    assert mailbox.logins[0] == (b"user", b"pass@word")
    assert mailbox.was_encrypted == [True]


@pytest.mark.usefixtures("trusted")
def test_encrypted_from_the_beginning(tls: ssl.SSLContext, file: WrittenFile, settings: Settings) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, ssl_context=tls) as port:
        send(file, by(settings, f"smtps://localhost:{port}"))
    assert len(mailbox.mails) == 1


def test_a_certificate_that_nobody_knows_is_for_a_person(
    tls: ssl.SSLContext, file: WrittenFile, settings: Settings
) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox, tls_context=tls) as port, pytest.raises(NeedsAction, match="no certificate"):
        send(file, by(settings, f"smtp+starttls://localhost:{port}"))
    assert mailbox.mails == []


def test_a_server_without_encryption_gets_nothing(file: WrittenFile, settings: Settings) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port, pytest.raises(NeedsAction, match="offers no encryption"):
        send(file, by(settings, f"smtp+starttls://localhost:{port}"))
    assert mailbox.mails == []


def test_a_file_that_is_too_large_is_linked_or_an_error(file: WrittenFile, settings: Settings) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        small = by(settings, f"smtp://127.0.0.1:{port}", report_email_limit_bytes=file.bytes - 1)
        send(file, small, address="https://console.example/report-runs/3")
        with pytest.raises(NeedsAction, match="report_email_limit_bytes"):
            send(file, small)
    (mail,) = mailbox.mails
    assert not mail.is_multipart()
    text = mail.get_content()
    assert f"The file is not attached, since it has more than {file.bytes - 1:,} bytes" in text
    assert "In the console: https://console.example/report-runs/3" in text


@pytest.mark.parametrize(
    ("answer", "kind"), [("451 later", Transient), ("552 too large", NeedsAction), ("554 no", NeedsAction)]
)
def test_answers_are_sorted(file: WrittenFile, settings: Settings, answer: str, kind: type[Exception]) -> None:
    mailbox = Mailbox()
    mailbox.answer = answer
    with mail_server(mailbox) as port, pytest.raises(kind, match=rf"did not take the message \({answer[:3]}\)"):
        send(file, by(settings, f"smtp://127.0.0.1:{port}"))


def test_receivers_that_are_refused(file: WrittenFile, settings: Settings) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        there = by(settings, f"smtp://127.0.0.1:{port}")
        mailbox.refused = {"boss@shop.example": "550 unknown"}
        with pytest.raises(NeedsAction, match=r"refused 1 of 2 receivers; the others have the message"):
            send(file, there)
        mailbox.refused["team@shop.example"] = "550 unknown"
        with pytest.raises(NeedsAction, match=r"took none of the receivers \(550\)"):
            send(file, there)
        mailbox.refused["team@shop.example"] = "451 greylisted"
        with pytest.raises(Transient, match=r"took none of the receivers \(451\)"):
            send(file, there)


def test_nobody_there(file: WrittenFile, settings: Settings, closed_port: int) -> None:
    with pytest.raises(Transient, match=r"did not take the message \(ConnectionRefusedError\)"):
        send(file, by(settings, f"smtp://me:geheim@127.0.0.1:{closed_port}"))


@pytest.mark.parametrize(
    ("to", "given", "path"),
    [
        ((), {}, "to"),
        (("a@b.example",) * 51, {}, "to"),
        (("nobody",), {}, "to[0]"),
        (("a@b.example\nBcc: c@d.example",), {}, "to[0]"),
        (("a@shop.example", "a@else.example"), {"report_email_domains": "shop.example, Shop2.example"}, "to[1]"),
        (("a@b.example",), {"report_smtp_url": None}, "CUSTOM_EVENTS_REPORT_SMTP_URL"),
        (("a@b.example",), {"report_smtp_url": "http://geheim"}, "CUSTOM_EVENTS_REPORT_SMTP_URL"),
        (("a@b.example",), {"report_smtp_url": "smtp://geheim:none"}, "CUSTOM_EVENTS_REPORT_SMTP_URL"),
        (("a@b.example",), {"report_smtp_url": "smtp://geheim.example"}, "CUSTOM_EVENTS_REPORT_SMTP_URL"),
        (
            ("a@b.example",),
            {"report_smtp_url": None, "alarm_smtp_url": "smtp://geheim.example"},
            "CUSTOM_EVENTS_ALARM_SMTP_URL",
        ),
        (("a@b.example",), {"report_email_from": None}, "CUSTOM_EVENTS_REPORT_EMAIL_FROM"),
    ],
)
def test_what_is_wrong_is_named(settings: Settings, to: tuple[str, ...], given: dict[str, Any], path: str) -> None:
    values = {"report_smtp_url": "smtps://mail.example", "report_email_domains": None, **given}
    with pytest.raises(InvalidConfiguration) as raised:
        check(EmailTarget(to=to), Settings(**{**settings.model_dump(), **values}))
    assert [fault.path for fault in raised.value.faults] == [path]
    assert "geheim" not in str(raised.value)


def test_the_server_of_alarms_will_do(settings: Settings) -> None:
    values = {
        "alarm_smtp_url": "smtps://mail.example",
        "report_email_from": None,
        "alarm_email_to": "a@b.example, c@d.example",
    }
    check(TO, Settings(**{**settings.model_dump(), **values}))
