"""Who may do what. Our own login owns everything; the receiver's role can land deliveries and find secrets, nothing else."""

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql
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


_STATE = f"""
SELECT current_user,
  EXISTS (SELECT FROM pg_roles WHERE rolname = '{RECEIVER}') AS there,
  coalesce((SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = '{RECEIVER}'), false) AS member,
  coalesce((SELECT has_table_privilege(r.oid, t.oid, 'INSERT')
            FROM pg_roles r, pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
            WHERE r.rolname = '{RECEIVER}' AND n.nspname = 'landing' AND t.relname = 'raw_events'), false) AS lands
"""


def problem(connection: sa.Connection) -> str | None:
    """Why the receiver cannot work under its role with this login, and what a person must run; None when it can."""
    login, there, member, lands = connection.execute(sa.text(_STATE)).one()
    name = postgresql.dialect().identifier_preparer.quote(login)
    if not there:
        reason = f"the role {RECEIVER} does not exist, and the login {login} may not make roles"
        statements = f"CREATE ROLE {RECEIVER} NOLOGIN; GRANT {RECEIVER} TO {name};"
    elif not member:
        reason = f"the login {login} is no member of the role {RECEIVER}"
        statements = f"GRANT {RECEIVER} TO {name};"
    elif not lands:
        return f"The role {RECEIVER} may not write landing.raw_events. Run `custom-events migrate` with the login that owns the tables."
    else:
        return None
    return (
        f"The receiver cannot land anything: {reason}. Have somebody who may make roles run: {statements} "
        "Then run `custom-events migrate` again. Where that cannot be had, set CUSTOM_EVENTS_RECEIVER_ROLE=false: "
        "the receiver then keeps all rights of its login."
    )


def ensure(connection: sa.Connection) -> bool:
    """Make the receiver's role, give it its rights, and make us a member of it; as often as you like.

    False, with a warning in the log, when our login may not do one of these; `problem` has the remedy.
    """
    for purpose, statement in (("create", _CREATE), ("grant", _GRANT), ("become", _BECOME)):
        try:
            with connection.begin_nested():
                connection.execution_options(no_parameters=True).exec_driver_sql(statement)
        except ProgrammingError as error:
            reason = str(error.orig).strip()
            structlog.get_logger().warning("receiver_role", failed=purpose, role=RECEIVER, reason=reason)
            return False
    return True


def drop(connection: sa.Connection) -> None:
    """Remove the role unless another database of the cluster needs it."""
    connection.execution_options(no_parameters=True).exec_driver_sql(_DROP)
