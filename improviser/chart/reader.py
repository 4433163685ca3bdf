"""Reads a chart of any kind from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.chart.chordpro import read_chordpro
from improviser.chart.ireal import is_ireal, read_ireal
from improviser.chart.musicxml import read_musicxml
from improviser.chart.plain_text import read_plain
from improviser.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from improviser.chart.chart import Chart

_SCORES: Final = frozenset({".musicxml", ".mxl", ".xml"})
_CHORDPRO: Final = frozenset({".cho", ".crd", ".chopro", ".chordpro", ".pro"})
# A chart is small.
_LONGEST_BYTES: Final = 16 * 1024 * 1024


def read_chart(path: Path) -> Chart:
    """Return the chart in a file, of the kind that its name or its content tells.

    Raises:
        UsageError: The file cannot be read, or holds no chart. The text is one line that names the file.
    """
    try:
        with path.open("rb") as file:
            return _read(path.suffix.lower(), file.read(_LONGEST_BYTES + 1))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _read(suffix: str, data: bytes) -> Chart:
    """Return the chart in some bytes."""
    if len(data) > _LONGEST_BYTES:
        raise UsageError("too large for a chart")
    if suffix in _SCORES or data.startswith(b"PK"):
        return read_musicxml(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if is_ireal(text):
        return read_ireal(text)
    if suffix in _CHORDPRO or text.lstrip().startswith("{"):
        return read_chordpro(text)
    return read_plain(text)
