"""From commerce events and rules to matches: overrides, thresholds, deduplication, values, reasons. Pure."""
