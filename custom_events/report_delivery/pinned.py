"""A resolver of names for storage's client: it knows one host, by the addresses that were looked at, and no other."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from custom_events.report_delivery.addresses import Endpoint


class PinnedResolver(AbstractResolver):
    """Answers for the host of an endpoint. Raises OSError for every other, which an answer of storage could name."""

    def __init__(self, behind: Endpoint) -> None:
        self._behind = behind

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """See `AbstractResolver.resolve`."""
        if host != self._behind.host:
            raise OSError(None, f"{host} is not the storage's host")
        del family
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._behind.addresses
        ]

    async def close(self) -> None:
        """See `AbstractResolver.close`."""
