"""An answer writes the ledger's rows anew within their pages: no index is written, and half as much goes to the log."""

from typing import Any

import pytest
import sqlalchemy as sa

from custom_events.ledger import record_answers
from custom_events.ledger.sender import Sender
from custom_events.values.conversions import Lane
from tests.ledger.conftest import Ledger

ROWS = 80  # some pages full
WRITTEN = sa.text("""
SELECT CAST(sum(n_tup_upd) AS int) AS rows, CAST(sum(n_tup_hot_upd) AS int) AS within_their_pages
FROM pg_stat_xact_user_tables WHERE relname LIKE 'conversion\\_uploads\\_%'
""")


@pytest.mark.parametrize("lane", list(Lane))
def test_an_answer_stays_within_the_pages(ledger: Ledger, lanes: dict[Lane, Any], lane: Lane) -> None:
    ledger.orders(ROWS, lane)
    sender = Sender(ledger.engine, ledger.settings, lanes, ledger.clock)
    request = sender.make(sender.take())
    outcome = sender.call(request)
    with ledger.engine.begin() as connection:
        rows, within = connection.execute(WRITTEN).one()  # the claim was this connection's as well
        record_answers.write_answer(connection, request, outcome, ledger.clock(), 0)
        assert connection.execute(WRITTEN).one() == (rows + ROWS, within + ROWS)
