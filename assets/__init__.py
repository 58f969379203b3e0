"""What exists for Dagster: one file for each group of assets, with the checks of what they count."""
