"""Building and caching the corpus: the same pieces every time, also after an interruption."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from improviser.corpus import build as corpus_build
from improviser.corpus import cache as corpus_cache
from improviser.corpus import library as corpus
from improviser.corpus.build import Task, read_part, run_tasks
from improviser.corpus.parsed_score import CUT
from improviser.errors import CorpusError, UsageError

HEAD = "X:1\nT:A tune\nM:2/4\nL:1/8\nK:{key}\n"
TUNE = HEAD.format(key="D") + "A|d2 f2|a2 f2|e2 c2|d3:|\n"
OTHER_TUNE = HEAD.format(key="Am") + "A2 c2|e2 c2|B2 G2|A2 E2|\n"


@pytest.fixture
def small_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder beside a corpus of two files with three tunes."""
    root = tmp_path / "installed"
    for folder in ("bach", "oneills1850", "ryansMammoth"):
        (root / folder).mkdir(parents=True)
    (root / "ryansMammoth" / "ATune.abc").write_text(TUNE)
    (root / "oneills1850" / "0001-0002.abc").write_text(TUNE + "\n" + OTHER_TUNE.replace("X:1", "X:2"))
    monkeypatch.setattr(corpus, "_corpus_folder", lambda: root)
    monkeypatch.setenv("IMPROVISER_CACHE_DIR", str(tmp_path / "elsewhere"))
    return tmp_path / "cache"


def test_pieces_come_back_from_the_cache(small_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second load gives equal pieces without parsing, and no temporary files remain."""
    seen: list[tuple[str, int, int]] = []
    built = corpus.load_pieces(cache_dir=small_corpus, progress=lambda *step: seen.append(step))
    monkeypatch.setattr(corpus, "_build", None)
    loaded = corpus.load_pieces(cache_dir=small_corpus)
    assert [("parsing", done, 2) for done in (0, 1, 2)] == seen
    assert ["oneills1850/0001-0002#1", "oneills1850/0001-0002#2", "ryansMammoth/ATune"] == [p.name for p in loaded]
    assert [corpus_cache.CACHE_NAME] == [path.name for path in small_corpus.iterdir()]
    assert list(map(repr, built)) == list(map(repr, loaded))
    assert np.int32 == loaded[0].voices[0].dtype


def test_builds_give_the_same_bytes(small_corpus: Path, tmp_path: Path) -> None:
    """The same corpus gives the same cache, with families across its files."""
    pieces = corpus.load_pieces(cache_dir=small_corpus)
    corpus.load_pieces(cache_dir=tmp_path / "again")
    name = corpus_cache.CACHE_NAME
    assert (small_corpus / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert pieces[0].split == pieces[2].split


@pytest.mark.parametrize("damage", ["garbage", "cut", "inconsistent"])
def test_corrupt_cache_is_built_again(small_corpus: Path, caplog: pytest.LogCaptureFixture, damage: str) -> None:
    """A cache that cannot be read is built again, with a warning."""
    corpus.load_pieces(cache_dir=small_corpus)
    path = small_corpus / corpus_cache.CACHE_NAME
    whole = path.read_bytes()
    if damage == "inconsistent":
        with np.load(path) as file:
            np.savez(path, **{**file, "note_count": file["note_count"] + 1})
    else:
        path.write_bytes(b"garbage" if damage == "garbage" else whole[: len(whole) // 2])
    assert 3 == len(corpus.load_pieces(cache_dir=small_corpus))
    assert "is corrupt" in caplog.text
    assert whole == path.read_bytes()


def test_cache_of_another_music21_is_built_again(
    small_corpus: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache of another parser version is built again."""
    corpus.load_pieces(cache_dir=small_corpus)
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: "99")
    assert 3 == len(corpus.load_pieces(cache_dir=small_corpus))
    assert "not of music21 99" in caplog.text


def test_environment_names_the_cache_folder(small_corpus: Path, tmp_path: Path) -> None:
    """Without a folder argument the cache is in IMPROVISER_CACHE_DIR."""
    assert not small_corpus.exists()
    assert 3 == len(corpus.load_pieces(("tune",)))
    assert (tmp_path / "elsewhere" / corpus_cache.CACHE_NAME).is_file()


def test_kinds_are_chosen_and_checked(small_corpus: Path) -> None:
    """Only the requested kinds are returned, and an unknown kind is named."""
    assert [] == corpus.load_pieces(("chorale",), small_corpus)
    with pytest.raises(UsageError, match="unknown kind of piece: opera; there are chorale, tune"):
        corpus.load_pieces(("opera",), small_corpus)


def test_without_music21_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without music21 and without a cache, the error says what to install."""

    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    monkeypatch.setitem(sys.modules, "music21", None)
    with pytest.raises(CorpusError, match=r'pip install "improviser-live\[train\]"'):
        corpus.load_pieces(cache_dir=tmp_path)


def test_a_cache_serves_without_music21(small_corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An existing cache is used without music21."""
    corpus.load_pieces(cache_dir=small_corpus)
    monkeypatch.setattr(corpus, "_parser", lambda: None)
    assert 3 == len(corpus.load_pieces(cache_dir=small_corpus))


def test_an_empty_corpus_is_an_error(small_corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A music21 that was installed without its corpus is reported."""
    monkeypatch.setattr(corpus, "_corpus_folder", lambda: tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="no corpus in"):
        corpus.load_pieces(cache_dir=small_corpus)


def test_installed_corpus_holds_the_sources() -> None:
    """The folders that are read belong to the installed package."""
    assert (corpus._corpus_folder() / "bach" / "bwv66.6.mxl").is_file()  # noqa: SLF001


def test_chorale_file_is_read() -> None:
    """A compressed MusicXML file gives four voices in F sharp minor with an upbeat of two eighths."""
    parsed = corpus.parse_file("bach", corpus._corpus_folder() / "bach" / "bwv66.6.mxl")  # noqa: SLF001
    found = parsed.drafts[0]
    assert ("bach/bwv66.6", "chorale", 6, "minor", (4, 4)) == (
        found.name,
        found.kind,
        found.tonic,
        found.mode,
        found.meter,
    )
    assert [[72, 12, 73], [84, 12, 71], [96, 24, 69]] == found.voices[0][:3].tolist()


def test_broken_pieces_are_counted_and_logged(small_corpus: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Unreadable files and unsupported meters are counted, and all other pieces are kept."""
    installed = small_corpus.parent / "installed"
    (installed / "bach" / "broken.mxl").write_bytes(b"no score")
    (installed / "ryansMammoth" / "SlipJig.abc").write_text(TUNE.replace("M:2/4", "M:9/8"))
    (installed / "ryansMammoth" / "Cut.abc").write_text(TUNE.replace(":|", "|") + "M:6/8\nabc def|abc def|\n")
    with caplog.at_level(logging.INFO):
        pieces = corpus.load_pieces(cache_dir=small_corpus)
    summary = corpus.corpus_summary(pieces, small_corpus)
    assert {"chorale: unreadable": 1, "tune: meter 9/8": 1} == summary["dropped"]
    assert {f"tune: {CUT}": 1} == summary["changed"]
    assert "bach/broken: " in caplog.text


def test_summary_counts_what_the_model_card_needs(small_corpus: Path) -> None:
    """The summary counts pieces, notes, families and splits."""
    pieces = corpus.load_pieces(cache_dir=small_corpus)
    summary = corpus.corpus_summary(pieces, small_corpus)
    assert {"oneills1850": 2, "ryansMammoth": 1} == summary["collections"]
    assert ({"tune": 3}, {"2/4": 3}) == (summary["pieces"], summary["meters"])
    assert ({"major": 2, "minor": 1}, {"tune": 24}) == (summary["modes"], summary["notes"])
    assert 3 == sum(summary["splits"]["tune"].values())
    assert f"music21 {importlib.metadata.version('music21')}" == summary["parser"]


def empty_tasks(tmp_path: Path, count: int) -> list[Task]:
    """Return tasks of files that hold no tune, which need no music21."""
    files = [tmp_path / f"{number}.abc" for number in range(count)]
    for file in files:
        file.write_text("")
    parts = tmp_path / "parts"
    parts.mkdir()
    return [Task(corpus.parse_file, "ryansMammoth", file, parts / f"{file.stem}.json", "music21 1") for file in files]


def test_an_interrupted_build_goes_on(tmp_path: Path) -> None:
    """A resumed build parses only files without a valid part of the same version."""
    tasks = empty_tasks(tmp_path, 4)
    run_tasks(tasks)
    tasks[0].path.unlink()
    tasks[1].part.write_text("{")
    tasks[2].part.write_text(tasks[2].part.read_text().replace("music21 1", "music21 0"))
    seen: list[tuple[str, int, int]] = []
    run_tasks(tasks, lambda *step: seen.append(step))
    assert [("parsing", 2, 4), ("parsing", 3, 4), ("parsing", 4, 4)] == seen


def test_a_pool_parses_many_files(tmp_path: Path) -> None:
    """From eight files on, worker processes write one part per file."""
    tasks = empty_tasks(tmp_path, corpus_build.POOL_FROM_FILES)
    run_tasks(tasks)
    assert None not in [read_part(task) for task in tasks]


def test_a_killed_worker_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken worker pool is an error that says that the build can be run again."""

    @contextmanager
    def broken(_jobs: int) -> Iterator[object]:
        """Return a pool whose workers are killed."""

        class Broken:
            def submit(self, *_: object) -> None:
                raise BrokenProcessPool

        yield Broken()

    monkeypatch.setattr(corpus_build, "pool", broken)
    with pytest.raises(CorpusError, match="Run the command again"):
        run_tasks(empty_tasks(tmp_path, corpus_build.POOL_FROM_FILES))


def test_another_build_may_remove_the_parts(tmp_path: Path) -> None:
    """A part that cannot be written because the folder of parts is gone causes no error."""
    tasks = empty_tasks(tmp_path, 1)
    tasks[0].part.parent.rmdir()
    assert corpus_build.Parsed() == run_tasks(tasks)
