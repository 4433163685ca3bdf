"""What a chart gives to the engine: its chords, its meter, and its key if it names one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from improviser.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from improviser.chart import Chart
    from improviser.engine import EngineSettings


def playable_chart(path: Path, meter: str | None = None) -> Chart:
    """Return the chart in a file.

    Args:
        path: The chart's file.
        meter: The meter that the user asked for; None if they asked for none.

    Raises:
        UsageError: The file is no chart, has no chord, or is in another meter.
    """
    from improviser.chart import read_chart

    chart = read_chart(path)
    if not any(chord >= 0 for chord in chart.eighths()):
        raise UsageError(f"{path}: no chord in it. See what is read of it: improviser chart {path}")
    if meter is not None and meter != chart.meter.name:
        raise UsageError(f"{path} is in {chart.meter.name}, so --meter {meter} cannot be. Leave it out")
    return chart


def chart_values(path: Path, meter: str | None = None) -> dict[str, object]:
    """Return the engine's values by the chart in a file. Raise UsageError as `playable_chart` does."""
    chart = playable_chart(path, meter)
    values: dict[str, object] = {"chart": chart.eighths(), "meter": (chart.meter.numerator, chart.meter.denominator)}
    return values if chart.key is None else values | {"key": chart.key.name}


def with_chart(settings: EngineSettings, chart: Chart, *, keeps_key: bool) -> EngineSettings:
    """Return settings by a chart, in its key unless `keeps_key`."""
    key = settings.key if keeps_key or chart.key is None else chart.key.name
    meter = chart.meter.numerator, chart.meter.denominator
    return replace(settings, chart=chart.eighths(), meter=meter, key=key)
