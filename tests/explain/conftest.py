"""Traces are read from the world that backtests are made in."""

from tests.backtest.conftest import body, day, world

__all__ = ["body", "day", "world"]
