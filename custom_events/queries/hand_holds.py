"""What holding a row by hand writes, and what letting it go does: a row that waited for a customer's consent waits for it again.

The fragments are about app.conversion_uploads as `u`; they take :now, and holding takes :sentence.
"""

from typing import Final

from custom_events.values.reasons import CONSENT_UNKNOWN_IN_EUROPE, HELD_BY_HAND

_WAITS_FOR_CONSENT: Final = f"u.reason = '{CONSENT_UNKNOWN_IN_EUROPE}'"

# Held until it is released, or its deadline. A wait for consent is remembered: holding and releasing is no yes.
HOLD: Final = f"""state = 'held', reason = '{HELD_BY_HAND}', sentence = :sentence, not_before = u.deadline_at, updated_at = :now,
  held_reason = CASE WHEN {_WAITS_FOR_CONSENT} THEN u.reason ELSE u.held_reason END,
  held_sentence = CASE WHEN {_WAITS_FOR_CONSENT} THEN u.sentence ELSE u.held_sentence END,
  held_until = CASE WHEN {_WAITS_FOR_CONSENT} THEN u.not_before ELSE u.held_until END"""

_WAITS_AGAIN: Final = (
    f"u.reason = '{HELD_BY_HAND}' AND u.held_reason = '{CONSENT_UNKNOWN_IN_EUROPE}' AND u.ad_user_data = 'unknown'"
)

# It may go now; one whose customer has still not said anything waits for that again.
RELEASE: Final = f"""reason = CASE WHEN {_WAITS_AGAIN} THEN u.held_reason ELSE u.reason END,
  sentence = CASE WHEN {_WAITS_AGAIN} THEN u.held_sentence ELSE u.sentence END,
  not_before = CASE WHEN {_WAITS_AGAIN} THEN u.held_until ELSE :now END, updated_at = :now,
  held_reason = NULL, held_sentence = NULL, held_until = NULL"""

# What waits for a consent goes only where that is the reason named.
OF_REASON: Final = f"""CASE WHEN CAST(:reason AS text) IS NOT NULL THEN u.reason = :reason
    ELSE u.reason IS DISTINCT FROM '{CONSENT_UNKNOWN_IN_EUROPE}' END"""
