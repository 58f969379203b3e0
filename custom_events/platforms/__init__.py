"""From a store's bytes to commerce events: one folder for each platform, the same file names in each; no database."""
