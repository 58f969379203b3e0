"""Arguments for every verb, drawn from what click knows of its options: mostly right ones, and a few that are wrong or odd."""

from collections.abc import Iterator, Sequence
from typing import Any

import click
from hypothesis import strategies as st

HUGE = str(10**30)
NUMBERS = ("0", "-1", "77", str(2**31), str(2**63 - 1), str(2**63), HUGE, "1.5", "1e400", "nan", "inf", "٣", "²")
TIMES = ("0d", "1d", "30d", "99999d", "2026-11-01", "2026-02-30", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00",
         "2026-11-01T12:00+01:00", "2026-11-01T25:00", "yesterday", "-1d")  # fmt: skip
NAMES = ("bought@99", f"bought@{HUGE}", "bought@0", "nothing", f"1@{HUGE}", "1@²", "@", "raw:77", f"raw:{HUGE}", "raw:²", "raw:",
         "order.paid:", f"order.paid:{HUGE}", "999-999-9999", "head", "+1", "EUR", "'; DROP TABLE app.sites; --", "%s %(x)s :x")  # fmt: skip
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
ODD = st.one_of(TEXTS, st.sampled_from(NUMBERS), st.sampled_from(TIMES), st.sampled_from(NAMES))
WAITS = {"seconds"}  # without it, or with a large one, a verb waits for minutes
# What the world of the test has, by the name of the parameter.
RIGHT = {
    "subject": ("1", "#1", "order.paid:1", "raw:1"),
    "event": ("order.paid:1",),
    "number": ("1",),
    "assignment": ("1",),
    "definition": ("bought", "purchase"),
    "name": ("shop-key-1", "1"),
    "site": ("shop-key-1", "1"),
    "sites": ("shop-key-1",),
    "customer_id": ("1234567890", "123-456-7890"),
    "action_id": ("2",),
    "action": ("2",),
    "order_id": ("1",),
    "revision": ("head",),
    "topic": ("orders/paid",),
    "currency": ("EUR",),
    "time_zone": ("Europe/Berlin",),
    "country": ("DE",),
    "domain": ("shop.example", "shop.myshopify.com"),
    "seconds": ("0", "1", "-1", "nan", "inf", HUGE, "soon"),
    "since": ("30d", "2026-11-01"),
    "until": ("0d",),
    "exercise": ("refused", "consent", "draft-rule", "replay"),
}


def verbs(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb that does something, with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        verb = group.get_command(context, name)
        assert verb is not None
        if isinstance(verb, click.Group):
            if verb.invoke_without_command:
                yield (*path, name), click.Command(name)
            yield from verbs(verb, (*path, name))
        else:
            yield (*path, name), verb


@st.composite
def lines(draw: st.DrawFn, path: Sequence[str], verb: click.Command, files: Sequence[str]) -> list[str]:
    """Command lines of a verb. `files`: paths to name where a file or a folder is asked for."""
    params = list(verb.params)
    odd = draw(st.sets(st.sampled_from([one.name for one in params]), max_size=2)) if params else set()
    words = list(path)
    for param in params:
        if not (param.required or param.name in odd or param.name in WAITS or draw(st.booleans())):
            continue
        if isinstance(param, click.Option) and param.is_flag:
            words.append(draw(st.sampled_from([*param.opts, *param.secondary_opts])))
            continue
        is_odd = param.name in odd and param.name not in WAITS and draw(st.booleans())
        value = draw(ODD if is_odd else _right(param, files))
        words.append(value if isinstance(param, click.Argument) else f"{param.opts[-1]}={value}")
    return words


def _right(param: click.Parameter, files: Sequence[str]) -> st.SearchStrategy[str]:
    """Values of the right form, and such of it as no row has."""
    kind: Any = param.type
    if isinstance(kind, click.Choice):
        return st.sampled_from([str(one) for one in kind.choices])
    if isinstance(kind, click.Path):
        return st.sampled_from(list(files))
    if param.name in RIGHT:
        return st.sampled_from(RIGHT[param.name])
    return st.sampled_from(NUMBERS) if "integer" in kind.name or "float" in kind.name else TEXTS
