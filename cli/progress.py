"""How far long work is: one line on standard error that is written over, for people only."""

import sys

import click


def write_over(line: str) -> None:
    """Write over the line; "" takes it away. Nothing where standard error is no terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{line}", nl=False, err=True)
