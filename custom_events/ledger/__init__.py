"""Uploads on their way to an ads account: states, claims, requests, answers, retries, refunds, quotas, reconciliation."""
