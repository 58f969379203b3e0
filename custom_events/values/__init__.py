"""Frozen types and pure functions on them: orders, clicks, commerce events, definitions, conversions, money, times."""
