"""`custom-events training`: the exercises of docs/training, with answers checked against the database."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from cli.session import connected, prepared

if TYPE_CHECKING:
    from sandbox.training.exercises import Exercise, Lesson

COURSES = ("store-operator", "marketing", "data-team")  # named here, so that help comes without importing them


@click.group(short_help="Courses on the demo's data: their questions, and whether an answer is right.")
def training() -> None:
    """Three courses with exercises on the demo's data (docs/training).

    \b
    Examples:
      custom-events training check store-operator                      its questions
      custom-events training check store-operator refused 7            is 7 right
      custom-events training check marketing publish-rule              was it done
    """


@training.command(short_help="A course's questions, or whether an answer is right.")
@click.argument("course", type=click.Choice(COURSES))
@click.argument("exercise", required=False)
@click.argument("answer", required=False)
def check(*, course: str, exercise: str | None, answer: str | None) -> None:
    """Say whether ANSWER is right for an EXERCISE of COURSE; without EXERCISE, list the questions of the course.

    What is right is computed from the database when you ask, so another run of the demo has other answers. Some exercises have something
    done, in the console or at the terminal: they take no ANSWER, and the database shows it. A wrong answer gets a hint. Nothing is
    changed.

    Exit code 0: right (or listed). 1: wrong, not answered, or the database lacks what the exercise is about.

    \b
    Examples:
      custom-events training check marketing
      custom-events training check store-operator not-sent click_too_old
      custom-events training check data-team matched-query "SELECT sum(matched) FROM reporting.fct_conversions_by_definition"
    """
    from sandbox.training.courses import COURSES as EXERCISES

    exercises = EXERCISES[course]
    if exercise is None:
        with _lesson() as lesson:
            _list(course, exercises, lesson)
        return
    chosen = next((known for known in exercises if known.key == exercise), None)
    if chosen is None:
        names = ", ".join(known.key for known in exercises)
        raise click.BadParameter(f'"{exercise}" is none of {course}: {names}', param_hint="EXERCISE")
    if chosen.answer is None and answer is not None:
        raise click.BadParameter(f"{exercise} takes none: the database shows whether it was done", param_hint="ANSWER")
    with _lesson() as lesson:
        if chosen.answer is not None and answer is None:
            click.echo(chosen.question(lesson))
            click.echo(f"Answer with {chosen.answer}: custom-events training check {course} {exercise} ANSWER")
            raise SystemExit(1)
        verdict = chosen.check(lesson, answer or "")
        if verdict.is_right:
            click.echo(f"Right. {verdict.sentence}")
            return
        if chosen.answer is not None:
            click.echo(chosen.question(lesson))
        click.echo(f"Wrong. {verdict.sentence}" if chosen.answer is not None else f"Not yet. {verdict.sentence}")
        raise SystemExit(1)


def _list(course: str, exercises: "Sequence[Exercise]", lesson: "Lesson") -> None:
    from custom_events.errors import NeedsAction

    for number, exercise in enumerate(exercises, start=1):
        click.echo(f"{number}. {exercise.title}  ({exercise.key})")
        try:
            click.echo(f"   {exercise.question(lesson)}")
        except NeedsAction as error:
            click.echo(f"   Not to be had here: {error}")
        words = f"{course} {exercise.key}" + ("" if exercise.answer is None else " ANSWER")
        click.echo(f"   custom-events training check {words}")


@contextmanager
def _lesson() -> "Generator[Lesson]":
    from custom_events.postgres import connect
    from sandbox.training.exercises import Lesson

    settings = prepared()
    with connected(settings) as engine:
        yield Lesson(engine=engine, url=connect.libpq_url(engine), settings=settings, now=datetime.now(UTC))
