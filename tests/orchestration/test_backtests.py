"""The backtest as a Dagster job: its answer stands in the step's metadata."""

from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from custom_events.catalog import definitions, sites
from custom_events.values.deliveries import Platform
from orchestration.backtests import backtest

ME = "ana@example.org"


def asked(url: str, **question: Any) -> dg.ExecuteInProcessResult:
    return backtest.execute_in_process(
        run_config={"ops": {"look_back": {"config": {"since": "2026-11-01", **question}}}},
        resources={"database_url": url},
        raise_on_error=False,
    )


def test_the_answer_is_metadata_of_the_step(database: str, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        definitions.create(connection, key="bought", name="Bought", config={"trigger": ["order.paid"]}, author=ME)
        site = sites.create(connection, platform=Platform.SHOPIFY, name="Shop", shop_domain="a.myshopify.com", actor=ME)
    result = asked(database, definition="bought", sites=[site.id], until="2026-11-02T00:00+00:00")
    assert result.success
    (event,) = [one for one in result.all_events if one.event_type_value == "STEP_OUTPUT"]
    metadata = event.step_output_data.metadata
    assert metadata["would_add"].value == 0
    assert metadata["assignments"].records[0].data["definition"] == "bought"
    assert metadata["answer"].data["counts"]["unchanged"] == 0
    assert metadata["in_words"].md_str.startswith("```text\nDefinition")


@pytest.mark.parametrize(("question", "words"), [
    ({"definition": "nothing"}, 'There is no definition "nothing"'),
    ({"since": "yesterday"}, 'since: "yesterday" is no time'),
    ({"since": "2026-W05"}, 'since: "2026-W05" is no time'),
    ({"config": {"trigger": []}, "overrides": {}}, "trigger"),
])  # fmt: skip
def test_a_question_that_cannot_be_asked_fails_with_its_sentence(
    database: str, question: dict[str, Any], words: str
) -> None:
    result = asked(database, **question)
    assert not result.success
    failure = next(one for one in result.all_events if one.event_type_value == "STEP_FAILURE")
    assert words in str(failure.step_failure_data.user_failure_data or failure.step_failure_data.error)
