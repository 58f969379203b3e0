"""The courses by name, each with its exercises in the order of its page in docs/training."""

from collections.abc import Mapping
from typing import Final

from sandbox.training import data_team, marketing, store_operator
from sandbox.training.exercises import Exercise

COURSES: Final[Mapping[str, tuple[Exercise, ...]]] = {
    "store-operator": store_operator.EXERCISES,
    "marketing": marketing.EXERCISES,
    "data-team": data_team.EXERCISES,
}
