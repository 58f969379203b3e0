"""Let the database keep what the catalogue promises: our definitions stay, and revisions never change.

What applied once is what custom events refer to by its id; a fix by hand that rewrites it would rewrite history.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FUNCTION = """
CREATE FUNCTION app.refuse_configuration_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation', HINT = TG_ARGV[1];
END
$$
"""

TRIGGERS = {
    "system_definition_stays": """
        BEFORE DELETE ON app.custom_event_definitions FOR EACH ROW WHEN (OLD.is_system)
        EXECUTE FUNCTION app.refuse_configuration_change(
            'a system definition cannot be deleted', 'Retire it: custom_events/catalog/definitions.py'
        )""",
    "system_definition_keeps_its_key": """
        BEFORE UPDATE OF key, is_system ON app.custom_event_definitions FOR EACH ROW
        WHEN (OLD.is_system AND (NEW.key <> OLD.key OR NOT NEW.is_system))
        EXECUTE FUNCTION app.refuse_configuration_change(
            'a system definition keeps its key and stays one', 'Make a definition of your own beside it.'
        )""",
    "definition_revision_stays": """
        BEFORE DELETE ON app.definition_revisions FOR EACH ROW WHEN (OLD.published_at IS NOT NULL)
        EXECUTE FUNCTION app.refuse_configuration_change(
            'a revision that was published cannot be deleted', 'Retire it.'
        )""",
    "assignment_revision_stays": """
        BEFORE DELETE ON app.assignment_revisions FOR EACH ROW WHEN (OLD.published_at IS NOT NULL)
        EXECUTE FUNCTION app.refuse_configuration_change(
            'a revision that was published cannot be deleted', 'Pause its assignment.'
        )""",
    "definition_revision_is_immutable": """
        BEFORE UPDATE ON app.definition_revisions FOR EACH ROW
        WHEN ((OLD.id, OLD.definition_id, OLD.number, OLD.config, OLD.author, OLD.reason, OLD.created_at)
            IS DISTINCT FROM (NEW.id, NEW.definition_id, NEW.number, NEW.config, NEW.author, NEW.reason, NEW.created_at))
        EXECUTE FUNCTION app.refuse_configuration_change(
            'a revision never changes', 'Draft a new one: custom_events/catalog/revisions.py'
        )""",
    "assignment_revision_is_immutable": """
        BEFORE UPDATE ON app.assignment_revisions FOR EACH ROW
        WHEN ((OLD.id, OLD.assignment_id, OLD.number, OLD.overrides, OLD.author, OLD.reason, OLD.created_at)
            IS DISTINCT FROM (NEW.id, NEW.assignment_id, NEW.number, NEW.overrides, NEW.author, NEW.reason, NEW.created_at))
        EXECUTE FUNCTION app.refuse_configuration_change(
            'a revision never changes', 'Draft a new one: custom_events/catalog/revisions.py'
        )""",
    "definition_revision_state": """
        BEFORE UPDATE OF state ON app.definition_revisions FOR EACH ROW
        WHEN (OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ('draft>published', 'published>retired'))
        EXECUTE FUNCTION app.refuse_configuration_change(
            'a draft is published and a published revision retires, nothing else', 'To go back, publish it as a new one.'
        )""",
    "assignment_revision_state": """
        BEFORE UPDATE OF state ON app.assignment_revisions FOR EACH ROW
        WHEN (OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state) NOT IN ('draft>published', 'published>retired'))
        EXECUTE FUNCTION app.refuse_configuration_change(
            'a draft is published and a published revision retires, nothing else', 'To go back, publish it as a new one.'
        )""",
}


def upgrade() -> None:
    """Only refused statements call the function: the conditions stand in the triggers."""
    connection = op.get_bind().execution_options(no_parameters=True)
    connection.exec_driver_sql(FUNCTION)
    for name, rest in TRIGGERS.items():
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {rest}")


def downgrade() -> None:
    """The configuration stays as it is."""
    op.get_bind().exec_driver_sql("DROP FUNCTION app.refuse_configuration_change() CASCADE")
