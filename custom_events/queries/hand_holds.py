"""What holding a row by hand writes, and what letting it go does: a row that waited for a customer's consent waits for it again.

The fragments are about app.conversion_uploads as `u`; they take :now, and holding takes :sentence.
"""

from typing import Final

from custom_events.values.reasons import CONSENT_UNKNOWN_IN_EUROPE, HELD_BY_HAND, WAITS

_CONSENT_SENTENCE: Final = WAITS[CONSENT_UNKNOWN_IN_EUROPE].replace("'", "''")

# Held until it is released, or its deadline. A wait for consent is remembered, also while it is withheld: holding and releasing is no yes.
HOLD: Final = f"""state = 'held', reason = '{HELD_BY_HAND}', sentence = :sentence, not_before = u.deadline_at, updated_at = :now,
  consent_pending = u.consent_pending OR u.reason IS NOT DISTINCT FROM '{CONSENT_UNKNOWN_IN_EUROPE}'"""

_WAITS_AGAIN: Final = f"u.reason = '{HELD_BY_HAND}' AND u.consent_pending AND u.ad_user_data = 'unknown'"

# It may go now; one whose customer has still not said anything waits for that again, as long as Google would take it.
RELEASE: Final = f"""reason = CASE WHEN {_WAITS_AGAIN} THEN '{CONSENT_UNKNOWN_IN_EUROPE}' ELSE u.reason END,
  sentence = CASE WHEN {_WAITS_AGAIN} THEN '{_CONSENT_SENTENCE}' ELSE u.sentence END,
  not_before = CASE WHEN {_WAITS_AGAIN} THEN u.deadline_at ELSE :now END, consent_pending = false, updated_at = :now"""

# What waits for a consent goes only where that is the reason named.
OF_REASON: Final = f"""CASE WHEN CAST(:reason AS text) IS NOT NULL THEN u.reason = :reason
    ELSE u.reason IS DISTINCT FROM '{CONSENT_UNKNOWN_IN_EUROPE}' END"""
