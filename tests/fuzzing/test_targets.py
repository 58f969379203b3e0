"""The laws of fuzzing, for a bounded number of inputs: `make fuzz` looks longer, and follows the branches that they take."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzing.hostile import inputs
from fuzzing.registry import TARGETS
from fuzzing.target import Target

EXAMPLES = 40
SIZE = 1 << 16  # bytes: what is quadratic takes longer than the limit already
LIMIT_S = 10.0  # of processor time, for one input; most take thousandths
ALL = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


def changed(target: Target) -> st.SearchStrategy[bytes]:
    """A seed with some bytes replaced, left out or put in; now and then bytes of nowhere."""
    pieces = st.binary(max_size=4) | st.sampled_from([word.encode() for word in target.words] or [b""])
    changes = st.lists(st.tuples(st.integers(0, target.most_bytes), st.integers(0, 8), pieces), max_size=4)
    return st.binary(max_size=100) | st.builds(apply, st.sampled_from(sorted(target.seeds())), changes)


def apply(seed: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """The seed with each change: where (beyond the end it begins anew), how many bytes go, what comes there."""
    data = bytearray(seed)
    for place, size, piece in changes:
        start = place % (len(data) + 1)
        data[start : start + size] = piece
    return bytes(data)


@ALL
def test_the_law_is_kept(target: Target) -> None:
    for seed in target.seeds():
        target.run(seed)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(changed(target))
    def law(data: bytes) -> None:
        target.run(data)

    law()


@ALL
def test_what_is_made_to_take_long_takes_no_longer(target: Target) -> None:
    for name, data in inputs(SIZE).items():
        began = time.process_time()
        target.run(data)
        assert time.process_time() - began < LIMIT_S, name
