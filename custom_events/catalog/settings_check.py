"""Settings as somebody types them: the sentence that they make so far, and everything that is wrong with them. Nothing is stored."""

import msgspec

from custom_events.catalog.reading import read_as_far
from custom_events.conditions.problems import Problem
from custom_events.conditions.render import render
from custom_events.matching.checks import config_problems
from custom_events.matching.sentences import sentence
from custom_events.values.definitions import DefinitionConfig


class CheckedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`sentence`: the whole rule in words, of what could be read ("": not even its trigger); `conditions`: its conditions in one line."""

    sentence: str
    conditions: str
    problems: tuple[Problem, ...]


def check_settings(raw: object) -> CheckedSettings:
    """A definition's settings from plain JSON, as far as they can be read. Never raises for what stands in them."""
    config, problems = read_as_far(raw, DefinitionConfig)
    if config is None:
        return CheckedSettings(sentence="", conditions="", problems=tuple(problems))
    return CheckedSettings(
        sentence=sentence(config) if config.trigger else "",
        conditions=render(config.conditions),
        problems=(*problems, *config_problems(config)),
    )
