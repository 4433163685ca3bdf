"""No test looks for something that cannot exist, because such a test always passes."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.conftest import ROOT
from tests.event_names import checked, event_names, texts
from tests.some import all_of_some, some_files

GLOBS = {"glob", "rglob", "iglob"}
# Test helpers that take the name of an event, with the position of that argument.
ASKED = {"told": 0, "wait_until_told": 0, "message_of": 1}


def trees(paths: list[Path]) -> Iterator[tuple[str, ast.Module]]:
    """Yield the syntax tree of each file, with its path."""
    for path in paths:
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def events_asked_for(node: ast.AST) -> list[str]:
    """Return the event names that a node compares with or asks for."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        return [text for side in sides for text in texts(side)] if any(map(is_event, sides)) else []
    if isinstance(node, ast.Call):
        function = getattr(node.func, "attr", getattr(node.func, "id", ""))
        place = ASKED.get(function)
        return texts(node.args[place]) if place is not None and len(node.args) > place else []
    return []


def is_event(node: ast.AST) -> bool:
    """Return whether a node reads the name of an event: `x.event` or `x["event"]`."""
    if isinstance(node, ast.Attribute):
        return node.attr == "event"
    return isinstance(node, ast.Subscript) and texts(node.slice) == ["event"]


def may_be_empty(tree: ast.Module) -> list[int]:
    """Return the lines that look for files without requiring that any exists."""
    sure = {
        id(call)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
        for call in ast.walk(node.value)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in GLOBS and id(node) not in sure
    ]


def test_each_event_that_is_asked_for_exists(suite_files: list[Path]) -> None:
    """Every event name in a test is one that the program writes."""
    asked = [
        (path, name) for path, tree in trees(suite_files) for node in ast.walk(tree) for name in events_asked_for(node)
    ]
    assert len(asked) > 100
    assert [] == [(path, name) for path, name in asked if name not in event_names()]


def test_files_are_looked_for_where_some_have_to_be_found(suite_files: list[Path]) -> None:
    """A test finds files by `some_files`, which fails without any, or unpacks a fixed number of them."""
    bare = [(path, line) for path, tree in trees(suite_files) for line in may_be_empty(tree)]
    assert [] == [place for place in bare if place[0] != "tests/some.py"]


def test_an_ignored_import_that_is_none_breaks_its_contract(root: Path) -> None:
    """Every contract of import-linter reports an ignored import that does not exist."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    assert len(contracts) > 5
    alerts = {contract.get("unmatched_ignore_imports_alerting", "error") for contract in contracts}
    assert {"error"} == alerts


def test_what_closes_the_holes_fails(tmp_path: Path) -> None:
    """An unknown event, a folder without matching files and `all` without values each raise AssertionError."""
    for refused in (
        lambda: checked("stepped"),
        lambda: some_files(tmp_path, "*.py"),
        lambda: all_of_some(()),
    ):
        with pytest.raises(AssertionError):
            refused()
    assert all_of_some([True])
    assert not all_of_some([True, False])
