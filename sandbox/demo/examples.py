"""The files that README's commands name: a webhook's body of this demo, and a rule to try on it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sandbox.stores.posts import Post

FOLDER: Final = "examples"  # inside the local directory
TOPIC: Final = "orders/paid"
VIP: Final = """\
# A paid order of 50 EUR and more, with half of its value: custom-events test-rule shows how an order fares under it.
trigger: [order.paid]
conditions: {field: order.total, op: '>=', value: 50, currency: EUR}
value: {factor: 0.5}
"""


def write(local_directory: Path, posts: Sequence[Post]) -> Path:
    """Write order.json and vip.yaml, over those of an earlier run. The folder."""
    folder = local_directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    order = next(post.body for post in posts if post.topic == TOPIC)
    (folder / "order.json").write_bytes(order)
    (folder / "vip.yaml").write_text(VIP)
    return folder
