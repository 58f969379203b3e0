"""Who does it: an option of every verb that changes something, kept in the audit trail."""

import getpass
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from cli.session import address_of_server

AUTHOR_VARIABLE = "CUSTOM_EVENTS_AUTHOR"


def author_option(sentence: str = "Who does it; kept in the audit trail.", *names: str) -> Callable[[Any], Any]:
    """The option; its value is the login's name unless the variable or the command line says another."""
    return click.option(
        *(names or ("--author",)),
        default=getpass.getuser,
        envvar=AUTHOR_VARIABLE,
        show_default=f"{AUTHOR_VARIABLE}, else the login",
        callback=_named,
        help=sentence,
    )


def _named(context: click.Context, param: click.Parameter, value: str) -> str:
    """Whoever it is has a name. From afar the server writes whose key it is, and takes nobody's word."""
    is_named = context.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
    if is_named and address_of_server() is not None:
        raise click.BadParameter("the server writes whose key it is: leave it out", ctx=context, param=param)
    if not value.strip():
        raise click.BadParameter(
            f"every change has an author: give a name, or set {AUTHOR_VARIABLE}", ctx=context, param=param
        )
    return value
