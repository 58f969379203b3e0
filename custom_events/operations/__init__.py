"""Work that outlives the request that asked for it: backtests, replays, exports, bulk changes; done by a runner, with progress and an end."""
