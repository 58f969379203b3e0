"""Survivors that no test should kill, with the reason: what the change does nobody can observe, or only in the wording of a message.

By function (its module within the package, and its name) and by the line that the change puts there.
"""

import re
from typing import Final

NAMED_WITHOUT_CASE: Final = re.compile(r'"(?:utf-8|ascii|latin-1|sha256)"', re.IGNORECASE)
CODEC: Final = "Python reads the names of codecs and digests without case"
AT_IMPORT: Final = (
    "runs while its module is imported, before mutmut puts a change in force; the readers it makes are tested"
)
NO_SHAPE: Final = "a value that is missing and one of a wrong shape are refused alike"

SAME_NUMBER: Final = "a measure is compared with numbers alone: neither the event nor the currency is read"
NUMBERS_OF_NAMES: Final = "numbers within names of generated code: they differ all the same"
NO_FACTS_IN_CURRENCIES: Final = "no field reads its currency from our own records"
RESET: Final = "the first call begins a window, and so sets it anew"

# Functions whose changes are never in force.
CALLED_AT_IMPORT: Final = frozenset(
    {
        "conditions.literals.x__list_of",
        "conditions.literals.x__pair_of",
        *(
            f"destinations.rules.x_{name}"
            for name in ("expired", "hold", "never", "retry", "split", "taken", "there", "unreadable")
        ),
    }
)

EXPLAINED: Final[dict[tuple[str, str], str]] = {
    (
        "platforms.timestamped.x_check",
        'timestamp = headers.get(TIMESTAMP, "XXXX").strip(BLANKS)',
    ): NO_SHAPE,
    (
        "platforms.timestamped.x_describe",
        'timestamp = headers.get(TIMESTAMP, "XXXX").strip(BLANKS)',
    ): NO_SHAPE,
    (
        "platforms.stripe.signature.x_check",
        'seconds = next((value for name, _, value in parts if name == "t"), "XXXX")',
    ): NO_SHAPE,
    (
        "platforms.timestamped.x_signed_headers",
        "body: bytes, secret: bytes, *, now: datetime, event_id: str, topic: str, key_id: str | None = None, version: int = 3",
    ): "every version but 1 is signed as the second",
    (
        "platforms.bigcommerce.delivery.x__number",
        "text = optional_id(value) if (isinstance(value, Id) and not isinstance(value, bool)) or True else None",
    ): "`optional_id` gives nothing for other types, either",
    (
        "platforms.bigcommerce.delivery.x__number",
        "text = optional_id(value) if isinstance(value, Id) or not isinstance(value, bool) else None",
    ): "`optional_id` gives nothing for other types, either",
    (
        "matching.threshold.x__count_decision",
        "return lambda before, after: after // least > before / least",
    ): "the largest multiple up to `after` is above `before` either way",
    ("matching.value.x__amount_of", "base_in = base_currency(compiled, event, None)"): NO_FACTS_IN_CURRENCIES,
    ("matching.value_rule.x_base_currency", "currency = compiled.read_currency(event, None)"): NO_FACTS_IN_CURRENCIES,
    (
        "matching.worth.x_left_of",
        "given_back = sum((refund.amount for refund in refunds), )",
    ): "0 is worth as much as a whole number",
    (
        "platforms.loose_json.x_cleaned",
        "return value if (is_clean(value)) and False else clean(value)",
    ): "cleaning what is clean gives it back, only slower",
    (
        "platforms.parse.x_text",
        "return (stripped if len(stripped) < MAX_TEXT_CHARS else stripped[:MAX_TEXT_CHARS]) or None",
    ): "a text of just that length is cut to itself",
    (
        "platforms.shopify.delivery.x_describe",
        'def x_describe(headers: Mapping[str, str], body: bytes = b"XXXX") -> Delivery:',
    ): "no body at all, and one that is no JSON, name no topic alike",
    ("ingest_api.landing_rows.xǁRateWindowǁ__init__", "self._count = 1"): RESET,
    ("ingest_api.landing_rows.xǁRateWindowǁ__init__", "self._size = 1"): RESET,
    (
        "conditions.hints.x_operator_hint",
        'near = [meant] if meant in known else difflib.get_close_matches(op.strip().lower().replace("XX XX", "_"), known, n=1)',
    ): "the nearest operator is the same with a blank as with an underscore",
    (
        "conditions.hints.x_operator_hint",
        'near = [meant] if meant in known else difflib.get_close_matches(op.strip().lower().replace(" ", "_"), known, n=2)',
    ): "only the first is named",
    (
        "conditions.hints.x_operator_hint",
        'near = [meant] if meant in known else difflib.get_close_matches(op.strip().lower().replace(" ", "_"), known, )',
    ): "only the first is named",
    (
        "conditions.source.xǁSourceǁcurrency",
        'self._roots[root] = ""',
    ): "a set in the order of what came first: its values are not read",
    (
        "conditions.interpret.x__judge_measure",
        "holds = fits and _held(lambda: function(value, None, facts, currency))",
    ): SAME_NUMBER,
    (
        "conditions.interpret.x__judge_measure",
        "holds = fits and _held(lambda: function(value, event, facts, None))",
    ): SAME_NUMBER,
    (
        "conditions.interpret.x__judge_leaf",
        "read = event_function(value, value.value(leaf.field, ))",
    ): "the value that is shown has the same words, read for its operator or as it is",
    (
        "conditions.literals.xǁUnreadableǁ__init__",
        "super().__init__(None)",
    ): "its own fields are read, never its text",
    (
        "conditions.render.x__one",
        "return value if _PLAIN.match(value) else json.dumps(value, ensure_ascii=None)",
    ): "None is as false as False",
    (
        "conditions.source.x__is_of_days",
        "first = test.literal[1] if isinstance(test.literal, tuple) else test.literal",
    ): "both ends of a range are days, or neither is: reading refuses the rest",
    ("conditions.source.xǁSourceǁ_measure", "self._item_nodes += 2"): NUMBERS_OF_NAMES,
    ("conditions.source.xǁSourceǁ__init__", "self._item_nodes = 1"): NUMBERS_OF_NAMES,
    (
        "conditions.literals.x__number",
        "number = Decimal(str(value)) if (isinstance(value, float)) or True else Decimal(value)",
    ): "the text of a whole number, a text or a decimal gives the same number",
    (
        "matching.effective.x_effective",
        "values = zip(SETTINGS, _SETTINGS_OF(overrides), )",
    ): "both are made of one list of names",
    (
        "matching.effective.x_effective",
        "values = zip(SETTINGS, _SETTINGS_OF(overrides), strict=False)",
    ): "both are made of one list of names",
    (
        "matching.effective.x_effective",
        "values = zip(SETTINGS, _SETTINGS_OF(overrides), strict=None)",
    ): "both are made of one list of names",
    (
        "matching.checks.x__too_late",
        "days >= 0",
    ): "without a whole day of delay nothing is left out: no window is longer than Google's",
    (
        "matching.effective.x__origin",
        "return Origin.DEFAULT if getattr(definition, name) == _DEFAULTS.get(name, None) else Origin.DEFINITION",
    ): "the trigger alone has no default, and it is never None",
    (
        "matching.effective.x__origin",
        "return Origin.DEFAULT if getattr(definition, name) == _DEFAULTS.get(name, ) else Origin.DEFINITION",
    ): "the trigger alone has no default, and it is never None",
    (
        "matching.checks.x__cart",
        'lone = set("{}") & set(_BRACES.sub("XXXX", rule.item_id))',
    ): "only braces are looked for in what is left",
    (
        "matching.eligibility.x_click_for",
        "if action is None or best is None or (not action.one_per_click and action.click_window_days > window_days):",
    ): "saves a pass: within the same window the best click is found again",
    (
        "matching.match.x__rank",
        "return -rule.priority, rule.id <= 0, abs(rule.id)",
    ): "no assignment has the id 0",
    (
        "platforms.loose_json.x_cleaned",
        "return value if all(new is old for new, old in zip(items, value, )) else items",
    ): "one list is made of the other, element by element",
    (
        "platforms.parse.x__letters",
        'code = value.strip().upper() if value else "XXXX"',
    ): "no code has four letters",
    (
        "destinations.conversion_rules.x__of_click",
        'verdict, words = without_click(row, answer.sentence or "XXXX")',
    ): "what is withheld or expired has a sentence",
    (
        "destinations.rules.x_hold_until",
        "wait = timedelta(seconds=rule.hold_s or 1)",
    ): "it is asked only where the rule has a time, and none of those is 0",
    (
        "destinations.google_ads.requests.x_time_text",
        'return (moment if (moment.tzinfo is UTC) and False else moment.astimezone(UTC)).isoformat(" ", "seconds")',
    ): "saves a call: a time in UTC is the same in UTC",
    (
        "ledger.next_state.x__already_there",
        'if code.endswith(_ANOTHER_ORDERS) and not (row.reason or "XXXX").startswith(states.MAYBE_APPLIED):',
    ): "neither begins as what may have been applied does",
}


def reason_of(name: str, change: tuple[str, ...]) -> str | None:
    """Why a mutant of this name, which makes this change, may live; None: nobody has said so."""
    function = name.partition("__mutmut_")[0].removeprefix("custom_events.")
    if function in CALLED_AT_IMPORT:
        return AT_IMPORT
    removed, added = (" ".join(line[2:] for line in change if line[0] == sign) for sign in "-+")
    if removed != added and _without_case(removed) == _without_case(added):
        return CODEC
    return EXPLAINED.get((function, added))


def _without_case(line: str) -> str:
    return NAMED_WITHOUT_CASE.sub(lambda name: name[0].lower(), line)
