"""Names say what a thing is; tests say what behaviour they hold."""

from __future__ import annotations

import ast
from pathlib import Path

VAGUE_NAMES = {"utils", "util", "common", "misc", "helpers", "helper"}


def nodes(paths: list[Path]) -> list[tuple[Path, ast.AST]]:
    """Return every syntax node of the files, with the file it is from."""
    return [(path, node) for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]


def test_no_module_is_named_vaguely(package_files: list[Path], suite_files: list[Path]) -> None:
    """No module or folder is called utils, common, misc or helpers."""
    paths = package_files + suite_files
    assert [] == [str(path) for path in paths if VAGUE_NAMES & {path.stem, path.parent.name}]


def test_no_class_is_a_manager(package_files: list[Path]) -> None:
    """No class name ends in Manager: it would say nothing of what the class does."""
    classes = [node.name for _, node in nodes(package_files) if isinstance(node, ast.ClassDef)]
    assert [] == [name for name in classes if name.endswith("Manager")]


def test_every_test_states_its_behaviour(suite_files: list[Path]) -> None:
    """Every test function has a docstring."""
    silent = [
        f"{path.name}:{node.lineno} {node.name}"
        for path, node in nodes(suite_files)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_") and ast.get_docstring(node) is None
    ]
    assert [] == silent
