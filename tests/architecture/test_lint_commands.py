"""A commit is checked by the same commands that continuous integration runs."""

from __future__ import annotations

import re
from pathlib import Path


def test_pre_commit_runs_what_make_lint_runs(root: Path) -> None:
    """The hooks of pre-commit are the commands of `make lint`, in the same order."""
    rule = (root / "Makefile").read_text("utf-8").split("\nlint:")[1].split("\n\n")[0]
    commands = re.findall(r"^\t\$\(BIN\)/(.+)$", rule, flags=re.MULTILINE)
    config = (root / ".pre-commit-config.yaml").read_text("utf-8")
    hooks = re.findall(r"entry: \.venv/bin/(.+)$", config, flags=re.MULTILINE)
    assert commands == hooks
    assert len(commands) == 4


def test_ci_calls_make_test_only(root: Path) -> None:
    """Continuous integration runs `make test` and nothing else."""
    lines = (root / ".ci" / "run").read_text("utf-8").splitlines()
    commands = [line for line in lines if not line.startswith(("#", "set ", "cd "))]
    assert ["exec make test"] == commands
