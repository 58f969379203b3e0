"""Signed webhooks: what arrives is what our own receiver's scheme proves; answers are sorted; no address is called that may not be."""

import base64
import socket
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from custom_events.errors import InvalidConfiguration, NeedsAction, Transient
from custom_events.platforms import timestamped
from custom_events.platforms.base import Secret
from custom_events.report_delivery.checking import check
from custom_events.report_delivery.delivering import deliver
from custom_events.report_delivery.targets import DeliverySecrets, WebhookTarget
from custom_events.report_files.table import WrittenFile
from custom_events.settings import Settings
from custom_events.values.deliveries import Refusal
from tests.report_delivery.conftest import MESSAGE, NAME, Hook, serving

SECRETS = DeliverySecrets(signing_secret="a-secret-of-the-tests")


def to(hook: Hook, path: str = "/in?token=hidden") -> WebhookTarget:
    return WebhookTarget(url=f"http://127.0.0.1:{hook.port}{path}")


def test_the_receiver_can_prove_who_sent_it(hook: Hook, file: WrittenFile, settings: Settings) -> None:
    receipt = deliver(to(hook), file, MESSAGE, SECRETS, settings)
    assert (receipt.where, receipt.digest) == ("http://127.0.0.1", file.sha256)
    (body,), (headers,) = hook.bodies, hook.headers
    assert body == file.path.read_bytes()
    secret = Secret(key_id="1", value=b"a-secret-of-the-tests")
    now = datetime.now(UTC)
    assert timestamped.check(headers, body, [secret], now, 300) is None
    assert timestamped.check(headers, body + b" ", [secret], now, 300) is Refusal.WRONG_SIGNATURE
    assert headers["x-custom-events-event-id"] == "report-7:2026-11-29"
    assert headers["x-custom-events-topic"] == "report.delivered"
    assert headers["content-disposition"] == f'attachment; filename="{NAME}"'
    assert headers["content-digest"] == f"sha-256=:{base64.b64encode(bytes.fromhex(file.sha256)).decode()}:"
    assert (headers["content-type"], headers["x-custom-events-period"]) == ("text/csv", "2026-11-01%20to%202026-11-29")


def test_every_attempt_has_the_same_event_id(hook: Hook, file: WrittenFile, settings: Settings) -> None:
    hook.answers = [(503, {"Retry-After": "40"}), (200, {})]
    with pytest.raises(Transient) as raised:
        deliver(to(hook), file, MESSAGE, SECRETS, settings)
    assert raised.value.retry_after_s == 40
    deliver(to(hook), file, MESSAGE, SECRETS, settings)
    assert len({headers["x-custom-events-event-id"] for headers in hook.headers}) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, Transient),
        (429, Transient),
        (500, Transient),
        (502, Transient),
        (301, NeedsAction),
        (307, NeedsAction),
        (400, NeedsAction),
        (401, NeedsAction),
        (404, NeedsAction),
        (410, NeedsAction),
        (413, NeedsAction),
    ],
)
def test_answers_are_sorted_and_say_no_secret(
    hook: Hook, file: WrittenFile, settings: Settings, status: int, kind: type[Exception]
) -> None:
    hook.answers = [(status, {"Location": f"http://127.0.0.1:{hook.port}/", "Retry-After": "soon"})]
    with pytest.raises(kind) as raised:
        deliver(to(hook), file, MESSAGE, SECRETS, settings)
    assert str(status) in str(raised.value)
    assert "hidden" not in str(raised.value)
    assert "a-secret" not in str(raised.value)
    assert len(hook.bodies) == 1  # no redirect is followed


def test_nobody_there(file: WrittenFile, settings: Settings, closed_port: int) -> None:
    with pytest.raises(Transient, match=r"^http://127\.0\.0\.1 cannot be reached"):
        deliver(WebhookTarget(url=f"http://127.0.0.1:{closed_port}/"), file, MESSAGE, SECRETS, settings)


def test_somebody_who_does_not_speak_http(file: WrittenFile, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        hasty = settings.model_copy(update={"report_delivery_timeout_s": 0.2})
        target = WebhookTarget(url=f"http://127.0.0.1:{server.getsockname()[1]}/")
        with pytest.raises(Transient, match=r"did not answer \(ReadTimeout\)"):
            deliver(target, file, MESSAGE, SECRETS, hasty)


def test_a_file_that_is_too_large_is_an_error(hook: Hook, file: WrittenFile, settings: Settings) -> None:
    small = settings.model_copy(update={"report_webhook_limit_bytes": file.bytes - 1})
    with pytest.raises(NeedsAction, match="report_webhook_limit_bytes"):
        deliver(to(hook), file, MESSAGE, SECRETS, small)
    assert hook.bodies == []


@pytest.mark.usefixtures("trusted")
def test_the_certificate_is_that_of_the_name(tls: Any, file: WrittenFile, settings: Settings) -> None:
    with serving(Hook(tls)) as hook:
        deliver(WebhookTarget(url=f"https://localhost:{hook.port}/in"), file, MESSAGE, SECRETS, settings)
        assert hook.headers[0]["host"] == f"localhost:{hook.port}"


def test_a_certificate_that_nobody_knows_is_for_a_person(tls: Any, file: WrittenFile, settings: Settings) -> None:
    with serving(Hook(tls)) as hook, pytest.raises(NeedsAction, match="no certificate that can be trusted"):
        deliver(WebhookTarget(url=f"https://localhost:{hook.port}/in"), file, MESSAGE, SECRETS, settings)
    assert hook.bodies == []


def answering(monkeypatch: pytest.MonkeyPatch, *answers: list[str] | int) -> list[str]:
    """Let names be resolved to these addresses, one answer after the other; which names were asked for."""
    asked: list[str] = []
    left = list(answers)
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *others: Any, **named: Any) -> list[Any]:
        if host[0].isdigit():
            return real(host, port, *others, **named)
        asked.append(host)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, int):
            raise socket.gaierror(answer, "no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]

    monkeypatch.setattr("custom_events.report_delivery.addresses.socket.getaddrinfo", resolve)
    return asked


def test_the_connection_goes_to_what_was_looked_at(
    hook: Hook, file: WrittenFile, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, ["127.0.0.1"], ["127.0.0.1"], ["203.0.113.9"])
    target = WebhookTarget(url=f"http://reports.internal:{hook.port}/in")
    deliver(target, file, MESSAGE, SECRETS, settings)
    assert hook.headers[0]["host"] == f"reports.internal:{hook.port}"
    assert (
        asked == ["reports.internal"] * 2
    )  # when the target is checked, and when it is called; the client asks nobody


def test_a_name_that_leads_inside_later_is_refused_then(
    hook: Hook, file: WrittenFile, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = settings.model_copy(update={"report_private_addresses": False})
    target = WebhookTarget(url=f"https://reports.example:{hook.port}/in")
    answering(monkeypatch, ["93.184.216.34"], ["93.184.216.34"], ["127.0.0.1"])
    check(target, strict, SECRETS)
    with pytest.raises(NeedsAction, match="of this machine or of a private network"):
        deliver(target, file, MESSAGE, SECRETS, strict)
    assert hook.bodies == []


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://10.1.2.3/", "https://192.168.1.1/"),
        *("https://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://0.0.0.0/", "https://[fe80::1]/"),
        *(
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://127.1/",
        ),
    ],
)
def test_addresses_of_the_inside_are_refused(settings: Settings, url: str) -> None:
    strict = settings.model_copy(update={"report_private_addresses": False})
    with pytest.raises(InvalidConfiguration, match=r"url: .* is of this machine or of a private network"):
        check(WebhookTarget(url=url), strict)
    check(WebhookTarget(url=url), settings)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "https://",
        "https://a:0/",
        "https://a:x/",
        "https://a b/",
        "//a",
        "https://ä.example/",
        "https://a\\b/",
    ],
)
def test_what_is_no_address_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(InvalidConfiguration, match="url: it is no address"):
        check(WebhookTarget(url=url), settings)


def test_all_that_is_wrong_is_said_at_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, ["93.184.216.34"])
    with pytest.raises(InvalidConfiguration) as raised:
        check(WebhookTarget(url="http://reports.example/"), settings, DeliverySecrets(signing_secret="short"))
    assert [fault.path for fault in raised.value.faults] == ["url", "signing_secret"]
    assert "short;" not in str(raised.value)
    with pytest.raises(InvalidConfiguration, match="a login or a fragment"):
        check(WebhookTarget(url="https://me:pass@reports.example/"), settings)
    with pytest.raises(InvalidConfiguration, match="too long"):
        check(WebhookTarget(url=f"https://reports.example/{'a' * 2_000}"), settings)


def test_names_that_do_not_answer(file: WrittenFile, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    target = WebhookTarget(url="https://reports.example/")
    answering(monkeypatch, socket.EAI_NONAME)
    with pytest.raises(InvalidConfiguration, match=r"there is no host reports\.example"):
        check(target, settings)
    answering(monkeypatch, socket.EAI_AGAIN)
    with pytest.raises(Transient, match="cannot be resolved at this moment"):
        deliver(target, file, MESSAGE, SECRETS, settings)


def test_a_key_of_any_text_can_stand_in_a_header(hook: Hook, file: WrittenFile, settings: Settings) -> None:
    message = msgspec.structs.replace(MESSAGE, key="a\r\nX-Other: é", report="Ä\r\n")
    deliver(to(hook), file, message, SECRETS, settings)
    assert hook.headers[0]["x-custom-events-event-id"] == "a%0D%0AX-Other:%20%C3%A9"
    assert "x-other" not in hook.headers[0]


def test_secrets_say_nothing_of_themselves() -> None:
    assert "tests" not in repr(SECRETS)
    assert "tests" not in str(SECRETS)
