"""Starts the programs, starts again those that die, and sees from outside whether work is done."""
