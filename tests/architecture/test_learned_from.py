"""What a training run depends on is all that is imported to train."""

from __future__ import annotations

import grimp

from improviser.training.train import LEARNED_FROM

TRAINS = "improviser.training.train"
# It holds the version, which changes with every release, and what others may import.
NOT_LEARNED_FROM = {"improviser"}


def test_every_source_that_trains_tells_one_run_from_another() -> None:
    """A run is another one when any module changes that training imports, directly or through others."""
    graph = grimp.build_graph("improviser", exclude_type_checking_imports=True)
    modules = {TRAINS} | graph.find_upstream_modules(TRAINS)
    packages = {module for module in modules if graph.find_children(module)}
    named = {
        module.removeprefix("improviser.").replace(".", "/") + ("/__init__" if module in packages else "")
        for module in modules - NOT_LEARNED_FROM
    }
    assert sorted(f"{name}.py" for name in named) == sorted(LEARNED_FROM)
