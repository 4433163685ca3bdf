"""`improviser presets`: what can be chosen with `--preset`."""

from __future__ import annotations

EXAMPLES = """
improviser presets
improviser presets fiddle
improviser presets --json
"""


def presets() -> None:
    """List the presets."""
