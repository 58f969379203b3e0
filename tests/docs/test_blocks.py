"""Every block of code in README and docs/ is executed by a test, or says in its first line that it is not, and why.

`sh`, `python`, `sql` and `js` are executed by the test of their page (EXECUTED), or begin with a comment `not run: <why>`. `json` and `yaml` are read here. `text` is
shown, and no command. Commands of ours are looked up, wherever they stand: verb, subverb and options have to be there.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import pytest
import yaml
from click.testing import CliRunner

from cli.main import main
from tests.docs.tree import ROOT

PAGES: Final = ["README.md", *sorted(str(file.relative_to(ROOT)) for file in ROOT.glob("docs/**/*.md"))]
# Page and language -> the test that executes its blocks as they stand there.
EXECUTED: Final = {
    ("docs/how-to/back-up-and-restore.md", "sh"): "tests/flow/test_back_up_and_restore.py",
    ("docs/how-to/configure-by-api.md", "sh"): "tests/flow/test_configure_by_api.py",
    ("docs/how-to/deploy.md", "sh"): "tests/deploy/test_plain_machine.py",
    ("docs/how-to/query-the-marts.md", "sql"): "tests/analytics/test_equal_figures.py",
    ("docs/reference/custom-webhooks.md", "sh"): "tests/platforms/test_custom_webhooks_page.py",
    ("docs/reference/custom-webhooks.md", "python"): "tests/platforms/test_custom_webhooks_page.py",
    ("docs/reference/custom-webhooks.md", "signature"): "tests/platforms/test_custom_webhooks_page.py",
    ("docs/reference/custom-webhooks.md", "signature-v1"): "tests/platforms/test_custom_webhooks_page.py",
    ("docs/reference/custom-webhooks.md", "keys"): "tests/platforms/test_custom_webhooks_page.py",
    ("docs/tutorial/first-conversion.md", "sh"): "tests/flow/test_tutorial.py",
}
# Of the README one section is executed; its other commands are looked up below.
README_TEST: Final = "tests/flow/test_readme.py"
SHOWN: Final = ("text",)
READ: Final = ("json", "yaml")
NOT_RUN: Final = re.compile(r"(?:#|//|--) not run: (.{15,})")
# Pages whose blocks of YAML are files of rules: `## sites/my-shop-key.yaml` above them, or as the page says.
RULES: Final = {"docs/reference/config-files.md": None, "docs/how-to/rules.md": "definitions/vip_order.yaml"}


class Block(NamedTuple):
    """A fenced block and where it stands."""

    page: str
    heading: str
    language: str
    text: str


def blocks() -> Iterator[Block]:
    """Every block of every page."""
    fences = re.compile(r"^#+ ([^\n]+)$|^( *)```([^\n`]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
    for page in PAGES:
        heading = ""
        for part in fences.finditer((ROOT / page).read_text()):
            heading = part[1] or heading
            if part[1] is None:
                yield Block(page, heading, part[3].strip(), re.sub(rf"^{part[2]}", "", part[4], flags=re.MULTILINE))


BLOCKS: Final = list(blocks())


def test_every_block_is_executed_read_or_says_why_not() -> None:
    left = [
        block
        for block in BLOCKS
        if block.language not in (*SHOWN, *READ)
        and (block.page, block.language) not in EXECUTED
        and NOT_RUN.match(block.text) is None
        and block.page != "README.md"
    ]
    assert left == []


@pytest.mark.parametrize(("place", "test"), [*EXECUTED.items(), (("README.md", "sh"), README_TEST)], ids=str)
def test_the_test_that_executes_them_reads_the_page(place: tuple[str, str], test: str) -> None:
    assert Path(place[0]).name in (ROOT / test).read_text()
    assert any((block.page, block.language) == place for block in BLOCKS)


def test_what_is_not_run_names_tests_that_are_there() -> None:
    reasons = [reason[1] for block in BLOCKS if (reason := NOT_RUN.match(block.text))]
    assert reasons
    for named in re.findall(r"(?:tests|docs)/[\w/.-]+\w", " ".join(reasons)):
        assert (ROOT / named).exists(), named


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in READ], ids=str)
def test_data_can_be_read(block: Block) -> None:
    read: Any = json.loads(block.text) if block.language == "json" else yaml.safe_load(block.text)
    assert read


def test_files_of_rules_can_be_used(tmp_path: Path) -> None:
    for page, name in RULES.items():
        folder = tmp_path / Path(page).stem
        for block in (block for block in BLOCKS if block.page == page and block.language == "yaml"):
            file = folder / (name or block.heading)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        result = CliRunner().invoke(main, ["config", "validate", str(folder)])
        assert result.exit_code == 0, result.output


def commands() -> Iterator[tuple[str, str]]:
    """(page, command) of ours: lines of shell blocks, and what stands between backticks."""
    for block in BLOCKS:
        if block.language in ("sh", "text") and block.page != "docs/reference/cli.md":
            for line in block.text.replace("\\\n", " ").splitlines():
                yield from ((block.page, command) for command in _ours(line))
    for page in PAGES:
        for code in re.findall(r"`([^`\n]+)`", (ROOT / page).read_text()):
            yield from ((page, command) for command in _ours(code))


def _ours(line: str) -> list[str]:
    """The commands of ours in a line, each to its end."""
    return [
        found.strip()
        for found in re.findall(
            r"(?<![\w/.-])custom-events (?=[a-z][a-z-]*(?:\s|$)|--server)((?:\"[^\"]*\"|'[^']*'|[^|;&>#`)])+)",
            line.partition(" # ")[0],
        )
    ]


def test_every_command_that_is_named_is_there() -> None:
    wrong = {fault for page, command in commands() if (fault := _fault(page, command))}
    assert wrong == set()


def _fault(page: str, command: str) -> str | None:
    """What of a command is not there."""
    at: click.Command = main
    context = click.Context(main)
    takes_value = False
    for word in shlex.split(command.replace("'", "").replace('"', ""), posix=False):
        if takes_value:
            takes_value = False
        elif word.startswith("-"):
            options = {
                name: option for option in at.params if isinstance(option, click.Option) for name in _names(option)
            }
            name = word.partition("=")[0]
            if name not in {*options, "--help"}:
                return f"{page}: {command}: {name}"
            takes_value = "=" not in word and name in options and not options[name].is_flag
        elif isinstance(at, click.Group) and re.fullmatch(r"[a-z-]+", word):
            below = at.get_command(context, word)
            if below is None:
                return f"{page}: {command}: {word}"
            at = below
    return None


def _names(option: click.Option) -> list[str]:
    return [*option.opts, *option.secondary_opts]
