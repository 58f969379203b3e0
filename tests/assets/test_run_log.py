"""What a draining run writes into Dagster's log: one line in half a minute, whatever its batches are."""

from assets.figures import LOG_EVERY_S, RunLog


def test_the_first_batch_is_written_at_once_and_then_sums() -> None:
    moments = iter([0.0, 1.0, LOG_EVERY_S, LOG_EVERY_S + 1.0])
    lines: list[str] = []
    log = RunLog(lines.append, clock=lambda: next(moments))
    for rows in (3, 1_000, 500, 7):
        log.add({"rows": rows, "requests": 1})
    assert lines == ["3 rows, 1 requests", "1,500 rows, 2 requests"]
