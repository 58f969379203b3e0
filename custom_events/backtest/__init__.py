"""Rules against stored history: backtest of a draft, replay of the past, the effects of a plan."""
