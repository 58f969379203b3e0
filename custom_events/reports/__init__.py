"""Reports that go out by themselves: specifications, schedules and runs; what is due, the rows of a run, its file and its delivery."""
