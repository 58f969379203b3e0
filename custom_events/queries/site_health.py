"""How the sites of a page of their list stand, each figure at the cost of these sites alone."""

from typing import Final

import sqlalchemy as sa

# Of each of these sites: when its newest delivery that was looked at came, how many are parked, the age of its secrets, what is assigned and
# enabled, and the open alarms that name it.
SITE_HEALTH: Final = sa.text("""
SELECT s.id AS site_id,
  (SELECT o.received_at FROM app.raw_outcomes o
   WHERE o.site_id = s.id AND o.landed_week >= :week ORDER BY o.received_at DESC, o.raw_id DESC LIMIT 1) AS last_delivery_at,
  (SELECT count(*) FROM app.raw_outcomes o
   WHERE o.outcome = 'parked' AND o.site_id = s.id AND o.received_at >= :parked_since AND o.landed_week >= :parked_week) AS parked,
  (SELECT max(k.created_at) FROM app.site_secrets k
   WHERE k.site_id = s.id AND (k.valid_until IS NULL OR k.valid_until > now())) AS newest_secret_at,
  (SELECT count(*) FROM app.site_custom_events a WHERE a.site_id = s.id AND a.is_active
     AND EXISTS (SELECT FROM app.assignment_revisions r WHERE r.assignment_id = a.id AND r.state = 'published')) AS enabled,
  (SELECT count(*) FROM app.alarms g
   WHERE g.closed_at IS NULL AND (g.place->>'site' = s.site_key OR g.place->>'site' = s.id::text)) AS alarms,
  ARRAY(
    SELECT DISTINCT c.lane FROM app.site_custom_events a
    JOIN app.assignment_revisions r ON r.assignment_id = a.id AND r.state = 'published'
    JOIN app.definition_revisions d ON d.definition_id = a.definition_id AND d.state = 'published'
    JOIN app.ads_accounts c ON c.customer_id = split_part(
      CASE WHEN r.overrides ? 'ads_action' THEN r.overrides->>'ads_action' ELSE d.config->>'ads_action' END, '/', 1)
    WHERE a.site_id = s.id AND a.is_active ORDER BY 1
  ) AS lanes
FROM app.sites s WHERE s.id = ANY(:sites)
""")
