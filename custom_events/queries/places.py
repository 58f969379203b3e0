"""Where the ledger's rows of a custom event lie.

No index of the ledger names an order or the custom event of a conversion: each claim would write it anew (benchmarks/uploads.py: 8 ms
for 2,000 rows). The custom event names its conversion instead, in columns that nothing changes; adjustments, which are few, have an
index. Orders lead there by their custom events.
"""

from typing import Final

from custom_events.values.forgotten import PSEUDONYM

# Who was forgotten is matched no more: what is left of their events is there for the sums, and no rule could read what it once read.
# What was told Google of them stays as it is.
NOT_REDACTED: Final = f"key NOT LIKE '%:{PSEUDONYM}%'"
NOT_REDACTED_UPLOAD: Final = f"transaction_id NOT LIKE '{PSEUDONYM}%'"


def conversion_of(event: str, columns: str) -> str:
    """The conversion of the row `event` of custom_events, as a subquery with these columns of `v`."""
    return f"""SELECT {columns} FROM app.conversion_uploads v
    WHERE v.created_at = {event}.created_at AND v.id = {event}.upload_id"""


def rows_of(event: str, columns: str) -> str:
    """Its conversion and the adjustments of it, likewise; in no order."""
    return f"""{conversion_of(event, columns)}
    UNION ALL
    SELECT {columns} FROM app.conversion_uploads v WHERE v.custom_event_id = {event}.id AND v.kind <> 'conversion'"""
