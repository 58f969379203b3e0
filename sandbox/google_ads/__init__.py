"""Google's two APIs as a local server: checks, quotas, faults, diagnostics."""
