"""Reads chord charts: plain text, ChordPro, MusicXML and iReal."""

from __future__ import annotations

from improviser.chart.chart import Chart, ChartBar
from improviser.chart.reader import read_chart

__all__ = ["Chart", "ChartBar", "read_chart"]
