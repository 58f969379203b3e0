"""What forms are checked by while they are filled in, where this is not what sending them does (`Page.checks`)."""

from collections.abc import Callable

from console.api import problems
from console.api.problems import FieldError, ProblemError
from console.api.translation import problem_of
from custom_events.errors import InvalidConfiguration


def check_all(*checks: Callable[[], object]) -> None:
    """Do all of these checks, and raise 422 with the faults of each, so that a fault of one field hides none of another's; any other problem is
    raised at once."""
    errors = list[FieldError]()
    for check in checks:
        try:
            check()
        except (InvalidConfiguration, ProblemError) as error:
            problem = problem_of(error)
            if problem.kind is not problems.INVALID:
                raise
            errors += problem.errors
    if errors:
        raise problems.invalid(*errors)
