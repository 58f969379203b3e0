"""The table of the rooms of `custom_events`, made from the sentence in each one's docstring. `make docs` writes it into CONTRIBUTING.md."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "CONTRIBUTING.md"
BEGIN, END = "<!-- rooms: made by `make docs` -->", "<!-- end of rooms -->"


def table(domain: Path = ROOT / "custom_events") -> str:
    """A row for each package and each module that stands by itself, in order of their names."""
    rows = (f"| [{name}]({path.relative_to(ROOT)}) | {_sentence(source)} |" for name, path, source in _rooms(domain))
    return "\n".join(["| room | what is in it |", "|---|---|", *rows])


def page(text: str) -> str:
    """The page with the table of today between its marks. Raises ValueError where it has none."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{PAGE.name} has no table of rooms: put {BEGIN} and {END} where it belongs")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def write(file: Path = PAGE) -> None:
    """Write the table into the page."""
    file.write_text(page(file.read_text(encoding="utf-8")), encoding="utf-8")


def _rooms(domain: Path) -> Iterator[tuple[str, Path, Path]]:
    for source in sorted(domain.rglob("*.py")):
        if source.name == "__init__.py" and source.parent != domain:
            yield f"{source.parent.relative_to(domain)}/", source.parent, source
        elif source.parent == domain and source.name != "__init__.py":
            yield source.name, source, source


def _sentence(source: Path) -> str:
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
