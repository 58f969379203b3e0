"""The lane of the Google Ads API: for accounts that may import conversions there."""
