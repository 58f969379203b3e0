"""How much one caller may ask for in a while: an API key or a session has a quota, and so has each address for whoever is not signed in.

The answers say it in the headers RateLimit and RateLimit-Policy, as draft-ietf-httpapi-ratelimit-headers-10 has them; above the quota the
answer is 429 with Retry-After. A window begins with the first request, so that what the headers say is exact; within two windows that meet
twice the quota may be taken. Counted in this process's memory: the console is one process, and what was counted is forgotten when it starts.
"""

import ipaddress
import math
import time
from typing import Final

import msgspec
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from console.api import problems
from console.api.problems import ProblemError
from custom_events.access.roles import NOBODY, Caller
from custom_events.settings import Settings, variable_of

FIELD: Final = "RateLimit"
POLICY_FIELD: Final = "RateLimit-Policy"
NETWORK_BITS: Final = 64  # of an IPv6 address: whoever has one has all addresses of its /64 (RFC 6177)


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to a caller after this request. `name` is that of the policy: caller or address."""

    name: str
    requests: int
    window_s: int
    remaining: int
    reset_s: int
    exceeded: bool

    @property
    def headers(self) -> dict[str, str]:
        """As the answer says it."""
        return {
            POLICY_FIELD: f'"{self.name}";q={self.requests};w={self.window_s}',
            FIELD: f'"{self.name}";r={self.remaining};t={self.reset_s}',
        }


class RateLimits:
    """The quotas of everybody who asks this process."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._window_s = settings.api_limit_window_s
        self._items = {
            "caller": RateLimitItemPerSecond(settings.api_requests_per_caller, self._window_s),
            "address": RateLimitItemPerSecond(settings.api_requests_per_address, self._window_s),
        }

    def count(self, caller: Caller, address: str) -> Quota:
        """One more request of this caller; NOBODY: of nobody who is signed in, from this address."""
        if caller is NOBODY:
            return self._count("address", _network(address))
        session = f":{caller.session_id}" if caller.session_id is not None else ""
        return self._count("caller", f"{caller.kind}:{caller.id}{session}")

    def _count(self, name: str, whose: str) -> Quota:
        item = self._items[name]
        taken = self._limiter.hit(item, name, whose)
        reset_at, remaining = self._limiter.get_window_stats(item, name, whose)
        return Quota(
            name=name,
            requests=item.amount,
            window_s=self._window_s,
            remaining=remaining,
            reset_s=max(1, math.ceil(reset_at - time.time())),
            exceeded=not taken,
        )


def check(quota: Quota) -> None:
    """Raise 429 above the quota."""
    if quota.exceeded:
        whose = "by this key or session" if quota.name == "caller" else "from this address by nobody who is signed in"
        raise ProblemError(
            problems.THROTTLED,
            f"More than {quota.requests} requests in {quota.window_s} seconds {whose} "
            f"({variable_of(f'api_requests_per_{quota.name}')}). Try again in {quota.reset_s} seconds.",
            headers={"Retry-After": str(quota.reset_s)},
        )


def _network(address: str) -> str:
    """What one client has: an IPv4 address, or the network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, NETWORK_BITS), strict=False))
    return address
