"""Parses corpus files in a process pool, and stores each file's result so that an interrupted build can resume.

Invariant: the result depends only on the files, never on the order in which workers finish.
"""

from __future__ import annotations

import io
import json
import logging
import os
import warnings
from collections import Counter
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from improviser.corpus.piece import ParsedScore
from improviser.errors import CorpusError
from improviser.workers import pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

logger = logging.getLogger(__name__)

POOL_FROM_FILES = 8
"""Fewer files are parsed in this process: a worker takes about two seconds to start and import music21."""


@dataclass(slots=True)
class Parsed:
    """Result of parsing files: the parsed scores, the dropped pieces by reason, and what could not be read."""

    drafts: list[ParsedScore] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Task:
    """One file to parse with `parse(collection, path)`, and the part file for the result."""

    parse: Callable[[str, Path], Parsed]
    collection: str
    path: Path
    part: Path
    stamp: str


def run_tasks(tasks: Sequence[Task], progress: Callable[[str, int, int], None] | None = None) -> Parsed:
    """Parse the files that have no part file yet; return the results of all files in the order of the tasks.

    Raises:
        CorpusError: A worker was killed; the existing part files stay.
    """
    report = progress or (lambda _stage, _done, _total: None)
    results = {task.part: kept for task in tasks if (kept := read_part(task)) is not None}
    report("parsing", len(results), len(tasks))
    for part, parsed in _finished([task for task in tasks if task.part not in results]):
        results[part] = parsed
        report("parsing", len(results), len(tasks))
    return _merge([results[task.part] for task in tasks])


def read_part(task: Task) -> Parsed | None:
    """Return the content of a part file; None if it is missing, corrupt or has another stamp."""
    try:
        content = json.loads(task.part.read_bytes())
        if content["stamp"] != task.stamp:
            return None
        drafts = [_draft_from_json(entry) for entry in content["drafts"]]
        return Parsed(drafts, Counter(content["dropped"]), content["faults"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _finished(tasks: Sequence[Task]) -> Iterator[tuple[Path, Parsed]]:
    """Run the tasks in this process or a pool; yield each part file with its result as it finishes."""
    if len(tasks) < POOL_FROM_FILES:
        yield from map(_run_task, tasks)
        return
    try:
        with pool(os.cpu_count() or 1) as executor:
            for future in as_completed([executor.submit(_run_task, task) for task in tasks]):
                yield future.result()
    except BrokenProcessPool as error:
        raise CorpusError(
            "a process that parsed the corpus was killed (out of memory?). Run the command again to resume"
        ) from error


def _run_task(task: Task) -> tuple[Path, Parsed]:
    """Parse one file without the parser's warnings, and write the result to its part file."""
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        parsed = task.parse(task.collection, task.path)
    content = {
        "stamp": task.stamp,
        "drafts": [_draft_to_json(draft) for draft in parsed.drafts],
        "dropped": dict(parsed.dropped),
        "faults": parsed.faults,
    }
    # Another process that builds the same cache may have removed the folder of part files. An incomplete part file is
    # not valid JSON, so its file is parsed again.
    with suppress(FileNotFoundError):
        task.part.write_text(json.dumps(content), "utf-8")
    return task.part, parsed


def _merge(results: Sequence[Parsed]) -> Parsed:
    """Return the results as one, and log what could not be read."""
    merged = Parsed()
    for parsed in results:
        merged.drafts += parsed.drafts
        merged.dropped += parsed.dropped
        merged.faults += parsed.faults
    for fault in merged.faults:
        logger.info("corpus piece not read: %s", fault)
    return merged


def _draft_to_json(draft: ParsedScore) -> dict[str, Any]:
    """Return a parsed score as plain values."""
    return {
        "name": draft.name,
        "kind": draft.kind,
        "tonic": draft.tonic,
        "mode": draft.mode,
        "meter": list(draft.meter),
        "voices": [voice.tolist() for voice in draft.voices],
        "change": draft.change,
        "parts": list(draft.parts),
        "chords": draft.chords.tolist(),
        "sections": [list(section) for section in draft.sections],
    }


def _draft_from_json(entry: dict[str, Any]) -> ParsedScore:
    """Return the parsed score from plain values."""
    voices = tuple(np.array(voice, dtype=np.int32).reshape(-1, 3) for voice in entry["voices"])
    numerator, denominator = entry["meter"]
    meter = (int(numerator), int(denominator))
    return ParsedScore(
        entry["name"],
        entry["kind"],
        entry["tonic"],
        entry["mode"],
        meter,
        voices,
        entry["change"],
        tuple(entry["parts"]),
        np.array(entry["chords"], dtype=np.int32).reshape(-1, 4),
        tuple((int(tick), str(name)) for tick, name in entry["sections"]),
    )
