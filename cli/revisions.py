"""The verbs that definitions and assignments have in common: list, revisions, diff, publish, rollback."""

import re
from typing import TYPE_CHECKING

import click

from cli.author import author_option
from cli.drafts import Decorator, json_option

if TYPE_CHECKING:
    import msgspec

    from cli.nouns.rules import Noun, Revision

TIME = "%Y-%m-%d %H:%M UTC"
LAST_NUMBER = 2**31 - 1  # what the column of revisions' numbers holds
LAST_ID = 2**63 - 1
_NUMBER = click.IntRange(1, LAST_NUMBER)
_ID = re.compile(r"[0-9]{1,19}\Z")
_KEY = re.compile(r"[a-z][a-z0-9_]{1,62}\Z")


class Name(click.ParamType[str]):
    """A definition's key, or an assignment's id."""

    def __init__(self, noun: "Noun") -> None:
        self.noun, self.name = noun, "KEY" if noun == "definition" else "ID"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, of a form that there may be."""
        if self.noun == "definition" and _KEY.match(value) is None:
            self.fail(
                f'"{value}" is no key: small letters, digits and _, as `custom-events definition list` shows',
                param,
                ctx,
            )
        if self.noun == "assignment" and (_ID.match(value) is None or not 1 <= int(value) <= LAST_ID):
            self.fail(f'"{value}" is no id: a number, as `custom-events assignment list` shows', param, ctx)
        return value


def add_verbs(group: click.Group, noun: "Noun") -> None:
    """Give a group the verbs, for its noun."""
    named = click.argument("name", metavar="KEY" if noun == "definition" else "ID", type=Name(noun))
    _add_list(group, noun)
    _add_looking(group, noun, named)
    _add_changing(group, noun, named)


def _add_list(group: click.Group, noun: "Noun") -> None:
    @group.command(
        name="list",
        short_help=f"Every {noun}, and what of it applies.",
        help=f"Show every {noun} with the revision that applies, and the newest one.",
    )
    @click.option("--site", metavar="SITE", help="Only those of this site (id, key or shop domain).")
    @json_option
    def list_(*, site: str | None, as_json: bool) -> None:
        from cli.nouns.rules import opened

        with opened(noun) as rules:
            listed = rules.every(site)
        if as_json:
            _show_json({f"{noun}s": listed})
            return
        for rule in listed:
            applies = (
                "nothing applies" if rule.published_number is None else f"revision {rule.published_number} applies"
            )
            draft = "" if rule.newest_number == rule.published_number else f", {rule.newest_number} is the newest"
            click.echo(f"{rule.name:24} {rule.about}: {rule.state}, {applies}{draft}")
        if not listed:
            click.echo(f"There are no {noun}s yet.")


def _add_looking(group: click.Group, noun: "Noun", named: Decorator) -> None:
    @group.command(short_help="Its revisions, the newest first.")
    @named
    @json_option
    def revisions(*, name: str, as_json: bool) -> None:
        """Show who wrote which revision and why, and which of them was published when, by whom."""
        from cli.nouns.rules import opened

        with opened(noun) as rules:
            listed = rules.revisions(name)
        if as_json:
            _show_json({"revisions": listed})
            return
        for revision in listed:
            click.echo(f"{revision.number:>4}  {_line(revision)}")

    @group.command(short_help="What differs between two revisions.")
    @named
    @click.option("--from", "old", type=_NUMBER, help="From this revision. Left out: from the one that applies.")
    @click.option("--to", "new", type=_NUMBER, help="To this revision. Left out: to the newest.")
    @json_option
    def diff(*, name: str, old: int | None, new: int | None, as_json: bool) -> None:
        """Show each setting that differs, old and new, in the words of `config plan`."""
        from cli.nouns.rules import opened

        with opened(noun) as rules:
            compared = rules.difference(name, old, new)
        if as_json:
            _show_json(compared)
            return
        before = "nothing" if compared.old is None else f"revision {compared.old}"
        click.echo(
            f"From {before} to revision {compared.new}:"
            if compared.lines
            else f"No difference from {before} to revision {compared.new}."
        )
        for line in compared.lines:
            click.echo(f"  {line}")


def _add_changing(group: click.Group, noun: "Noun", named: Decorator) -> None:
    author = author_option()

    @group.command(short_help="Let a draft apply.")
    @named
    @click.argument("number", required=False, type=_NUMBER)
    @author
    def publish(*, name: str, number: int | None, author: str) -> None:
        """Let draft NUMBER apply, the newest revision unless it is named. Where two people are asked for, somebody else than its author
        does."""
        from cli.nouns.rules import opened

        with opened(noun, author) as rules:
            made = rules.publish(name, number)
        click.echo(f"Revision {made.number} of {noun} {name} applies.")

    @group.command(short_help="Let the settings of an older revision apply again.")
    @named
    @click.argument("number", type=_NUMBER)
    @click.option("--reason", default="", help="Why; kept with the new revision.")
    @author
    def rollback(*, name: str, number: int, reason: str, author: str) -> None:
        """Publish the settings of revision NUMBER again, as a new revision; it is a draft where a second person has to publish it."""
        from cli.nouns.rules import opened

        with opened(noun, author) as rules:
            made = rules.roll_back(name, number, reason)
        ends = "applies" if made.state == "published" else "is a draft: somebody else has to publish it"
        click.echo(f"Revision {made.number} of {noun} {name}, with the settings of {number}, {ends}.")


def _line(revision: "Revision") -> str:
    published = (
        ""
        if revision.published_at is None
        else f"; published {revision.published_at:{TIME}} by {revision.published_by}"
    )
    reason = f": {revision.reason}" if revision.reason else ""
    return f"{revision.state:10} {revision.created_at:{TIME}} by {revision.author}{reason}{published}"


def _show_json(document: "dict[str, object] | msgspec.Struct") -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
