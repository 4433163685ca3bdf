"""The names of all events and commands that the program writes; a test that asks for another name is wrong."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.some import some_files

PACKAGE = Path(__file__).parents[1] / "improviser"


@cache
def event_names() -> frozenset[str]:
    """Return every name that is assigned to `event` in a class or a dictionary of the package."""
    names = {
        name
        for path in some_files(PACKAGE, "**/*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in _named(node)
    }
    assert {"heard", "error", "page", "recorded"} <= names
    return frozenset(names)


def checked(name: str) -> str:
    """Return `name`. Raises AssertionError where no event or command has this name."""
    assert name in event_names(), f"no event is called {name!r}"
    return name


def _named(node: ast.AST) -> list[str]:
    """Return the event names that a syntax node defines."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "event":
        return texts(node.value)
    if isinstance(node, ast.Dict):
        keys = zip(node.keys, node.values, strict=True)
        return [text for key, value in keys if texts(key) == ["event"] for text in texts(value)]
    return []


def texts(node: ast.AST | None) -> list[str]:
    """Return the text of a string constant, or the texts in a literal collection."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    parts = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else []
    return [text for part in parts for text in texts(part)]
