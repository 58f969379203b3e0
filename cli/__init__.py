"""The `custom-events` command: one file for each verb, each a thin call into the rest."""
