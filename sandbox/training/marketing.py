"""The course of marketing: what Google took, what consent keeps back, and a rule from its draft to its roll-back."""

from typing import Final

import sqlalchemy as sa

from custom_events.catalog import audit, definitions, sites
from custom_events.catalog.configurations import stored_config
from custom_events.catalog.definitions import Definition
from custom_events.errors import NeedsAction, NotFound
from custom_events.explain.recent_matches import RecentMatch, RecentMatches, run_sync
from custom_events.ledger import differences
from custom_events.ledger.differences import Day
from custom_events.queries import status_counts
from custom_events.values.conversions import UploadState
from custom_events.values.definitions import DefinitionConfig
from custom_events.values.deliveries import Platform
from custom_events.values.reasons import CONSENT_UNKNOWN_IN_EUROPE, Reason
from custom_events.watching.status import SOON_S
from sandbox.training.exercises import Exercise, Lesson, Verdict, number_in, right, wrong
from sandbox.training.ledger_rows import RUN_THE_DEMO
from sandbox.training.reference_rule import KEY, RULE, SENTENCE

CONSENT: Final = frozenset(
    f"{state}: {reason}"
    for state in (UploadState.WITHHELD.value, UploadState.HELD.value)
    for reason in (Reason.CONSENT_DENIED.value, Reason.CONSENT_UNKNOWN.value, CONSENT_UNKNOWN_IN_EUROPE)
)
SUBJECT: Final = f"definition:{KEY}"


def _ask_comparison(lesson: Lesson) -> str:
    day = _compared(lesson)
    return (
        f"On {day.day} we sent something to account {day.customer_id}, conversion action {day.action_id}. How many more did we send than "
        "Google counts as taken?"
    )


def _check_comparison(lesson: Lesson, answer: str) -> Verdict:
    day = _compared(lesson)
    taken = day.google.successful if day.google is not None else 0
    if number_in(answer) == day.sent - taken:
        return right("The lines below that day name the causes, each with its number.")
    return wrong(
        f"`custom-events uploads reconcile {day.customer_id} --action {day.action_id} --no-read --days 28` has the day: what was sent stands "
        "in its second line, what Google took in the third."
    )


def _compared(lesson: Lesson) -> Day:
    """Of the days that Google has told of, the one on which the two differ most; the newest of several."""
    with lesson.engine.connect() as connection:
        days = differences.all_days(connection, lesson.now)
    compared = [(day, day.sent - day.google.successful) for day in days if day.google is not None and day.sent]
    if not compared:
        raise NeedsAction(
            "Google's counts were not read yet: run `custom-events uploads reconcile`, while the demo is up."
        )
    return max(compared, key=lambda day_gap: (day_gap[1], day_gap[0].day, day_gap[0].action_id))[0]


def _ask_consent(lesson: Lesson) -> str:
    del lesson
    return "How many conversions and adjustments does consent keep from Google: those withheld for it, and those held for it?"


def _check_consent(lesson: Lesson, answer: str) -> Verdict:
    with lesson.engine.connect() as connection:
        reasons = status_counts.ledger(connection, SOON_S).reasons
    if number_in(answer) == sum(count for reason, count in reasons.items() if reason in CONSENT):
        return right("What is held goes when a yes comes in time; what was refused stays here.")
    return wrong(
        "Add up the lines of `custom-events status`, under what is held and withheld, whose reason begins with `consent_`."
    )


def _ask_draft(lesson: Lesson) -> str:
    del lesson
    return f"Draft the definition `{KEY}`. {SENTENCE}"


def _check_draft(lesson: Lesson, answer: str) -> Verdict:
    del answer
    with lesson.engine.connect() as connection:
        owner = _definition(connection)
        newest = definitions.revision(connection, KEY, owner.newest_number)
    if _agrees(lesson, stored_config(newest.payload)):
        return right(f"Revision {newest.number} matches what it should, at the right value.")
    return wrong(
        f"Revision {newest.number} matches other events than the sentence says, or at another value: `custom-events test-rule --definition "
        f"{KEY} --event order.paid:ORDER --site SITE` shows it leaf by leaf. {SENTENCE}"
    )


def _ask_test(lesson: Lesson) -> str:
    return f"Try `{KEY}` on {_sample(lesson).event_key}. What is it worth under that rule?"


def _check_test(lesson: Lesson, answer: str) -> Verdict:
    sample = _sample(lesson)
    if number_in(answer) == sample.value:
        return right("Nothing was stored by trying it.")
    site_key = _site(lesson)[1]
    return wrong(
        f"`custom-events test-rule --definition {KEY} --event {sample.event_key} --site {site_key}` says the value."
    )


def _ask_publish(lesson: Lesson) -> str:
    del lesson
    return f"Publish `{KEY}`."


def _check_publish(lesson: Lesson, answer: str) -> Verdict:
    del answer
    with lesson.engine.connect() as connection:
        owner = _definition(connection)
        config = definitions.published_config(connection, KEY)
    if config is None:
        return wrong(
            f"Nothing of it applies: revision {owner.newest_number} is a draft. `custom-events definition publish --help`"
        )
    if _agrees(lesson, config):
        return right("It applies from the next batch on, on every site that has it assigned.")
    return wrong(
        f"What applies is revision {owner.published_number}, and it is another rule than was to be drafted. {SENTENCE}"
    )


def _ask_roll_back(lesson: Lesson) -> str:
    del lesson
    return f"Publish a second revision of `{KEY}`, with another amount. Then roll back to the one before."


def _check_roll_back(lesson: Lesson, answer: str) -> Verdict:
    del answer
    with lesson.engine.connect() as connection:
        owner = _definition(connection)
        entries = audit.search(connection, audit.Filter(subject=SUBJECT, action="definition.rollback"), limit=1)
    if not entries:
        return wrong(
            f"Nobody rolled it back yet: `custom-events definition revisions {KEY}` lists what one may go back to."
        )
    if owner.published_number != entries[0].detail.get("number"):
        return wrong(
            "It was rolled back, and that is not what applies now: something was published later, or waits for a second person."
        )
    if _agrees(lesson, stored_config(entries[0].before or {})):
        return wrong(
            "What was rolled back matched the same as what applies now: publish one with another amount first."
        )
    return right("The older settings apply again, as a revision of their own; the history has all of them.")


def _definition(connection: sa.Connection) -> Definition:
    try:
        return definitions.get(connection, KEY)
    except NotFound:
        raise NeedsAction(f"There is no definition `{KEY}` yet: draft it first. {SENTENCE}") from None


def _agrees(lesson: Lesson, config: DefinitionConfig) -> bool:
    """Whether settings match what the rule of the exercise does, at the same values, on what the site has."""
    expected, tried = _expected(lesson), _tried(lesson, config)
    return (expected.matching, expected.samples) == (tried.matching, tried.samples)


def _tried(lesson: Lesson, config: DefinitionConfig) -> RecentMatches:
    return run_sync(lesson.url, config, site_id=_site(lesson)[0])


def _expected(lesson: Lesson) -> RecentMatches:
    """What the rule of the exercise matches. Raises NeedsAction where that is nothing: any other rule would seem right."""
    expected = _tried(lesson, RULE)
    if not expected.samples:
        raise NeedsAction(f"No order here is large enough for this exercise. {RUN_THE_DEMO}")
    return expected


def _sample(lesson: Lesson) -> RecentMatch:
    return _expected(lesson).samples[0]


def _site(lesson: Lesson) -> tuple[int, str]:
    """The first Shopify site: (id, key)."""
    with lesson.engine.connect() as connection:
        shop = next((site for site in sites.page(connection) if site.platform is Platform.SHOPIFY), None)
    if shop is None:
        raise NeedsAction(f"There is no Shopify site here. {RUN_THE_DEMO}")
    return shop.id, shop.site_key


EXERCISES: Final = (
    Exercise(key="comparison", title="A day beside Google's figures", answer="a number", question=_ask_comparison, check=_check_comparison),
    Exercise(key="consent", title="What consent keeps back", answer="a number", question=_ask_consent, check=_check_consent),
    Exercise(key="draft-rule", title="Draft a rule", answer=None, question=_ask_draft, check=_check_draft),
    Exercise(key="test-rule", title="Test it on an order", answer="an amount", question=_ask_test, check=_check_test),
    Exercise(key="publish-rule", title="Publish it", answer=None, question=_ask_publish, check=_check_publish),
    Exercise(key="roll-back", title="Roll back", answer=None, question=_ask_roll_back, check=_check_roll_back),
)  # fmt: skip
