"""A file posted to a webhook, signed by our own scheme (docs/reference/custom-webhooks.md, version 2) with the target's secret."""

import base64
import ssl
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import httpx

from custom_events.errors import Fault, NeedsAction, Transient
from custom_events.platforms.timestamped import signed_headers
from custom_events.report_delivery.addresses import Endpoint, endpoint
from custom_events.report_delivery.naming import file_name
from custom_events.report_delivery.targets import DeliveryMessage, DeliveryReceipt, DeliverySecrets, WebhookTarget
from custom_events.report_files.table import WrittenFile
from custom_events.settings import Settings

TOPIC: Final = "report.delivered"
LEAST_SECRET_CHARS: Final = 16
_CONNECT_S: Final = 10.0
_URL_CHARS: Final = 2_000
_LONGEST_WAIT_S: Final = 3_600.0  # that an answer's Retry-After is followed
_WAIT_DIGITS: Final = 8
_AGAIN: Final = frozenset((408, 409, 423, 425, 429))  # beside 5xx


def faults(target: WebhookTarget, secrets: DeliverySecrets | None, settings: Settings) -> list[Fault]:
    """What is wrong with the target and its secret. Raises Transient where its name cannot be resolved now."""
    wrong: list[Fault] = []
    if len(target.url) > _URL_CHARS:
        wrong.append(Fault("url", "it is too long", f"at most {_URL_CHARS} characters"))
    else:
        behind = endpoint(target.url, "url", private=settings.report_private_addresses)
        wrong += [behind] if isinstance(behind, Fault) else []
    if secrets is not None and len(secrets.signing_secret or "") < LEAST_SECRET_CHARS:
        right = (
            f"at least {LEAST_SECRET_CHARS} characters that nobody can guess; the receiver checks signatures by them"
        )
        wrong.append(Fault("signing_secret", "it is missing or too short", right))
    return wrong


def deliver_to_webhook(
    target: WebhookTarget, file: WrittenFile, message: DeliveryMessage, secrets: DeliverySecrets, settings: Settings
) -> DeliveryReceipt:
    """Post the file; the key is the event id, the same for every attempt. 2xx is taken; redirects are not followed.

    Raises Transient for answers that may change (408, 409, 423, 425, 429, 5xx) and where none comes, NeedsAction for every other.
    """
    if file.bytes > settings.report_webhook_limit_bytes:
        raise NeedsAction(
            f"The file has {file.bytes:,} bytes, and {settings.report_webhook_limit_bytes:,} are posted at most (setting report_webhook_limit_bytes). "
            "Narrow the report, or deliver it to storage."
        )
    behind = endpoint(target.url, "url", private=settings.report_private_addresses)
    if isinstance(behind, Fault):
        raise NeedsAction(f"The webhook cannot be called: {behind.wrong}; {behind.right} would be right.")
    body = file.path.read_bytes()
    headers = _headers(file, message, body, (secrets.signing_secret or "").encode())
    _judge(_post(behind, headers, body, settings), behind)
    return DeliveryReceipt(where=behind.shown, digest=file.sha256)


def _headers(file: WrittenFile, message: DeliveryMessage, body: bytes, secret: bytes) -> dict[str, str]:
    name = file_name(file, message)
    return {
        "Content-Type": file.media_type,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(file.sha256)).decode()}:",
        "X-Custom-Events-Report": quote(message.report),
        "X-Custom-Events-Period": quote(message.period),
        "X-Custom-Events-Zone": quote(message.zone, safe="/"),
        "User-Agent": "custom-events",
        **signed_headers(body, secret, now=datetime.now(UTC), event_id=quote(message.key, safe=":/"), topic=TOPIC),
    }


def _post(behind: Endpoint, headers: dict[str, str], body: bytes, settings: Settings) -> httpx.Response:
    """The answer, of which nothing but status and headers is read. The connection goes to an address that was looked at; name and
    certificate stay those of the host."""
    url = httpx.URL(behind.url)
    host = url.netloc.decode("ascii")
    timeout = httpx.Timeout(settings.report_delivery_timeout_s, connect=_CONNECT_S)
    error: httpx.ConnectError | None = None
    with httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False, verify=_context()) as client:
        for address in behind.addresses:
            request = client.build_request(
                "POST",
                url.copy_with(host=address),
                content=body,
                headers={**headers, "Host": host},
                extensions={"sni_hostname": behind.host},
            )
            try:
                answer = client.send(request, stream=True)
            except httpx.ConnectError as refused:
                error = refused
                if isinstance(_cause(refused), ssl.SSLCertVerificationError):
                    raise NeedsAction(
                        f"{behind.shown} has no certificate that can be trusted. Mend it there."
                    ) from None
                continue
            except httpx.TransportError as failed:
                raise Transient(f"{behind.shown} did not answer ({type(failed).__name__}).") from None
            answer.close()
            return answer
    raise Transient(f"{behind.shown} cannot be reached ({type(error).__name__}).") from None


def _context() -> ssl.SSLContext:
    """The machine's authorities, as for mail servers."""
    return ssl.create_default_context()


def _cause(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _judge(answer: httpx.Response, behind: Endpoint) -> None:
    status = answer.status_code
    if answer.is_success:
        return
    if status in _AGAIN or answer.is_server_error:
        raise Transient(f"{behind.shown} answered {status}.", _wait_s(answer.headers.get("Retry-After", "")))
    if answer.is_redirect:
        raise NeedsAction(
            f"{behind.shown} answered {status}: redirects are not followed. Set the address that it leads to."
        )
    raise NeedsAction(
        f"{behind.shown} answered {status} and will not take the file. Look there why, then deliver it again."
    )


def _wait_s(retry_after: str) -> float:
    """Seconds of a Retry-After; 0 for a date or anything else."""
    return (
        min(float(retry_after), _LONGEST_WAIT_S)
        if retry_after.isdecimal() and len(retry_after) <= _WAIT_DIGITS
        else 0.0
    )
