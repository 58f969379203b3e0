"""Limits of the Google Ads API, with units and sources (reference: google-ads)."""

from typing import Final

API_VERSION: Final = "v26"  # the default of google-ads 34; projected to end in November 2027 (0.4)
MAX_ROWS: Final = 2_000  # conversions or adjustments in one request (0.8)
MAX_JOB_ID: Final = 2**31 - 1  # 1.1
