"""The ways to an ad platform behind one protocol: requests from conversions, rules for answers; no database."""
