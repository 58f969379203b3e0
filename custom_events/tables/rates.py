"""Exchange rates of days, by which reports add up amounts of several currencies."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Time

Rate = sa.Numeric(20, 10)  # ten decimals: one Indonesian rupiah is 0.0000500000 euros

exchange_rates = sa.Table(
    "exchange_rates",
    METADATA,
    sa.Column("currency", sa.Text, primary_key=True, comment="ISO 4217 code of the amounts that are changed."),
    sa.Column("reporting_currency", sa.Text, primary_key=True, comment="ISO 4217 code of what they are changed into."),
    sa.Column("day", sa.Date, primary_key=True, comment="The day it is the rate of."),
    sa.Column("rate", Rate, nullable=False, comment="Units of the reporting currency for one unit of the other."),
    sa.Column("source", sa.Text, nullable=False, comment="Whose rate it is, as the file says."),
    sa.Column("loaded_at", Time, nullable=False, server_default=sa.func.now(), comment="When it was loaded."),
    sa.CheckConstraint("rate > 0", name="rate_positive"),
    sa.CheckConstraint("currency <> reporting_currency", name="two_currencies"),
    schema=APP,
    comment="Exchange rates by day, loaded from files. One row per pair of currencies and day.",
)
