"""Who may do what. Our own login owns everything; the receiver's role can land deliveries and find secrets, nothing else."""

import sqlalchemy as sa
import structlog

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

_MAY_BECOME = "SELECT pg_has_role(current_user, :role, 'MEMBER')"

_GRANT_MEMBERSHIP = f"GRANT {RECEIVER} TO CURRENT_USER"

_GRANT = f"""
GRANT USAGE ON SCHEMA landing, app TO {RECEIVER};
GRANT INSERT ON landing.raw_events, landing.raw_queue, landing.duplicate_deliveries, landing.refused_events,
    landing.receipts TO {RECEIVER};
GRANT SELECT ({_DEDUP_COLUMNS}) ON landing.raw_events TO {RECEIVER};
GRANT SELECT (received_at) ON landing.refused_events TO {RECEIVER};
GRANT SELECT ON app.sites, app.site_secrets TO {RECEIVER};
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
    """Make the receiver's role and give it its rights, as often as you like. False, with a warning in the log, when our login may not."""
    plain = connection.execution_options(no_parameters=True)
    try:
        with connection.begin_nested():
            plain.exec_driver_sql(_CREATE)
            if not connection.execute(sa.text(_MAY_BECOME), {"role": RECEIVER}).scalar_one():
                plain.exec_driver_sql(_GRANT_MEMBERSHIP)
            plain.exec_driver_sql(_GRANT)
    except sa.exc.ProgrammingError as error:
        structlog.get_logger().warning(
            "receiver_role_missing",
            role=RECEIVER,
            reason=str(error.orig).strip(),
            remedy=f"As a superuser: CREATE ROLE {RECEIVER}; GRANT {RECEIVER} TO <our login> WITH ADMIN OPTION; "
            "then migrate again. Until then the receiver runs with all rights only if told so.",
        )
        return False
    return True


def drop(connection: sa.Connection) -> None:
    """Remove the role unless another database of the cluster needs it."""
    connection.execution_options(no_parameters=True).exec_driver_sql(_DROP)
