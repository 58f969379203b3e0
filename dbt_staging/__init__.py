"""The dbt staging models and sources, written from `custom_events/tables` by `make docs`."""
