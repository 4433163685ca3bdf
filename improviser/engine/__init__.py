"""The engine, without I/O: `hear(message, at_s)`, `step(at_s)` -> timed messages."""

from improviser.engine.core import Engine
from improviser.engine.decision import Decision
from improviser.engine.settings import AUTO_KEY, EngineSettings

__all__ = ["AUTO_KEY", "Decision", "Engine", "EngineSettings"]
