"""`custom-events rates`: a file is loaded, and what is there is told."""

from pathlib import Path

from tests.cli.conftest import Run

HEADER = "day,currency,reporting_currency,rate,source\n"


def test_loaded_and_listed(run: Run, database: str, tmp_path: Path) -> None:
    nothing = run("rates", "list", DATABASE_URL=database)
    assert nothing.output == "No rates are loaded: `custom-events rates load FILE` does that.\n"
    file = tmp_path / "rates.csv"
    file.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}2026-11-02,USD,EUR,0.92,ECB\n2026-11-03,USD,EUR,0.93,ECB\n".encode())
    loaded = run("rates", "load", str(file), DATABASE_URL=database)
    assert loaded.output == "2 new rates, 0 changed, 0 as they were. The next build of the reports has them.\n"
    assert run("rates", "list", DATABASE_URL=database).output == "USD in EUR  2026-11-02 to 2026-11-03  2 days\n"


def test_what_cannot_be_read_is_told(run: Run, database: str, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(f"{HEADER}2026-11-02,USD,EUR,none,ECB\n")
    refused = run("rates", "load", str(file), DATABASE_URL=database)
    assert refused.exit_code == 1
    assert 'lines[2].rate: "none" is no rate; right would be a number above 0' in refused.output
    file.write_bytes(HEADER.encode("utf-16"))
    refused = run("rates", "load", str(file), DATABASE_URL=database)
    assert refused.exit_code == 1
    assert "it is no text in UTF-8" in refused.output
