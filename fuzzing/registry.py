"""All targets, by name."""

from collections.abc import Mapping
from typing import Final

from fuzzing import conditions, entries, signatures, understanding
from fuzzing.target import Target

TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (*signatures.TARGETS, *understanding.TARGETS, *conditions.TARGETS, *entries.TARGETS)
}
