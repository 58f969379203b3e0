"""What Google answered about each row, noted as it comes in, beside what the database says of it afterwards."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.ledger import poll, record_answers
from custom_events.ledger.next_state import next_state
from custom_events.ledger.upload_rows import Request
from custom_events.queries import traces, watching
from custom_events.values.conversions import RowAnswer

Answered = tuple[datetime, int, int, str, str | None, str | None]


class History:
    """Every answer that was to be written: when, to which row, in which request, verdict, code, sentence."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answered: set[Answered] = set()
        real = record_answers.write_rows

        def write_rows(
            connection: sa.Connection,
            request: Request,
            told: Sequence[RowAnswer],
            now: datetime,
            *,
            whole: bool,
            **options: Any,
        ) -> record_answers.SharedVerdict:
            kept = real(connection, request, told, now, whole=whole, **options)
            for row, answer in zip(request.rows, told, strict=True):
                sentence = next_state(row, answer, now, whole=whole, rows=len(request.rows)).sentence
                self.answered.add((now, answer.upload_id, request.id, answer.verdict.value, answer.code, sentence))
            return kept

        monkeypatch.setattr(record_answers, "write_rows", write_rows)
        monkeypatch.setattr(poll, "write_rows", write_rows)

    def check(self, engine: sa.Engine, now: datetime) -> None:
        """Each answer is there, once, and nothing else is: in the view, in an order's story, and in the figures of the day."""
        with engine.connect() as connection:
            view = [tuple(row) for row in connection.execute(sa.text("SELECT * FROM app.upload_answers"))]
            assert sorted(view, key=str) == sorted(self.answered, key=str)
            rows = connection.execute(sa.text(TOLD_IN)).all()
            kept = [row for row in rows if row.told_in is not None]
            told = connection.connection.driver_connection.execute(  # pyright: ignore[reportOptionalMemberAccess]
                re.sub(r"\$(\d)", r"%(p\1)s", traces.ANSWERS),
                {
                    "p1": [str(row.id) for row in rows],
                    "p2": [str(row.id) for row in kept],
                    "p3": [str(row.told_in) for row in kept],
                },
            )
            short = [(at, upload, verdict, code, sentence) for at, upload, _, verdict, code, sentence in self.answered]
            assert sorted(((row[1], row[0], *row[2:5]) for row in told), key=str) == sorted(short, key=str)
            counted = connection.execute(watching.ANSWERS, {"now": now, "day_ago": now - timedelta(days=1)}).all()
            listed = connection.execute(sa.text(OF_THE_DAY), {"now": now}).all()
            assert sorted(map(tuple, counted)) == sorted(map(tuple, listed))


TOLD_IN = f"""
SELECT u.id, {traces.TOLD_IN} FROM app.conversion_uploads u LEFT JOIN app.upload_requests q ON q.id = u.request_id
"""
OF_THE_DAY = """
SELECT a.customer_id, t.verdict, coalesce(t.code, ''), count(*) FROM app.upload_answers t
JOIN app.upload_requests r ON r.id = t.request_id JOIN app.ads_accounts a ON a.id = r.ads_account_id
WHERE t.at > :now - interval '24 hours' GROUP BY 1, 2, 3
"""
