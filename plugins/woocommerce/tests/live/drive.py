"""Everything that the plugin tells of, in a real shop, to a receiver that is dead for a day: what arrives is what happened, once.

    python -m plugins.woocommerce.tests.live.drive FOLDER [--url http://127.0.0.1:8080]

FOLDER is where the shop's WordPress is installed, on this machine; with its address a shopper buys by the block checkout, too. What it needs
and leaves behind: README.md here. Exit code 1 when something is missing, double or other than it was.
"""

import argparse
import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from plugins.woocommerce.tests.live import shopper
from plugins.woocommerce.tests.live.receiver import DEAD_S, Arrived, listening

FOLDER: Final = Path(__file__).parent
STEP_S: Final = 300
DEAD_HOURS: Final = DEAD_S // 3_600
# The plugin waits for six hours at most, and a tenth more, between two attempts; the day after the receiver is back has room for it twice.
ALIVE_HOURS: Final = 16
PLUGINS_META: Final = "_custom_events"
IDS_OF_CHANCE: Final = frozenset({"cart.item_added", "checkout.started"})  # carts have a token, and no number


class Expected(msgspec.Struct, frozen=True):
    """What the plugin has to tell of, once. `facts`: values in its body by their paths (see `at`), as text: storages of orders give meta of one kind as text
    or as a number."""

    topic: str
    id: int
    facts: dict[str, Any] = {}


class Drive(msgspec.Struct, kw_only=True):
    """What came of a drive. `attempts`: posts while the receiver was dead; `again`: posts of events that it had, after a lost answer."""

    expected: list[Expected]
    arrived: list[Arrived]
    attempts: int
    again: int
    problems: list[str]


def drive(shop: Path, url: str | None = None) -> Drive:
    """Go through the list in the shop of this folder. Raises RuntimeError for a step that fails, with what PHP says."""
    expected: list[Expected] = []
    alive_at = datetime.now(UTC) + timedelta(seconds=DEAD_S)
    with listening(alive_at) as receiver:
        (beginning,) = step(shop, "begin", receiver.url)
        try:
            if url is not None:
                expected += [Expected(*event) for event in shopper.buys(url, beginning["product"])]
            expected += [_expected(line) for line in step(shop, "happen")]
            step(shop, "drain", "0", str(DEAD_HOURS - 1))
            attempts, too_early = receiver.attempts, len(receiver.events)
            (left,) = step(shop, "drain", str(DEAD_HOURS), str(DEAD_HOURS + ALIVE_HOURS))
        finally:
            step(shop, "end")
    arrived = list(receiver.events.values())
    problems = [*receiver.problems, *missing_and_double(expected, arrived)]
    if too_early or not attempts:
        problems.append(f"While it was dead the receiver took {too_early} events of {attempts} posts")
    problems += [f"{name}: {count}" for name, count in left.items() if count]
    return Drive(expected=expected, arrived=arrived, attempts=attempts, again=receiver.again, problems=problems)


def step(shop: Path, verb: str, *arguments: str) -> list[dict[str, Any]]:
    """The lines that a step writes. Raises RuntimeError with PHP's words."""
    command = ["php", "-d", "sendmail_path=/bin/true", str(FOLDER / "events.php"), str(shop), verb, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=STEP_S, check=False)
    try:
        lines = [json.loads(line) for line in ended.stdout.splitlines()]
    except json.JSONDecodeError:
        lines = None
    if ended.returncode or lines is None:
        raise RuntimeError(f"{verb} failed: {ended.stderr[-2_000:]}{ended.stdout[-2_000:]}")
    return lines


def missing_and_double(expected: Sequence[Expected], arrived: Sequence[Arrived]) -> list[str]:
    """What did not arrive, arrived twice, or says something else, in words. Where nothing is expected (doubles), whoever calls compares."""
    if not expected:
        return []
    wanting = Counter((event.topic, event.id) for event in expected)
    came = Counter((event.topic, _id(event)) for event in arrived)
    problems = [f"{topic} {number}: missing {count}" for (topic, number), count in (wanting - came).items()]
    problems += [f"{topic} {number}: {count} too many" for (topic, number), count in (came - wanting).items()]
    documents = [(event.topic, _id(event), event.document) for event in arrived]
    for event in expected:
        bodies = [body for topic, number, body in documents if (topic, number) == (event.topic, event.id)]
        if bodies and not any(
            all(str(at(body, path)) == str(fact) for path, fact in event.facts.items()) for body in bodies
        ):
            facts = [{path: at(body, path) for path in event.facts} for body in bodies]
            problems.append(f"{event.topic} {event.id}: {facts} instead of {event.facts}")
    return problems


def at(body: Any, path: str) -> Any:
    """The value at a path of a body; None where there is none. `click` is what the plugin wrote into the meta, `meta` all of it by key."""
    meta = {entry["key"]: entry["value"] for entry in body.get("meta_data", ())}
    value: Any = {**body, "click": meta.get(PLUGINS_META), "meta": meta}
    for name in path.split("."):
        if isinstance(value, list):
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def _id(event: Arrived) -> int:
    return 0 if event.topic in IDS_OF_CHANCE else event.document["id"]


def _expected(line: dict[str, Any]) -> Expected:
    return Expected(line["topic"], line["id"], line["facts"] or {})  # PHP writes an empty array for no facts


def main() -> int:
    """From the command line."""
    parser = argparse.ArgumentParser(description="All that the plugin tells of, in a real shop.")
    parser.add_argument(
        "shop", type=Path, help="folder of the shop's WordPress, with WooCommerce and our plugin active"
    )
    parser.add_argument("--url", help="the shop's address: a shopper buys there, too")
    chosen = parser.parse_args()
    done = drive(chosen.shop, chosen.url)
    for topic, count in sorted(Counter(event.topic for event in done.arrived).items()):
        print(f"{count:>4}  {topic}")
    print(f"{len(done.expected)} expected, {len(done.arrived)} arrived; {done.attempts} posts to the dead receiver")
    for problem in done.problems:
        print(f"PROBLEM  {problem}")
    return 1 if done.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
