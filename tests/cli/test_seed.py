from tests.cli.conftest import Run


def test_system_definitions_are_made_once(run: Run, database: str) -> None:
    first = run("seed", DATABASE_URL=database)
    assert first.exit_code == 0
    assert "purchase, first_purchase" in first.output
    assert "none, all are there" in run("seed", DATABASE_URL=database).output


def test_the_sample_says_where_to_post_and_with_which_secret(run: Run, database: str) -> None:
    first = run("seed", "--sample", DATABASE_URL=database, CUSTOM_EVENTS_RECEIVER_PORT="8123")
    assert first.exit_code == 0
    assert "http://127.0.0.1:8123/webhooks/woocommerce/sample-woocommerce" in first.output
    assert "sample-custom-events.myshopify.com" in first.output
    assert first.output.count("secret ") == 3
    second = run("seed", "--sample", DATABASE_URL=database, CUSTOM_EVENTS_RECEIVER_PORT="8123")
    assert second.output.partition("Sample:")[2] == first.output.partition("Sample:")[2]
