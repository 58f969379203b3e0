"""What there is after a run, without what every run decides anew (ids, and moments of its own), and where two runs differ."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec
import psycopg
import zstandard

from chaos.traffic import Identity, identity
from custom_events.queries.uploads import UNMATCHED

Rows = dict[tuple[Any, ...], tuple[Any, ...]]

# By name: how many columns are the key, and the statement. What is compared says the same whatever came first and whatever was sent when.
# A conversion's own time is not among it: once Google has it, a body that tells of an earlier time changes the custom event alone.
COMPARED: Final[Mapping[str, tuple[int, str]]] = {
    "commerce events": (
        2,
        """
SELECT site_id, key, type, occurred_at, evidence_at, is_undone, is_test, order_id,
  regexp_replace(facts::text, '"raw_id":[0-9]+', '', 'g')
FROM app.commerce_events""",
    ),
    "orders": (
        2,
        """
SELECT site_id, order_id, state_at, status, financial_status, paid_at, cancelled_at, deleted_at, total, refunded, payment_lost_at, ARRAY(
    SELECT (r.refund_id, r.amount)::text FROM app.order_refunds r
    WHERE r.site_id = o.site_id AND r.order_id = o.order_id AND r.amount > 0 ORDER BY 1)
FROM app.orders o""",
    ),
    "custom events": (
        2,
        """
SELECT e.assignment_id, e.dedup_key, e.order_id, e.occurred_at, e.value, e.currency, e.customer_key,
  coalesce(e.withheld_reason, (
    SELECT u.reason FROM app.conversion_uploads u WHERE u.custom_event_id = e.id AND u.sequence = 0 AND u.reason = 'consent_denied'))
FROM app.custom_events e WHERE e.withdrawn_at IS NULL""",
    ),
    "conversions": (
        2,
        """
SELECT e.assignment_id, e.dedup_key, u.transaction_id, u.ads_action_id, u.currency, u.click_id, u.email_sha256
FROM app.custom_events e JOIN app.conversion_uploads u ON u.custom_event_id = e.id AND u.sequence = 0
WHERE e.withdrawn_at IS NULL""",
    ),
}
# What the ledger says that Google has now, by action and transaction: the newest row that was accepted.
LEDGER: Final = f"""
SELECT a.action_id, u.transaction_id, CASE WHEN u.kind = 'retraction' THEN 0 ELSE u.value END
FROM (
  SELECT DISTINCT ON (ads_action_id, transaction_id) ads_action_id, transaction_id, kind, value
  FROM app.conversion_uploads u WHERE state = 'accepted' AND {UNMATCHED.format(row="u")} IS NOT TRUE
  ORDER BY ads_action_id, transaction_id, sequence DESC) u
JOIN app.ads_actions a ON a.id = u.ads_action_id"""
WHY_NOT: Final = """
SELECT a.action_id, u.transaction_id, string_agg(u.kind || ' ' || u.state || coalesce(' (' || u.reason || ')', ''), ', ' ORDER BY u.sequence)
FROM app.conversion_uploads u JOIN app.ads_actions a ON a.id = u.ads_action_id GROUP BY 1, 2"""
# A customer's no that did not reach a conversion of the order: one that waits, or one that would be sent again, since nothing tells its next claim.
UNHEARD: Final = """
SELECT 'Consent: order ' || o.order_id || ' says no, and conversion ' || coalesce(u.transaction_id, u.id::text) || ' is ' || u.state
FROM app.orders o
JOIN app.custom_events e ON e.site_id = o.site_id AND e.order_id = o.order_id
JOIN app.conversion_uploads u ON u.custom_event_id = e.id AND u.sequence = 0
WHERE o.ad_user_data = 'denied' AND e.withdrawn_at IS NULL AND u.state <> 'withheld' AND (u.state IN ('new', 'held', 'queued') OR NOT EXISTS (
  SELECT FROM app.order_consents c WHERE c.site_id = o.site_id AND c.order_id = o.order_id AND c.ad_user_data = 'denied'))"""
STATES: Final = """
SELECT kind || ' ' || state || coalesce(': ' || reason, ''), count(*) FROM app.conversion_uploads GROUP BY 1 ORDER BY 2 DESC, 1"""
ALREADY_RETRACTED: Final = "(already_retracted)"  # as `Outcome.steps` has it
_DENIED: Final = "conversion withheld (consent_denied)"
_SENT: Final = ("conversion accepted", "conversion rejected")
CENT: Final = Decimal("0.01")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`landed`: how often each delivery is there. `at_google`: the values that the sandbox holds under an action and a transaction,
    and `by_ledger` the one that the ledger says it holds. `uncounted`: what Google took and counts nothing of, as nobody who clicked has
    that e-mail. `steps`: the rows of the ledger behind it, in words. `unheard`: sentences about conversions whose customer said no, unheard."""

    landed: Counter[Identity]
    compared: dict[str, Rows]
    at_google: dict[tuple[str, str], list[Decimal]]
    uncounted: set[tuple[str, str]]
    by_ledger: dict[tuple[str, str], Decimal]
    steps: dict[tuple[str, str], str]
    states: dict[str, int]
    unheard: list[str] = []


def read(connection: "psycopg.Connection[Any]", dump: Mapping[str, Any]) -> Outcome:
    """Of a database and of the sandbox's dump."""
    decompress = zstandard.ZstdDecompressor().decompress
    landed = Counter(
        identity(topic, delivery_id, decompress(body))
        for topic, delivery_id, body in connection.execute("SELECT topic, delivery_id, body FROM landing.raw_events")
    )
    held: dict[tuple[str, str], list[Decimal]] = {}
    for conversion in dump["conversions"]:
        is_nothing = conversion["retracted"] or not conversion["counted"]
        value = Decimal(0) if is_nothing else Decimal(str(conversion["value"]))
        held.setdefault(_transaction(conversion), []).append(value.quantize(CENT))
    return Outcome(
        landed=landed,
        compared={
            name: {row[:keys]: row[keys:] for row in connection.execute(statement.encode())}
            for name, (keys, statement) in COMPARED.items()
        },
        at_google=held,
        uncounted={_transaction(conversion) for conversion in dump["conversions"] if not conversion["counted"]},
        by_ledger={
            (action, transaction): (value or Decimal(0)).quantize(CENT)
            for action, transaction, value in connection.execute(LEDGER.encode())
        },
        steps={(action, transaction): text for action, transaction, text in connection.execute(WHY_NOT)},
        states=dict(connection.execute(STATES).fetchall()),
        unheard=[sentence for (sentence,) in connection.execute(UNHEARD)],
    )


def _transaction(conversion: Mapping[str, Any]) -> tuple[str, str]:
    return conversion["action_id"], conversion["order_id"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences, each of a row: what was acknowledged and is gone, what is there twice, what is otherwise than it should be. The last two
    are none of that, as the ledger says. `retracted`: Google takes no retraction back, so an order that was undone and taken up again keeps nothing
    there where it was retracted in between. `sent_before_denial`: the body that tells of a customer's no came after the conversion was sent, which
    in the quiet run it preceded."""

    lost: list[str]
    doubled: list[str]
    wrong: list[str]
    retracted: list[str]
    sent_before_denial: list[str]

    @property
    def is_clean(self) -> bool:
        """Nothing at all."""
        return not (self.lost or self.doubled or self.wrong)


def judged(quiet: Outcome, disturbed: Outcome, acknowledged: Iterable[Identity]) -> Verdict:
    """What is wrong with the disturbed run, by the deliveries that were acknowledged and by a quiet run of the same traffic."""
    expected = set(acknowledged)
    lost = [f"delivery {_named(key)} was acknowledged and is not there" for key in expected - disturbed.landed.keys()]
    doubled = [f"delivery {_named(key)} is there {count} times" for key, count in disturbed.landed.items() if count > 1]
    wrong = [f"delivery {_named(key)} is there, and nobody posted it" for key in disturbed.landed.keys() - expected]
    denied_later = _denied_later(quiet, disturbed)
    events = _events_of(quiet, denied_later)
    sent_before_denial: list[str] = []
    for name, rows in quiet.compared.items():
        others = disturbed.compared[name]
        lost += [f"{name}: {key} is missing; in the quiet run {rows[key]}" for key in rows.keys() - others.keys()]
        wrong += [
            f"{name}: {key} is there, and not in the quiet run: {others[key]}" for key in others.keys() - rows.keys()
        ]
        for key in (key for key in rows.keys() & others.keys() if rows[key] != others[key]):
            is_later_no = key in events and rows[key][:-1] == others[key][:-1]  # the last column: why not, the e-mail
            sentences = sent_before_denial if is_later_no else wrong
            sentences.append(f"{name}: {key} is {others[key]}, in the quiet run {rows[key]}")
    doubled += [
        f"Google: {key} is there {len(values)} times: {values}"
        for key, values in disturbed.at_google.items()
        if len(values) > 1
    ]
    retracted: list[str] = []
    for key, sentence in _other_values(quiet, disturbed).items():
        if any(_is_retracted_for_good(run, key) for run in (quiet, disturbed)):
            retracted.append(sentence)
        elif key in denied_later:
            sent_before_denial.append(sentence)
        else:
            wrong.append(sentence)
    wrong += contradictions(disturbed)
    return Verdict(
        lost=sorted(lost),
        doubled=sorted(doubled),
        wrong=sorted(wrong),
        retracted=sorted(retracted),
        sent_before_denial=sorted(sent_before_denial),
    )


def contradictions(outcome: Outcome) -> list[str]:
    """Where the ledger says of a transaction otherwise than Google, or a conversion has not heard what its customer said."""
    return outcome.unheard + [
        f"Google: {key} is {net(outcome.at_google, key)} there, {outcome.by_ledger.get(key, 0)} by the ledger ({outcome.steps.get(key)})"
        for key in (outcome.at_google.keys() | outcome.by_ledger.keys()) - outcome.uncounted
        if net(outcome.at_google, key) != outcome.by_ledger.get(key, 0)
    ]


def _is_retracted_for_good(outcome: Outcome, key: tuple[str, str]) -> bool:
    """Whether Google holds nothing there because it takes no retraction back."""
    return ALREADY_RETRACTED in outcome.steps.get(key, "") and not net(outcome.at_google, key)


def _denied_later(quiet: Outcome, disturbed: Outcome) -> set[tuple[str, str]]:
    """Actions and transactions that were sent in the disturbed run, and that the quiet run withheld for a customer's no."""
    return {
        key
        for key, steps in quiet.steps.items()
        if _DENIED in steps and any(step in disturbed.steps.get(key, "") for step in _SENT)
    }


def _events_of(outcome: Outcome, keys: set[tuple[str, str]]) -> set[tuple[Any, ...]]:
    """Keys of the custom events that these transactions are about."""
    transactions = {transaction for _, transaction in keys}
    conversions = outcome.compared.get("conversions", {})
    return {key for key, (transaction, *_) in conversions.items() if transaction in transactions}


def net(at_google: Mapping[tuple[str, str], list[Decimal]], key: tuple[str, str]) -> Decimal:
    """What counts under an action and a transaction: what was never sent and what was taken back count alike."""
    return sum(at_google.get(key, ()), Decimal(0))


def _other_values(quiet: Outcome, disturbed: Outcome) -> dict[tuple[str, str], str]:
    return {
        key: f"Google: {key} is {net(disturbed.at_google, key)} ({disturbed.steps.get(key)}), "
        f"in the quiet run {net(quiet.at_google, key)} ({quiet.steps.get(key)})"
        for key in quiet.at_google.keys() | disturbed.at_google.keys()
        if net(disturbed.at_google, key) != net(quiet.at_google, key)
    }


def _named(key: Identity) -> str:
    topic, delivery_id, digest = key
    return f"{topic} {delivery_id or 'without an id'} ({digest.hex()[:12]})"
