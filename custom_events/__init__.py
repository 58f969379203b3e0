"""The domain: what an order, a click, a condition, a match and an upload are. It knows no web framework, no Dagster, no dbt."""
