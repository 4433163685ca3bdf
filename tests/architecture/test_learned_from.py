"""The training fingerprint covers every module that training imports."""

from __future__ import annotations

import grimp

from improviser.training.train import LEARNED_FROM

TRAINS = "improviser.training.train"
# It holds the version, which changes with every release, and the public imports.
NOT_LEARNED_FROM = {"improviser"}


def test_every_source_that_trains_tells_one_run_from_another() -> None:
    """LEARNED_FROM lists exactly the modules that training imports, directly or indirectly."""
    graph = grimp.build_graph("improviser", exclude_type_checking_imports=True)
    modules = {TRAINS} | graph.find_upstream_modules(TRAINS)
    packages = {module for module in modules if graph.find_children(module)}
    named = {
        module.removeprefix("improviser.").replace(".", "/") + ("/__init__" if module in packages else "")
        for module in modules - NOT_LEARNED_FROM
    }
    assert sorted(f"{name}.py" for name in named) == sorted(LEARNED_FROM)
