"""The contracts between the layers hold, and every module belongs to a layer."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.api import read_configuration

from tests.some import some_files

LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
CORE = ("engine", "listening", "midi", "music", "playing", "rewards")


def test_contracts_hold(root: Path) -> None:
    """Every contract of import-linter is kept."""
    command = [sys.executable, "-c", LINT_IMPORTS, "--no-logo", "--no-cache"]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert 0 == run.returncode, run.stdout + run.stderr


def test_every_module_is_placed(root: Path) -> None:
    """Each module or package at the top of the package is in exactly one layer."""
    contracts = read_configuration(str(root / "pyproject.toml"))["contracts_options"]
    layers = next(contract for contract in contracts if contract["type"] == "layers")["layers"]
    placed = [name for layer in layers for name in re.findall(r"\w+", layer)]
    found = {path.stem for path in some_files(root / "improviser", "*.py")} - {"__init__"}
    found |= {path.parent.name for path in some_files(root / "improviser", "*/__init__.py")}
    assert len(set(placed)) == len(placed)
    assert set() == found - set(placed)


def test_every_folder_is_a_package(root: Path, package_files: list[Path]) -> None:
    """Each folder with code has an __init__.py: without one no contract covers it."""
    folders = {path.parent for path in package_files}
    assert [] == [str(folder.relative_to(root)) for folder in folders if not (folder / "__init__.py").exists()]


@pytest.mark.parametrize("layer", CORE)
def test_core_opens_and_prints_nothing(root: Path, layer: str) -> None:
    """No module of the core calls open, print or input, which the import contracts cannot detect."""
    paths = some_files(root / "improviser" / layer, "**/*.py")
    calls = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"open", "print", "input"}
    ]
    assert [] == calls
