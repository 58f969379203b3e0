"""Does anything get lost? The whole product under load while everything that can fail does, laid beside a quiet run of the same traffic."""
