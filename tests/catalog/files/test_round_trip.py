"""The law: what is exported and applied changes nothing, whatever is configured; and it makes the same again elsewhere."""

import tempfile
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from custom_events.catalog import audit
from custom_events.catalog.files import apply, folder, plan, stored
from custom_events.catalog.files.documents import Catalog
from custom_events.catalog.files.folder import Folder
from tests.catalog.conftest import ME
from tests.catalog.files.conftest import NOW
from tests.catalog.files.generated import catalogs


def read_back(catalog: Catalog) -> Folder:
    """Through files and back."""
    with tempfile.TemporaryDirectory() as directory:
        folder.write(Path(directory), folder.texts(catalog))
        return folder.read(Path(directory))


def planned(connection: sa.Connection, found: Folder) -> plan.Plan:
    return plan.make(stored.read(connection), found)


def applied(connection: sa.Connection, found: Folder) -> None:
    made = planned(connection, found)
    assert made.can_be_applied, [str(finding) for finding in made.findings]
    saved = apply.load(apply.save(made, author=ME, reason="test", now=NOW))
    assert apply.apply(connection, saved, by=ME) == made.steps


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(catalogs())
def test_files_say_what_they_were_written_from(catalog: Catalog) -> None:
    found = read_back(catalog)
    assert [str(finding) for finding in found.findings] == []
    assert found.catalog == catalog
    assert folder.texts(found.catalog) == folder.texts(catalog)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(catalogs())
def test_export_then_apply_changes_nothing(seeded: sa.Connection, catalog: Catalog) -> None:
    connection = seeded
    with connection.begin_nested() as savepoint:
        applied(connection, read_back(catalog))
        first = stored.read(connection)
        exported = stored.exported(first.catalog)
        assert exported == catalog
        again = planned(connection, read_back(exported))
        assert again.steps == ()
        assert again.left_alone == ()
        entries = audit.entries(connection, limit=1)
        saved = apply.load(apply.save(again, author=ME, reason="", now=NOW))
        assert apply.apply(connection, saved, by=ME) == ()
        assert stored.read(connection).fingerprints() == first.fingerprints()
        assert audit.entries(connection, limit=1) == entries
        savepoint.rollback()
