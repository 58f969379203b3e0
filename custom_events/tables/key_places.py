"""Where the keys that are unique for ever lie in their indexes: by a place that follows from the key itself, and then the key.

Inserts meet in few pages where the keys of orders that come together lie together (decision 80). Shopify's order ids rise over all shops, so that keys that hold
one lie in the order in which orders come, whatever shop they are from. Ids of other platforms begin at 1 in each shop: their keys lie by assignment, or by
the site with which a transaction id begins. As the place follows from the key, an index that is unique by place and key is unique by the key.

A statement finds a key by its index only where it names the place as the index does; other expressions than these would mean another index.
"""

from typing import Final

# Digits of an id that rises over all shops: Shopify's have 13 today, those of shops that count for themselves hardly ever 12.
_FEWEST_DIGITS: Final = 12
_MOST_DIGITS: Final = 16
_OF_AN_ORDER: Final = "o:"  # begins the dedup keys of orders (matching/dedup.py)
# With the lines in which PostgreSQL shows the index: the check of the tables compares them.
_CASE: Final = "(\nCASE\n    WHEN {when} THEN {then}\n    ELSE {otherwise}\nEND)"


def of_dedup_key(row: str = "") -> str:
    """The first column of the unique index of `custom_event_keys`, in SQL; `row`: by which name a statement knows the row, its table where empty."""
    least, most = (len(_OF_AN_ORDER) + digits for digits in (_FEWEST_DIGITS, _MOST_DIGITS))
    key = _column(row, "dedup_key")
    has_order_id = (
        f"starts_with({key}, '{_OF_AN_ORDER}') AND octet_length({key}) >= {least} AND octet_length({key}) <= {most}"
    )
    return _CASE.format(when=has_order_id, then="0", otherwise=_column(row, "assignment_id"))


def of_transaction(row: str = "") -> str:
    """The first column of the unique index of `upload_keys`, in SQL: the order's id of `<site id>-<order id>`; `row` as above."""
    order_id = f"split_part({_column(row, 'transaction_id')}, '-', 2)"
    has_order_id = f"octet_length({order_id}) >= {_FEWEST_DIGITS} AND octet_length({order_id}) <= {_MOST_DIGITS}"
    return _CASE.format(when=has_order_id, then=order_id, otherwise="''")


def is_dedup_key(row: str, other: str) -> str:
    """Condition that a row of `custom_event_keys` has the assignment and the dedup key of another row, which has both."""
    return f"{of_dedup_key(row)} = {of_dedup_key(other)} AND {row}.dedup_key = {other}.dedup_key AND {row}.assignment_id = {other}.assignment_id"


def is_transaction(row: str, other: str) -> str:
    """Condition that a row of `upload_keys` has the action and the transaction id of another row, which has both."""
    return (
        f"{of_transaction(row)} = {of_transaction(other)} AND {row}.transaction_id = {other}.transaction_id"
        f" AND {row}.ads_action_id = {other}.ads_action_id"
    )


def _column(row: str, name: str) -> str:
    return f"{row}.{name}" if row else name
