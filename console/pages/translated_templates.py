"""Templates whose texts are in one language from the moment they are compiled, so that showing a text costs nothing."""

import gettext
import re
from collections.abc import Iterator
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

_MARKS: Final = ("_", "gettext")  # {% trans %} is parsed as the second
_PLACE: Final = re.compile(r"%\((\w+)\)s|(%%)|%")


class _Generator(CodeGenerator):
    """Compiles a template after its texts were put in place."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802  (Jinja's own name for it)
        assert isinstance(self.environment, TranslatingEnvironment)  # noqa: S101  (which alone compiles by this class)
        _Texts(self.environment.catalog).visit(node)
        super().visit_Template(node, frame)


class TranslatingEnvironment(jinja2.Environment):
    """An environment with the texts of one catalog: a text without places becomes a constant, one with places is written piece by piece. Texts by
    number (`ngettext`), and those with places that are handed on, are looked up when a page is made."""

    code_generator_class = _Generator

    def __init__(self, catalog: gettext.NullTranslations, **options: Any) -> None:
        """`options`: those of Jinja's own environment."""
        super().__init__(extensions=["jinja2.ext.i18n"], **options)
        self.catalog = catalog
        translate: Any = self  # the extension adds a method
        translate.install_gettext_translations(catalog, newstyle=True)


class _Texts(NodeTransformer):
    """Puts texts of a catalog where a template calls for them."""

    def __init__(self, catalog: gettext.NullTranslations) -> None:
        self._catalog = catalog

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        node.nodes = [part for child in node.nodes for part in self._parts(child)]
        return self.generic_visit(node)

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        text = self._text(node)
        if text is None or node.kwargs:
            return self.generic_visit(node)
        return nodes.Const(Markup(text) % {}, lineno=node.lineno)  # noqa: S704  (ours, or a translator's)

    def _text(self, node: nodes.Node) -> str | None:
        """The text that a node calls for, in the catalog's language; None: it calls for none, or for one that is not written there."""
        if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name) or node.node.name not in _MARKS:
            return None
        written = node.args[0] if len(node.args) == 1 else None
        return self._catalog.gettext(written.value) if isinstance(written, nodes.Const) else None

    def _parts(self, node: nodes.Expr) -> Iterator[nodes.Expr]:
        """A text with places as its pieces; another node as it is, and so a text with a place that nothing is given for."""
        text = self._text(node)
        if text is None or not isinstance(node, nodes.Call) or not node.kwargs:
            yield node
            return
        values = {keyword.key: keyword.value for keyword in node.kwargs}
        places = list(_PLACE.finditer(text))
        if any(place[0] != "%%" and place[1] not in values for place in places):
            yield node
            return
        at = 0
        for place in places:
            yield nodes.TemplateData(text[at : place.start()] + ("%" if place[2] else ""), lineno=node.lineno)
            if place[1]:
                yield values[place[1]]
            at = place.end()
        yield nodes.TemplateData(text[at:], lineno=node.lineno)
