import sqlalchemy as sa

from custom_events.catalog import audit


def test_entries_come_newest_first_in_pages(connection: sa.Connection) -> None:
    for number in range(5):
        audit.record(connection, actor="me", action="thing.do", subject=f"thing:{number % 2}", detail={"n": number})
    first = audit.entries(connection, limit=2)
    second = audit.entries(connection, before_id=first[-1].id, limit=10)
    assert [entry.detail["n"] for entry in (*first, *second)] == [4, 3, 2, 1, 0]
    assert [entry.detail["n"] for entry in audit.entries(connection, subject="thing:0")] == [4, 2, 0]
