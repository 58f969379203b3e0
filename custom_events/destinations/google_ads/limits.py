"""Limits of the Google Ads API, with units and sources (docs/reference/google-ads.md)."""

from typing import Final

# The default of google-ads 34; planned to end in November 2027 (docs/reference/google-ads.md 0.4).
API_VERSION: Final = "v26"
MAX_ROWS: Final = 2_000  # conversions or adjustments in one request (docs/reference/google-ads.md 0.8)
MAX_JOB_ID: Final = 2**31 - 1  # docs/reference/google-ads.md 1.1
