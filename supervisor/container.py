"""What a container runs: one program of the product in its own part of the environment, or any other command in that of Dagster's runs.

`python -m supervisor.container receiver`, `console`, `dagster-code`, `dagster-web` or `dagster-daemon` becomes that program; a container that
Dagster starts for a run names `dagster api ...`, which gets Dagster's storage and dbt's connection. The process is replaced, so that signals reach it.
The database is never migrated here: `custom-events migrate` does that, once, before.
"""

import os
import sys
from collections.abc import Sequence

from custom_events.errors import CustomEventsError, InvalidConfiguration
from custom_events.settings import Settings
from custom_events.settings import settings as read_settings
from supervisor import programs

OURS = ("receiver", "console", programs.CODE_SERVER, programs.WEBSERVER, programs.DAEMON)


def command(words: Sequence[str], settings: Settings) -> tuple[list[str], dict[str, str]]:
    """The command line and the environment of what `words` name. Raises InvalidConfiguration without words or a database, and what
    Dagster's programs raise."""
    if not words:
        raise InvalidConfiguration(f"name a program ({', '.join(OURS)}) or a command", path="command")
    if words[0] == "custom-events":  # looks after its own environment
        return [sys.executable, "-m", "cli.main", *words[1:]], dict(os.environ)
    if settings.database_url is None:
        raise InvalidConfiguration("a container brings no database along: set its address", path="DATABASE_URL")
    url = settings.database_url.get_secret_value()
    if words[0] in ("receiver", "console"):  # which know nothing of Dagster
        made = [programs.receiver(settings), programs.console(settings)]
        environment = {**os.environ, "DATABASE_URL": url, **programs.search_path()}
    else:
        programs.check_exposure(settings)
        environment = {**os.environ, **programs.environment(settings, url)}
        made = programs.dagster(settings) if words[0] in OURS else []
    for program in made:
        if program.name == words[0]:
            return list(program.arguments), environment if program.restrict is None else program.restrict(environment)
    return list(words), environment


def main(words: Sequence[str]) -> None:
    """Become it; end with code 1 and one line where that cannot be."""
    try:
        arguments, environment = command(words, read_settings())
    except CustomEventsError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201  (a command's answer)
        sys.exit(1)
    os.execvpe(arguments[0], arguments, environment)  # noqa: S606  (ours, or what Dagster asks for)


if __name__ == "__main__":  # pragma: no cover  (tests start it as a process)
    main(sys.argv[1:])
