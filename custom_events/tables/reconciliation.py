"""What Google says it made of our uploads, beside what the ledger says. It changes no row of the ledger."""

import sqlalchemy as sa

from custom_events.tables.base import APP, METADATA, Json, Time


def _account() -> sa.Column[int]:
    return sa.Column(
        "ads_account_id",
        sa.BigInteger,
        sa.ForeignKey("app.ads_accounts.id"),
        primary_key=True,
        autoincrement=False,
        comment="Whose uploads.",
    )


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0", comment=comment)


def _google(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, comment=f"{comment} Null: Google has not told of this day.")


google_upload_status = sa.Table(
    "google_upload_status",
    METADATA,
    _account(),
    sa.Column("action_id", sa.Text, primary_key=True, comment="Google's id of the conversion action; empty: all."),
    sa.Column("client", sa.Text, primary_key=True, comment="Google's name for the way in: GOOGLE_ADS_API ..."),
    sa.Column("status", sa.Text, nullable=False, comment="EXCELLENT, GOOD, NEEDS_ATTENTION or NO_RECENT_UPLOAD."),
    _count("successful", "Events that Google took, over all that it still knows."),
    _count("failed", "Events that Google did not take."),
    _count("pending", "Events that Google has not decided."),
    sa.Column("last_upload_at", sa.Text, comment="Google's text, in the account's time zone."),
    sa.Column(
        "alerts", Json, nullable=False, server_default=sa.text("'[]'"), comment="Errors with their share of the events."
    ),
    sa.Column("read_at", Time, nullable=False, comment="When it was read."),
    schema=APP,
    comment="Google's own judgement of the uploads, as last read. One row per account, conversion action and client.",
)

reconciliation_days = sa.Table(
    "reconciliation_days",
    METADATA,
    _account(),
    sa.Column("action_id", sa.Text, primary_key=True, comment="Google's numeric id of the conversion action."),
    sa.Column("day", sa.Date, primary_key=True, comment="Day of the call, in the account's time zone."),
    _count("sent", "Conversions and adjustments whose last call was made that day."),
    _count("accepted", "Of those: Google has it."),
    _count("pending", "Of those: the verdict is still to come."),
    _count("refused", "Of those: Google will not take it."),
    _count("unknown", "Of those: no answer came; sent again under the same order id."),
    _count("again", "Of those: waiting to be sent again."),
    _count("ended", "Of those: expired or withheld after a call that did not take it."),
    _count("unattributable", "Of the accepted: nobody who clicked an ad fits. Expected, no error."),
    _count("already_there", "Of the accepted: Google had it before."),
    _count("without_click", "Of the sent: hashed e-mail or phone alone, no click id."),
    _count("retracted", "Of the sent: retractions, which add no conversion."),
    sa.Column(
        "reasons",
        Json,
        nullable=False,
        server_default=sa.text("'{}'"),
        comment="Codes of what was not plainly accepted, with their rows.",
    ),
    _count("events", "Rows that answered calls of the day carried; a row sent twice counts twice, as at Google."),
    _count("unanswered", "Rows in calls of the day without an answer: Google may have counted them or not."),
    _google("google_successful", "Events that Google took."),
    _google("google_failed", "Events that Google did not take."),
    _google("google_pending", "Events that Google has not decided."),
    sa.Column("google_read_at", Time, comment="When Google's figures were read."),
    sa.Column("updated_at", Time, nullable=False, comment="When our figures were counted."),
    sa.CheckConstraint(
        "sent = accepted + pending + refused + unknown + again + ended", name="every_sent_row_stands_somewhere"
    ),
    sa.Index(None, "day"),
    schema=APP,
    comment="Our ledger beside Google's summaries. One row per account, conversion action and day of the call.",
)
