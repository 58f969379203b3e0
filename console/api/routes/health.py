"""Whether the console is alive and ready: for whatever starts it and sends requests to it."""

from typing import Final

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from console.api import problems
from console.api.calls import Call
from console.api.operations import Routes
from console.api.problems import ProblemError
from console.api.rights import OPEN
from custom_events.postgres import migrate, schema_guard

ROUTES: Final = Routes("health", "Whether the console is alive and ready.", prefix="")

_LOG = structlog.get_logger(__name__)


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`status`: alive or ready."""

    status: str


@ROUTES.get("/healthz", right=OPEN, answer=Health, example=Health(status="alive"))
async def read_liveness() -> Health:
    """The process is alive; says nothing of the database."""
    return Health(status="alive")


@ROUTES.get("/readyz", right=OPEN, answer=Health, example=Health(status="ready"))
def read_readiness(call: Call) -> Health:
    """The database answers and has the tables of this version; else 503 says what is lacking."""
    reason = _unready(call.engine)
    if reason is not None:
        raise ProblemError(problems.UNAVAILABLE, reason)
    return Health(status="ready")


def _unready(engine: sa.Engine) -> str | None:
    try:
        with engine.connect() as connection:
            current = migrate.revision_of(connection)
    except SQLAlchemyError as error:
        _LOG.warning("console_not_ready", error=type(error).__name__)
        return "the database does not answer"
    own = schema_guard.own_revision()
    if current is not None and current > own:
        return "the database is newer than this program: start the newer version"
    return None if current == own else "the database needs to be migrated: custom-events migrate"
