"""`custom-events training check` as somebody in a course meets it."""

from pathlib import Path

import pytest

from cli import training
from sandbox.training.courses import COURSES
from tests.backtest.conftest import PastWorld
from tests.cli.conftest import Run

PAGES = Path(__file__).parents[2] / "docs" / "training"


@pytest.mark.parametrize("course", COURSES)
def test_a_course_lists_its_questions(run: Run, world: PastWorld, course: str) -> None:
    listed = run("training", "check", course, DATABASE_URL=world.url)
    assert listed.exit_code == 0, listed.output
    for number, exercise in enumerate(COURSES[course], start=1):
        assert f"{number}. {exercise.title}  ({exercise.key})\n" in listed.output
        assert f"custom-events training check {course} {exercise.key}" in listed.output
    assert "Not to be had here: " in listed.output


def test_right_wrong_and_not_answered(run: Run, world: PastWorld) -> None:
    def check(*words: str) -> tuple[int, str]:
        result = run("training", "check", *words, DATABASE_URL=world.url)
        return result.exit_code, result.output

    code, output = check("store-operator", "refused", "0")
    assert (code, output.partition(".")[0]) == (0, "Right")
    code, output = check("store-operator", "refused", "7")
    assert code == 1
    assert output.startswith("How many deliveries has the receiver refused, whatever the reason?\nWrong. ")
    assert check("store-operator", "refused") == (
        1,
        (
            "How many deliveries has the receiver refused, whatever the reason?\n"
            "Answer with a number: custom-events training check store-operator refused ANSWER\n"
        ),
    )
    code, output = check("data-team", "replay")
    assert (code, output.partition(".")[0]) == (1, "Not yet")
    code, output = check("data-team", "replay", "done")
    assert (code, "replay takes none" in output) == (2, True)
    code, output = check("marketing", "refused")
    assert (code, '"refused" is none of marketing: comparison, consent,' in output) == (2, True)
    code, output = check("marketing", "draft-rule")
    assert (code, output.startswith("Error: There is no definition `training_vip` yet")) == (1, True)


def test_the_courses_of_help_are_those_there_are() -> None:
    assert tuple(COURSES) == training.COURSES


@pytest.mark.parametrize("course", COURSES)
def test_each_exercise_stands_on_the_page_of_its_course_in_order(course: str) -> None:
    page = (PAGES / f"{course}.md").read_text()
    places = [page.find(f"custom-events training check {course} {exercise.key}") for exercise in COURSES[course]]
    assert -1 not in places
    assert places == sorted(places)
