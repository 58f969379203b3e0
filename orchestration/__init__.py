"""When things run, with what, how many at once: Dagster's definitions, jobs, sensors, schedules. Computes nothing."""
