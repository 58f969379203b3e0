"""What is mutated, and which tests judge it: quick ones, without a database, so that a mutant costs less than a second."""

from typing import Final, NamedTuple

DOMAIN: Final = "custom_events"
PLATFORMS: Final = "custom_events/platforms"
LEDGER: Final = "custom_events/ledger"
DESTINATIONS: Final = "custom_events/destinations"
SLOW_OF_PLATFORMS: Final = (
    "tests/platforms/test_signatures.py::test_nothing_a_stranger_sends_raises_or_passes",
    "tests/platforms/test_shopify_events.py::test_any_value_in_any_place_of_an_order_gives_a_verdict",
)


class Target(NamedTuple):
    """`mutated`: patterns of files. `judges`: files of tests. `slow`: tests among them that would take seconds for each mutant."""

    mutated: tuple[str, ...]
    judges: tuple[str, ...]
    slow: tuple[str, ...] = ()


TARGETS: Final = {
    "signatures": Target(
        mutated=(f"{PLATFORMS}/*/signature.py", f"{PLATFORMS}/timestamped.py", f"{PLATFORMS}/headers.py"),
        judges=(
            "tests/platforms/test_signatures.py",
            "tests/platforms/test_stripe.py",
            "tests/platforms/test_bigcommerce.py",
            "tests/platforms/test_delivery.py",
            "tests/platforms/test_shopify_events.py",
        ),
        slow=SLOW_OF_PLATFORMS,
    ),
    "deliveries": Target(
        mutated=(
            f"{PLATFORMS}/*/delivery.py",
            f"{PLATFORMS}/shopify/sources.py",
            f"{PLATFORMS}/dedup_keys.py",
            f"{DOMAIN}/values/deliveries.py",
            f"{PLATFORMS}/parse.py",
            f"{PLATFORMS}/loose_json.py",
            "ingest_api/landing_rows.py",
        ),
        judges=(
            "tests/platforms/test_delivery.py",
            "tests/platforms/test_signatures.py",
            "tests/platforms/test_stripe.py",
            "tests/platforms/test_bigcommerce.py",
            "tests/platforms/test_shopify_events.py",
            "tests/platforms/test_parse.py",
            "tests/ingest_api/test_landing_rows.py",
        ),
        slow=SLOW_OF_PLATFORMS,
    ),
    "conditions": Target(
        mutated=tuple(
            f"{DOMAIN}/conditions/{name}.py"
            for name in (
                "compile",
                "explain",
                "field_lookup",
                "hints",
                "interpret",
                "literals",
                "operators",
                "problems",
                "render",
                "runtime",
                "source",
                "validate",
            )
        ),
        judges=(
            "tests/conditions/test_verdicts.py",
            "tests/conditions/test_validate.py",
            "tests/conditions/test_for_people.py",
            "tests/conditions/test_money_fields.py",
            "tests/conditions/test_laws.py",
        ),
        slow=(
            "tests/conditions/test_verdicts.py::test_every_field_can_be_read_from_every_event",
            "tests/conditions/test_validate.py::test_a_huge_wrong_tree_gives_few_problems",
        ),
    ),
    "matching": Target(
        mutated=tuple(
            f"{DOMAIN}/matching/{name}.py"
            for name in (
                "checks",
                "compiled_rules",
                "day_totals",
                "dedup",
                "effective",
                "eligibility",
                "explain",
                "horizon",
                "match",
                "match_fields",
                "money",
                "refunded",
                "setting_checks",
                "threshold",
                "value",
                "value_checks",
                "value_rule",
                "worth",
            )
        ),
        judges=("tests/matching",),
    ),
    "ledger": Target(
        mutated=(
            *(
                f"{LEDGER}/{name}.py"
                for name in ("codes", "desired", "next_state", "order_worth", "quota", "retry", "states", "undoing")
            ),
            f"{DESTINATIONS}/rules.py",
            f"{DESTINATIONS}/conversion_rules.py",
            f"{DESTINATIONS}/transport_errors.py",
            f"{DESTINATIONS}/google_ads/answers.py",
            f"{DESTINATIONS}/google_ads/requests.py",
            f"{DESTINATIONS}/google_data_manager/answers.py",
            f"{DESTINATIONS}/google_data_manager/requests.py",
            f"{DESTINATIONS}/google_data_manager/verdicts.py",
        ),
        judges=(
            "tests/destinations",
            "tests/ledger/test_next_state.py",
            "tests/ledger/test_desired.py",
            "tests/ledger/test_states.py",
            "tests/ledger/test_quota.py",
            "tests/ledger/test_undone_values.py",
        ),
    ),
}
