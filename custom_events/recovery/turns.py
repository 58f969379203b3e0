"""Whose turn it is to read a site's orders."""

from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa

from custom_events.errors import Transient
from custom_events.queries import recovery as sql


@contextmanager
def turn(engine: sa.Engine, site_id: int) -> Generator[None]:
    """One reading of a site at a time, across processes and whatever it reads. Raises Transient while there is another."""
    with engine.connect() as connection:
        if not connection.execute(sql.TAKE_SITE, {"site": site_id}).scalar_one():
            raise Transient(f"The orders of site {site_id} are being read already.")
        connection.commit()
        try:
            yield
        finally:
            connection.execute(sql.END_SITE, {"site": site_id})
            connection.commit()
