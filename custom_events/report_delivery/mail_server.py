"""Mail servers as settings name them, for reports and for alarms: which addresses name one, and a connection that is encrypted where they say so."""

import smtplib
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

PORTS: Final[Mapping[str, int]] = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def server_of(address: str) -> SplitResult | None:
    """The parts of a mail server's address; None for anything else."""
    try:
        parts = urlsplit(address)
        is_usable = parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_usable else None


def connected(server: SplitResult, timeout_s: float) -> smtplib.SMTP:
    """A connection, encrypted and signed in where the address says so, with the certificate checked. Raises OSError and smtplib.SMTPException."""
    host = server.hostname or ""
    port = server.port or PORTS[server.scheme]
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=context)
    else:
        connection = smtplib.SMTP(host, port, timeout=timeout_s)
    try:
        if server.scheme == "smtp+starttls":
            connection.starttls(context=context)
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
    except BaseException:
        connection.close()
        raise
    return connection
