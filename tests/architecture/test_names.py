"""Names say what a thing is, and tests state their behaviour."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

# Private classes that two modules each define for themselves.
SHARED_CLASSES: set[str] = {"_Port"}
MOST_MODULES = 22
# A docstring does not begin with these words: it says what the function does.
UNPLAIN = re.compile(r"(Give|Let|Tell)\b")

VAGUE_NAMES = {"utils", "util", "common", "misc", "helpers", "helper"}


def nodes(paths: list[Path]) -> list[tuple[Path, ast.AST]]:
    """Return every syntax node of the files, with its file."""
    return [(path, node) for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]


def test_no_module_is_named_vaguely(package_files: list[Path], suite_files: list[Path]) -> None:
    """No module or folder is called utils, common, misc or helpers."""
    paths = package_files + suite_files
    assert [] == [str(path) for path in paths if VAGUE_NAMES & {path.stem, path.parent.name}]


def test_no_class_is_a_manager(package_files: list[Path]) -> None:
    """No class name ends in Manager, which would say nothing about the class."""
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


def test_a_module_is_named_once(package_files: list[Path]) -> None:
    """No two modules have the same name, apart from the files of commands."""
    own = [path for path in package_files if not path.stem.startswith("__") and "cli" not in path.parts]
    assert {} == {stem: count for stem, count in Counter(path.stem for path in own).items() if count > 1}


def test_a_class_is_named_once(package_files: list[Path]) -> None:
    """No two classes have the same name."""
    classes = Counter(node.name for _, node in nodes(package_files) if isinstance(node, ast.ClassDef))
    assert SHARED_CLASSES == {name for name, count in classes.items() if count > 1}


def test_no_folder_holds_many_modules(package_files: list[Path]) -> None:
    """No folder has more than 22 modules."""
    folders = Counter(path.parent for path in package_files)
    assert {} == {str(folder): count for folder, count in folders.items() if count > MOST_MODULES}


def test_docstrings_say_what_is_done(package_files: list[Path]) -> None:
    """No docstring begins with "Give", "Let" or "Tell": "Return the key", not "Give the key"."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    texts = [
        (f"{path.name}:{node.lineno}", ast.get_docstring(node) or "")
        for path, node in nodes(package_files)
        if isinstance(node, kinds)
    ]
    assert [] == [(place, text.partition("\n")[0]) for place, text in texts if UNPLAIN.match(text)]
