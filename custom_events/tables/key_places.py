"""Where the keys that are unique for ever lie in their indexes: by a place that follows from the key itself, and then the key.

Inserts meet in few pages where the keys of orders that come together lie together (decision 80). Shopify's ids rise over all shops, so that keys that hold
one lie in the order in which orders come, whatever shop they are from. Ids of other platforms begin at 1 in each shop: their keys lie by site or
assignment. As the place follows from the key, an index that is unique by place and key is unique by the key.

A statement finds a key by its index only where it names the place as the index does; other expressions than these would mean another index.
"""

from typing import Final

# Digits of an id that rises over all shops: Shopify's have 13 today, those of shops that count for themselves hardly ever 12.
_FEWEST_DIGITS: Final = 12
_MOST_DIGITS: Final = 16
# With the lines in which PostgreSQL shows the index: the check of the tables compares them.
_PLACE: Final = f"""(
CASE
    WHEN octet_length({{id}}) >= {_FEWEST_DIGITS} AND octet_length({{id}}) <= {_MOST_DIGITS} THEN {{id}}
    ELSE {{otherwise}}
END)"""


def of_event_key(row: str = "") -> str:
    """The first column of the unique index of `event_keys`, in SQL: the id after the type, else the site. `row`: by which name a statement knows
    the row, its table where empty."""
    return _place(f"split_part({_column(row, 'key')}, ':', 2)", f"{_column(row, 'site_id')}::text")


def of_dedup_key(row: str = "") -> str:
    """The same of `custom_event_keys`: the id after the kind of key, else the assignment."""
    return _place(f"split_part({_column(row, 'dedup_key')}, ':', 2)", f"{_column(row, 'assignment_id')}::text")


def of_transaction(row: str = "") -> str:
    """The same of `upload_keys`: the order's id of `<site id>-<order id>`, else nothing, as what follows begins with the site."""
    return _place(f"split_part({_column(row, 'transaction_id')}, '-', 2)", "''")


def is_event_key(row: str, other: str) -> str:
    """Condition that a row of `event_keys` has the site and the key of another row, which has both."""
    return (
        f"{of_event_key(row)} = {of_event_key(other)} AND {row}.key = {other}.key AND {row}.site_id = {other}.site_id"
    )


def is_dedup_key(row: str, other: str) -> str:
    """Condition that a row of `custom_event_keys` has the assignment and the dedup key of another row, which has both."""
    return f"{of_dedup_key(row)} = {of_dedup_key(other)} AND {row}.dedup_key = {other}.dedup_key AND {row}.assignment_id = {other}.assignment_id"


def is_transaction(row: str, other: str) -> str:
    """Condition that a row of `upload_keys` has the action and the transaction id of another row, which has both."""
    return (
        f"{of_transaction(row)} = {of_transaction(other)} AND {row}.transaction_id = {other}.transaction_id"
        f" AND {row}.ads_action_id = {other}.ads_action_id"
    )


def _place(id_text: str, otherwise: str) -> str:
    return _PLACE.format(id=id_text, otherwise=otherwise)


def _column(row: str, name: str) -> str:
    return f"{row}.{name}" if row else name
