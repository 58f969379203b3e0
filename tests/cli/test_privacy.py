"""`custom-events privacy`: entered, listed, carried out, written into a file, closed."""

import json
from pathlib import Path

import sqlalchemy as sa
from click.testing import Result
from cryptography.fernet import Fernet

from tests.cli.conftest import Run
from tests.world import World, paid_order

KEY = Fernet.generate_key().decode()


def test_from_the_request_to_its_end(run: Run, database: str, engine: sa.Engine, tmp_path: Path) -> None:
    world = World(database, engine)
    site = world.site()
    world.land(site, "orders/paid", paid_order(1001))
    world.land(site, "customers/redact", {})
    world.drain()

    def privacy(*arguments: str) -> Result:
        return run("privacy", *arguments, CUSTOM_EVENTS_DATABASE_URL=database, CUSTOM_EVENTS_SECRET_KEY=KEY)

    asked = privacy("ask", "shop", "--email", "person7@example.org", "--kind", "data_request")
    assert (asked.exit_code, asked.output.partition(",")[0]) == (0, "Request 3"), asked.output
    assert privacy("ask", "shop", "--email", "person7@example.org").output.startswith("Request 4, due ")
    assert privacy("ask", "shop").exit_code == 1
    assert privacy("ask", "nowhere", "--order", "1").exit_code == 1
    assert "data_request" in privacy("list").output

    written = privacy("export", "3", "--to", "answer.json")
    assert written.exit_code == 0, written.output
    file = tmp_path / "answer.json"
    assert file.stat().st_mode & 0o777 == 0o600
    found = json.loads(file.read_text())
    assert [row["order_id"] for row in found["orders"]] == ["1001"]
    assert len(found["deliveries"]) == 1
    assert "exists already" in privacy("export", "3", "--to", "answer.json").output
    assert "cannot be written" in privacy("export", "3", "--to", "no/such/folder.json").output
    assert privacy("done", "3", "--note", "handed over").output == "Request 3 is closed.\n"

    carried = privacy("carry-out", "--json")
    assert carried.exit_code == 1, "one names nobody"
    requests = {one["raw_id"]: one for one in json.loads(carried.stdout)["requests"]}
    assert requests[4]["is_done"]
    assert requests[4]["counts"]["orders"] == 1
    assert "names nobody" in requests[2]["problem"]
    assert "names nobody" in privacy("carry-out", "2").output
    again = privacy("carry-out", "4")
    assert (again.exit_code, "done (" in again.output) == (0, True)
    assert privacy("done", "2", "--note", "asked the store").exit_code == 0
    assert privacy("carry-out").output == "No open requests to forget somebody.\n"
    assert privacy("list").output == "No open requests.\n"
    assert "rows)" in privacy("list", "--all").output
    assert privacy("ask", "shop", "--kind", "redact_shop").exit_code == 0
    assert "done (raw_events 1)" in privacy("carry-out").output
