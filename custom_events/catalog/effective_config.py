"""What is wrong with a definition and an assignment's overrides taken together: the one place where that is decided, for what
is about to be published and for files alike."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol

import msgspec

from custom_events.conditions.problems import Problem, Severity
from custom_events.conditions.validate import read_tree, validate
from custom_events.matching.checks import config_problems
from custom_events.matching.effective import effective
from custom_events.values.definitions import ConditionTree, DefinitionConfig, Overrides
from custom_events.values.deliveries import Platform


class AnAction(Protocol):
    """What is asked of a conversion action, of the database's or of a file's."""

    @property
    def name(self) -> str: ...
    @property
    def click_window_days(self) -> int: ...


Named = frozenset[tuple[str, str]]  # problems by path and what is wrong


def named(problems: Iterable[Problem]) -> Named:
    """What tells problems apart."""
    return frozenset((problem.path, problem.wrong) for problem in problems)


def effective_problems(
    definition: DefinitionConfig,
    overrides: Overrides,
    actions: Mapping[str, AnAction] | None,
    *,
    currencies: Collection[str] = (),
    platform: Platform | None = None,
    of_definition: Named | None = None,
) -> list[Problem]:
    """Errors and warnings of the effective configuration, where they stand in the overrides; what is inherited says so.

    `actions` by reference: those of the account that is named, at least; None: not asked. What is wrong with the definition alone
    (`of_definition`, else it is worked out) is said of the definition, not again of each assignment.
    """
    whole = effective(definition, overrides)
    problems = config_problems(
        msgspec.structs.replace(whole, conditions=None), currencies=currencies, platform=platform
    )
    if actions is not None and not any(problem.path == "ads_action" for problem in problems):
        problems += action_problems(whole, actions)
    own = overrides.conditions if overrides.conditions is not msgspec.UNSET else definition.conditions
    trees = (("conditions", own), ("also", overrides.also))
    parts = [problem for name, tree in trees for problem in _tree(name, tree, currencies, platform)]
    if overrides.also is not None and not any(problem.severity is Severity.ERROR for problem in parts):
        _, together = read_tree(whole.conditions)  # each fits, and both are too many or too deep
        problems += [msgspec.structs.replace(problem, path="also") for problem in together]
    alone = named(config_problems(definition)) if of_definition is None else of_definition
    return [
        _marked(problem, overrides)
        for problem in [*problems, *parts]
        if _is_own(problem, overrides) or (problem.path, problem.wrong) not in alone
    ]


def action_problems(config: DefinitionConfig, actions: Mapping[str, AnAction]) -> Iterator[Problem]:
    """An ads action that does not exist, a click window longer than the action's."""
    if config.ads_action is None:
        return
    action = actions.get(config.ads_action)
    if action is None:
        account = config.ads_action.partition("/")[0]
        known = ", ".join(sorted(name for name in actions if name.startswith(f"{account}/")))
        right = f"that account has: {known}" if known else "create it first, or name another one"
        yield Problem(path="ads_action", wrong=f"there is no conversion action {config.ads_action[:60]}", right=right)
    elif config.click_window_days > action.click_window_days:
        wrong = (
            f"{config.click_window_days} is longer than the {action.click_window_days} days of {config.ads_action} "
            f'("{action.name}"): Google would refuse what lies between'
        )
        yield Problem(path="click_window_days", wrong=wrong, right="shorten it here or lengthen it there")


def _tree(
    name: str, tree: ConditionTree | None, currencies: Collection[str], platform: Platform | None
) -> Iterator[Problem]:
    if tree is not None:
        for problem in validate(tree, currencies=currencies, platform=platform):
            path = f"{name}.{problem.path}" if problem.path else name
            yield msgspec.structs.replace(problem, path=path)


def _marked(problem: Problem, overrides: Overrides) -> Problem:
    if _is_own(problem, overrides):
        return problem
    return msgspec.structs.replace(problem, wrong=f"{problem.wrong} (inherited from the definition)")


def _is_own(problem: Problem, overrides: Overrides) -> bool:
    """Whether it is about a setting that the overrides have."""
    setting = problem.path.partition(".")[0].partition("[")[0]
    return setting == "also" or getattr(overrides, setting) is not msgspec.UNSET
