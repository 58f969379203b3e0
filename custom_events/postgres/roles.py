"""Who may do what. Our own login owns everything; the receiver's role can land deliveries and find secrets, nothing else."""

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import ProgrammingError

RECEIVER = "custom_events_receiver"

# Columns it may read of what it writes: those that ON CONFLICT, the look at last week and RETURNING need. Never a body.
_DEDUP_COLUMNS = "landed_week, id, site_id, dedup_key, received_at"

_CREATE = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{RECEIVER}') THEN
        CREATE ROLE {RECEIVER} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another migration in the same cluster was faster
END $$
"""

_GRANT = f"""
GRANT USAGE ON SCHEMA landing, app TO {RECEIVER};
GRANT INSERT ON landing.raw_events, landing.raw_queue, landing.duplicate_deliveries, landing.refused_events,
    landing.receipts TO {RECEIVER};
GRANT SELECT ({_DEDUP_COLUMNS}) ON landing.raw_events TO {RECEIVER};
GRANT SELECT (received_at) ON landing.refused_events TO {RECEIVER};
GRANT SELECT ON app.sites, app.site_secrets TO {RECEIVER};
"""

_BECOME = f"""
DO $$
BEGIN
    IF NOT pg_has_role(current_user, '{RECEIVER}', 'MEMBER') THEN
        GRANT {RECEIVER} TO CURRENT_USER;
    END IF;
END $$
"""

_DROP = f"""
DO $$
BEGIN
    DROP ROLE IF EXISTS {RECEIVER};
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
    NULL; -- another database of the cluster uses it, or it is not ours to drop
END $$
"""


def ensure(connection: sa.Connection) -> bool:
    """Make the receiver's role, give it its rights, and make us a member of it; as often as you like.

    False, with a warning in the log that names the remedy, when our login may not do one of these.
    """
    remedy = f"as a superuser: CREATE ROLE {RECEIVER}; GRANT {RECEIVER} TO the login that migrates; then migrate again"
    for purpose, statement in (("create", _CREATE), ("grant", _GRANT), ("become", _BECOME)):
        try:
            with connection.begin_nested():
                connection.execution_options(no_parameters=True).exec_driver_sql(statement)
        except ProgrammingError as error:
            reason = str(error.orig).strip()
            structlog.get_logger().warning("receiver_role", failed=purpose, role=RECEIVER, reason=reason, remedy=remedy)
            return False
    return True


def drop(connection: sa.Connection) -> None:
    """Remove the role unless another database of the cluster needs it."""
    connection.execution_options(no_parameters=True).exec_driver_sql(_DROP)
