"""The transitions, in Python and in the database."""

import itertools
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from custom_events.ledger import states
from custom_events.values.conversions import UploadState
from tests.ledger.conftest import Ledger

MIGRATIONS = Path(__file__).parents[2] / "migrations/versions"


def test_the_migrations_have_the_same_list() -> None:
    first = (MIGRATIONS / "0002_upload_transitions.py").read_text().split('PERMITTED = """')[1].split('"""')[0]
    later = (MIGRATIONS / "0007_withdrawals.py").read_text().split('ADDED = "')[1].split('"')[0]
    permitted = set(re.findall(r"(\w+)>(\w+)", f"{first} {later}"))
    ours = {(before.value, after.value) for before, afters in states.TRANSITIONS.items() for after in afters}
    assert permitted == ours


def test_every_state_is_listed() -> None:
    assert set(states.TRANSITIONS) == set(UploadState)
    assert {*states.WAITING, *states.SETTLED} < set(UploadState)
    assert states.may_become(UploadState.ACCEPTED, UploadState.ACCEPTED)
    assert not states.may_become(UploadState.ACCEPTED, UploadState.QUEUED)


def test_the_database_enforces_them(ledger: Ledger) -> None:
    upload = ledger.order()
    engine = ledger.engine
    for before, after in itertools.product(UploadState, UploadState):
        with engine.connect() as connection:
            connection.execute(sa.text("ALTER TABLE app.conversion_uploads DISABLE TRIGGER upload_transition"))
            connection.execute(
                sa.text("UPDATE app.conversion_uploads SET state = :s WHERE id = :u"), {"s": before, "u": upload}
            )
            connection.execute(sa.text("ALTER TABLE app.conversion_uploads ENABLE TRIGGER upload_transition"))
            statement = sa.text("UPDATE app.conversion_uploads SET state = :s WHERE id = :u")
            if states.may_become(before, after):
                connection.execute(statement, {"s": after, "u": upload})
            else:
                with pytest.raises(sa.exc.IntegrityError, match=f"cannot change from {before} to {after}"):
                    connection.execute(statement, {"s": after, "u": upload})
