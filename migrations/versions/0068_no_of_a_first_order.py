"""A customer's no reaches the conversions of subscriptions that were told of before their first order: until 1.0.0 it did not, where that order came in a later batch.

Revision ID: 0068
Revises: 0067
"""

from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

# Orders that say no, of which a conversion waits that says otherwise, or that began a subscription with a custom event: whatever goes of them is told by this row.
KEEP = """
INSERT INTO app.order_consents (site_id, order_id, ad_user_data, ad_personalization, written_by)
SELECT o.site_id, o.order_id, o.ad_user_data, coalesce(o.ad_personalization, 'unknown'), pg_current_xact_id()::text::bigint
FROM (
  SELECT u.site_id, u.order_id FROM app.conversion_uploads u WHERE u.waits AND u.ad_user_data <> 'denied' AND u.order_id IS NOT NULL
  UNION
  SELECT s.site_id, s.origin_order_id FROM app.subscriptions s
  WHERE EXISTS (SELECT FROM app.custom_events e WHERE e.site_id = s.site_id AND e.order_id = s.origin_order_id)
) named
JOIN app.orders o ON o.site_id = named.site_id AND o.order_id = named.order_id AND o.ad_user_data = 'denied'
ON CONFLICT DO NOTHING
"""
# Nobody has tried these. The others are asked about at their next claim.
WITHHOLD = """
UPDATE app.conversion_uploads u SET
  state = 'withheld', reason = 'consent_denied', sentence = 'The customer refused that their data is used for ads.', ad_user_data = c.ad_user_data,
  ad_personalization = c.ad_personalization, email_sha256 = NULL, phone_sha256 = NULL, not_before = now(), settled_at = now(), updated_at = now()
FROM app.order_consents c
WHERE u.waits AND u.attempts = 0 AND u.kind = 'conversion' AND u.ad_user_data <> 'denied'
  AND u.reason IS DISTINCT FROM 'held_by_hand' AND c.site_id = u.site_id AND c.order_id = u.order_id AND c.ad_user_data = 'denied'
"""


def upgrade() -> None:
    """Reads the conversions that wait, and the subscriptions; writes of each whose customer said no."""
    bind = op.get_bind().execution_options(no_parameters=True)
    for statement in (KEEP, WITHHOLD):
        bind.exec_driver_sql(statement)


def downgrade() -> None:
    """What customers said stays said."""
