"""One order's trace from delivery to Google's answer, and the test of one rule against one event. Only reads."""
