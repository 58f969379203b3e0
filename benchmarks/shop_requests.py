"""What the WooCommerce plugin costs in a shopper's request: the same requests with it and without it, in turns, in a real WordPress.

    python -m benchmarks.shop_requests [--quick] [--shop FOLDER]

The WordPress is npm's build with WooCommerce's doubles (`plugins/woocommerce/tests/real_wordpress.py`); with `--shop` it is one that
is installed in that folder: with WooCommerce, one product that can be bought, cash on delivery, and the plugin connected. It is served by
PHP's own server, in which OPcache is on; that process's time on the processors is measured beside the clock.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from plugins.woocommerce.tests import real_wordpress

REQUESTS: Final = 200
QUICK_REQUESTS: Final = 10
WARMED: Final = 4  # requests of each kind that fill OPcache and WordPress's own caches
PATIENCE_S: Final = 60.0
TARGET: Final = 1.05  # issue 17
CPUCLOCK_SCHED: Final = 2  # Linux, include/linux/posix-timers.h: exact to the nanosecond
PLUGIN: Final = "custom-events/custom-events.php"
WITH: Final = {"X-Measured": "1"}
MEMORY: Final = Path("/dev/shm")  # where it is: what a busy disk takes to write is not what is measured
OUT: Final = Path(".local/bench/shop_requests.json")


class Cost(NamedTuple):
    """Of one request, in seconds: by the clock, and of the processors."""

    wall: float
    processor: float


class Shop:
    """A shop that is served, and the process that serves it."""

    def __init__(self, client: httpx.Client, process_id: int) -> None:
        self._client, self._process_id = client, process_id
        self._orders = 0

    def page(self, path: str, headers: Mapping[str, str]) -> Cost:
        """Open a page."""
        return self._measured(lambda: self._client.get(path, headers=dict(headers)))

    def double_checkout(self, headers: Mapping[str, str]) -> Cost:
        """An order of the doubles' shop."""
        self._orders += 1
        order = str(self._orders).encode()
        return self._measured(lambda: self._client.post("/", content=order, headers=dict(headers)))

    def checkout(self, product: int, headers: Mapping[str, str]) -> Cost:
        """An order by WooCommerce's block checkout; what comes before it is not measured."""
        cart = self._client.get("/wp-json/wc/store/v1/cart")
        token = {"Cart-Token": cart.headers["Cart-Token"]}
        self._client.post("/wp-json/wc/store/v1/cart/add-item", headers=token, json={"id": product, "quantity": 1})
        who = {"first_name": "Ana", "last_name": "Lima", "address_1": "Rua 1", "city": "Lisboa", "country": "PT"}
        billing = {**who, "postcode": "1100-148", "email": "ana@example.org", "phone": "912345678"}
        order = {"billing_address": billing, "shipping_address": billing, "payment_method": "cod"}
        return self._measured(
            lambda: self._client.post("/wp-json/wc/store/v1/checkout", headers={**token, **headers}, json=order)
        )

    def product(self) -> tuple[int, str]:
        """Number and path of the shop's first product."""
        first = self._client.get("/wp-json/wc/store/v1/products").json()[0]
        return first["id"], httpx.URL(first["permalink"]).path

    def _measured(self, request: Callable[[], httpx.Response]) -> Cost:
        before, started = self._processor_s(), time.perf_counter()
        answer = request()
        cost = Cost(time.perf_counter() - started, self._processor_s() - before)
        if answer.status_code != 200:
            raise SystemExit(f"The shop answered {answer.status_code}: {answer.text[:500]}")
        return cost

    def _processor_s(self) -> float:
        """What the process has had of the processors: Linux has a clock for each process, whose number is made of the process's."""
        return time.clock_gettime(~self._process_id << 3 | CPUCLOCK_SCHED)


def compared(request: Callable[[Mapping[str, str]], Cost], count: int) -> dict[str, float]:
    """Medians of as many requests with the plugin and without it, in turns, in milliseconds, and their ratios."""
    for _warming in range(WARMED):
        request({})
        request(WITH)
    costs: dict[bool, list[Cost]] = {False: [], True: []}
    for place in range(count):
        for has_plugin in (False, True) if place % 2 else (True, False):
            costs[has_plugin].append(request(WITH if has_plugin else {}))
    figures: dict[str, float] = {}
    for kind in Cost._fields:
        without, beside = (statistics.median(getattr(cost, kind) for cost in costs[it]) for it in (False, True))
        figures |= {
            f"{kind}_without_ms": round(without * 1_000, 3),
            f"{kind}_with_ms": round(beside * 1_000, 3),
            f"{kind}_ratio": round(beside / without, 3),
        }
    return figures


def measured(shop: Shop, count: int, *, has_woocommerce: bool) -> dict[str, dict[str, float]]:
    """Figures of each kind of request."""
    if has_woocommerce:
        product, path = shop.product()
        order = lambda headers: shop.checkout(product, headers)  # noqa: E731
    else:
        path, order = "/?p=1", shop.double_checkout
    return {
        "front page": compared(lambda headers: shop.page("/", headers), count),
        "product": compared(lambda headers: shop.page(path, headers), count),
        "checkout": compared(order, count),
    }


def run(folder: Path | None = None, *, quick: bool = False) -> dict[str, Any]:
    """The measurement; writes `.local/bench/shop_requests.json`."""
    with tempfile.TemporaryDirectory(prefix="shop-", dir=MEMORY if MEMORY.is_dir() else None) as directory:
        shop_folder = folder or double_shop(Path(directory) / "shop")
        extra = shop_folder / "wp-content" / "mu-plugins" / "custom-events-measured.php"
        extra.parent.mkdir(exist_ok=True)
        extra.unlink(missing_ok=True)  # of a measurement that was killed
        extra.symlink_to((real_wordpress.FOLDER / "wordpress" / "measured.php").resolve())
        try:
            with (
                real_wordpress.served(shop_folder) as (address, process_id),
                httpx.Client(base_url=address, timeout=PATIENCE_S, trust_env=False, follow_redirects=True) as client,
            ):
                count = QUICK_REQUESTS if quick else REQUESTS
                figures = measured(Shop(client, process_id), count, has_woocommerce=folder is not None)
        finally:
            extra.unlink()
    ratios = {f"{page}, {kind}": figures[page][f"{kind}_ratio"] for page in figures for kind in Cost._fields}
    result = {
        "name": "shop_requests",
        "figures": figures,
        "ratios": ratios,
        "targets": dict.fromkeys(ratios, TARGET),
        "reached": {name: ratio <= TARGET for name, ratio in ratios.items()},
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n")
    return result


def double_shop(folder: Path) -> Path:
    """A shop of doubles, in which our plugin is active and connected."""
    if problem := real_wordpress.bring():
        raise SystemExit(f"npm brought no WordPress: {problem}")
    real_wordpress.install(folder, plugins=[PLUGIN])
    output = real_wordpress.run("wordpress/connect.php", str(folder))
    if output != "connected":
        raise SystemExit(f"The plugin could not be connected: {output}")
    return folder


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="What the WooCommerce plugin costs in a shopper's request.")
    parser.add_argument("--quick", action="store_true", help="few requests, only to see that everything works")
    parser.add_argument("--shop", type=Path, help="folder of a WordPress with WooCommerce instead of the doubles")
    chosen = parser.parse_args()
    result = run(chosen.shop, quick=chosen.quick)
    print("\nA shopper's request with the plugin and without it, medians in ms")
    for page, figures in result["figures"].items():
        for kind in Cost._fields:
            without, beside, ratio = (figures[f"{kind}_{name}"] for name in ("without_ms", "with_ms", "ratio"))
            print(f"  {page:12} {kind:10} {without:9.2f} {beside:9.2f} {ratio:6.3f}")
    print(f"  reached: {result['reached']}")


if __name__ == "__main__":
    main()
