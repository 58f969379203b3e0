"""A replay too large for the workers: archived raw events through understanding on Spark, with the functions of the drain."""
