"""`improviser evaluate`, on a corpus of a few bars and with the shipped models."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from improviser.cli import main
from improviser.cli.evaluate.knobs import knob_row
from improviser.config.preset import load_preset
from improviser.corpus import library as corpus
from improviser.corpus.duplicates import split_of
from improviser.corpus.piece import Piece
from improviser.evaluation.estimate import Estimate
from improviser.evaluation.knob_sweep import Sweep
from improviser.midi.smf import MetaEvent, MetaKind, MeterChange, TimedEvent, Track, write_file
from improviser.training.beat.beat_piece import SETS, is_held_out
from tests.cli.conftest import Refuse, Run, RunJson
from tests.cli.corpus import write_tiny_corpus
from tests.written import TICKS, TUNE, to_song, to_track

QUICK = ("evaluate", "--pieces", "1")


@pytest.fixture(autouse=True)
def _tiny(own_folder: Path) -> None:
    """Put the corpus into the cache."""
    write_tiny_corpus(own_folder / "cache")


@pytest.fixture
def plain(run_json: RunJson) -> RunJson:
    """A function that evaluates one piece without adaptation and returns the printed objects."""
    return lambda *arguments: run_json(*QUICK, "--no-adaptation", *arguments)


def column(lines: list[dict[str, object]], name: str) -> object:
    """Return the figures of a column."""
    (figures,) = [line["figures"] for line in lines if line["column"] == name]
    return figures


def test_the_figures_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has one row per figure, and columns for people, each baseline and the preset."""
    assert 0 == main([*QUICK, "--preset", "fiddle"])
    captured = capsys.readouterr()
    header, *rows = captured.out.splitlines()
    assert ["FIGURE", "human", "random in key", "prior only", "greedy on reward", "fiddle", "BAND"] == [
        title.strip() for title in header.split("  ") if title
    ]
    (in_key,) = [row for row in rows if row.startswith("not in key %")]
    assert in_key.endswith("<= 0.5 %")
    assert any(row.startswith("transposed: recovery beats") for row in rows)
    assert captured.err.splitlines()[-1].startswith("evaluated in ")
    assert {"reward", "harmony", "coherence", "creativity"} <= {row.split("  ")[0] for row in rows}
    assert "evaluating: 100 %" in captured.err


def test_json_is_one_object_a_column(plain: RunJson) -> None:
    """With --json each column is one object; a figure that does not exist for a piece is null."""
    lines = plain()
    names = ["human", "random in key", "prior only", "greedy on reward", "chorale"]
    assert names == [line["column"] for line in lines]
    assert {("evaluated", "chorale")} == {(line["event"], line["preset"]) for line in lines}
    figures, intervals, bands = (lines[-1][name] for name in ("figures", "intervals", "bands"))
    assert isinstance(figures, dict)
    assert isinstance(intervals, dict)
    assert isinstance(bands, dict)
    assert isinstance(figures["reward"], float)
    assert [figures["reward"]] * 2 == intervals["reward"]  # for one piece
    kept = figures["not in key %"] <= 0.5
    assert {"band": "<= 0.5 %", "low": None, "high": 0.5, "kept": kept} == bands["not in key %"]
    assert "transposed: recovery beats" not in figures


def test_a_change_is_followed_through_the_engine(run_json: RunJson) -> None:
    """The columns of the prior and of the preset have adaptation figures and their bands."""
    lines = {str(line["column"]): line for line in run_json(*QUICK)}
    for name, line in lines.items():
        figures, bands = line["figures"], line["bands"]
        assert isinstance(figures, dict)
        assert isinstance(bands, dict)
        assert (name in {"prior only", "chorale"}) == ("transposed: recovery beats" in figures)
        assert ("transposed: recovery beats" in figures) == ("transposed: recovery beats" in bands)


def test_other_models_stand_beside(plain: RunJson) -> None:
    """Each --beside adds a column; the preset's own model there gives the preset's figures."""
    own = load_preset("chorale").model_path
    lines = plain("--beside", f"again={own}", "--beside", f"third={own}")
    assert ["chorale", "again", "third"] == [line["column"] for line in lines][-3:]
    assert column(lines, "chorale") == column(lines, "again") == column(lines, "third")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (("nothing",), "--beside wants NAME=PATH, not 'nothing'"),
        (("=x",), "--beside wants NAME=PATH, not '=x'"),
        (("human=x",), "there is a column 'human' already; give --beside another name"),
        (("chorale=x",), "there is a column 'chorale' already; give --beside another name"),
        (("a=x", "a=y"), "there is a column 'a' already; give --beside another name"),
    ],
)
def test_names_beside_are_new(given: tuple[str, ...], reason: str, refuse: Refuse) -> None:
    """--beside needs an unused name and a file."""
    options = [part for text in given for part in ("--beside", text)]
    assert reason == refuse(2, *QUICK, *options)


def test_a_model_that_is_not_there(refuse: Refuse) -> None:
    """A missing file of --beside is reported."""
    assert "missing.safetensors" in refuse(1, *QUICK, "--beside", "old=missing.safetensors")


def test_plots(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --plots piano rolls and the adaptation are drawn into the folder, which is created and reported."""
    assert 0 == main([*QUICK, "--plots", "new/plots"])
    names = {path.name for path in (own_folder / "new" / "plots").iterdir()}
    assert {"roll-human-1.png", "roll-chorale-1.png", "adaptation.png"} == names
    assert "3 plots are in new/plots" in capsys.readouterr().err


def test_each_knob_is_turned(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`knobs` prints one row per knob, and draws a plot if requested."""
    assert 0 == main(["evaluate", "knobs", "--pieces", "1", "--plots", "plots"])
    captured = capsys.readouterr()
    header, *rows = captured.out.splitlines()
    assert ["KNOB", "MEASURE", "0", "0.5", "1", "1.5", "2", "HUMAN", "RANDOM", "MOVED"] == header.split()
    assert ["harmony", "coherence", "creativity", "density", "temperature"] == [row.split()[0] for row in rows]
    assert ["knobs.png"] == [path.name for path in (own_folder / "plots").iterdir()]
    assert "the plot is plots/knobs.png" in captured.err


def test_the_knobs_as_json(run_json: RunJson) -> None:
    """With --json each knob is one object."""
    lines = run_json("evaluate", "knobs", "--pieces", "1")
    assert {"turned"} == {line["event"] for line in lines}
    assert {"knob", "measure", "settings", "values", "human", "random", "share", "kept"} <= lines[0].keys()


def test_what_is_unknown_of_a_knob() -> None:
    """Where the human figure is unknown, it and the share are a dash without a mark."""
    values = tuple(Estimate(mean, mean, mean) for mean in (1, 2, 3, 4, 5))
    settings = ("1.000", "2.000", "3.000", "4.000", "5.000")
    unknown = knob_row(Sweep("harmony", "m", values, human=math.nan, random=1.0))
    assert ("harmony", "m", *settings, "-", "1.000", "-", "") == unknown
    falling = Sweep("harmony", "m", values[::-1], human=2.0, random=1.0)
    assert ("-400 %", "!") == knob_row(falling)[-2:]


def test_the_hearing_of_keys(run_json: RunJson, capsys: pytest.CaptureFixture[str]) -> None:
    """`listening` prints the figures of the key and chord trackers, one column per kind of player."""
    assert 0 == main(["evaluate", "hearing"])
    captured = capsys.readouterr()
    header, *rows = captured.out.splitlines()
    assert header.startswith("FIGURE  ")
    assert any(row.startswith("whole") for row in rows)
    assert not any("nan" in row for row in rows)
    assert "listening: 100 %" in captured.err
    assert captured.err.splitlines()[-1].startswith("evaluated in ")
    lines = run_json("evaluate", "hearing")
    assert {"heard"} == {line["event"] for line in lines}
    assert all(str(line["heard"]) in captured.out for line in lines)
    assert any(row.startswith("root_major") for row in rows)


def test_the_figures_of_feel(
    run_json: RunJson, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`feel` prints tables of swing and pocket, also without a corpus; --json prints a line per row."""
    monkeypatch.setattr("improviser.cli.evaluate.feel.PLAYERS", 1)
    monkeypatch.setattr("improviser.evaluation.in_time.feel_figures.POCKET_BARS", 4)
    assert 0 == main(["evaluate", "feel", "--corpora", str(tmp_path)])
    headers = [row.split()[0] for row in capsys.readouterr().out.splitlines() if row[:2].isupper()]
    assert ["SWING", "POCKET"] == headers
    lines = run_json("evaluate", "feel", "--corpora", str(tmp_path))
    assert {"felt"} == {line["event"] for line in lines}
    assert {"swing", "pocket"} == {line["topic"] for line in lines}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("knobs", "--beside", "a=x"), "--beside adds a column to the music's figures; 'knobs' has none"),
        (("hearing", "--plots", "plots"), "there are no plots of 'hearing'"),
        (("beat",), "'beat' needs --corpora FOLDER"),
        (("hearing", "--corpora", "corpora"), "'hearing' hears music21's corpus; --corpora has no effect"),
        (
            ("--preset", "fiddle", "--corpora", "x"),
            "the style 'fiddle' learns from music21's corpus; --corpora has no effect",
        ),
        (("listening",), "'listening' needs --corpora FOLDER"),
        (
            ("beat", "--corpora", "corpora"),
            f"corpora holds none of the folders {', '.join(SETS)}. See docs/beat.md for what they are",
        ),
        (("feel", "--plots", "plots", "--corpora", "x"), "there are no plots of 'feel'"),
        (("feel", "--corpora", "x"), "--corpora is not a folder; it needs the folders weimar, pop909 and lieder"),
        (("feel",), "'feel' needs --corpora FOLDER"),
    ],
)
def test_an_option_that_does_nothing_is_refused(arguments: tuple[str, ...], reason: str, refuse: Refuse) -> None:
    """An option without effect on the requested measurement is refused before anything is measured."""
    assert reason == refuse(2, "evaluate", *arguments)


def test_the_beat_of_held_out_pieces(own_folder: Path, run_json: RunJson, capsys: pytest.CaptureFixture[str]) -> None:
    """`beat` prints the scores of each kind of player whose set has held-out pieces."""
    folder = own_folder / "corpora" / "openewld"
    folder.mkdir(parents=True)
    song = to_song(to_track(f"{TUNE} " * 4, name="melody"), meters=[MeterChange(0, 4, 4)])
    for number in range(20):
        write_file(folder / f"{number}.mid", song)
    held_out = sum(is_held_out("openewld", str(number)) for number in range(20))
    (line,) = run_json("evaluate", "beat", "--corpora", "corpora", "--pieces", 2)
    assert ("followed", "lead sheet") == (line["event"], line["player"])
    figures = line["figures"]
    assert isinstance(figures, dict)
    assert min(held_out, 2) == figures["pieces"]
    assert 0 == main(["evaluate", "beat", "--corpora", "corpora", "--pieces", "1"])
    assert "lead sheet" in capsys.readouterr().out


def test_scores_of_the_beat_need_a_library(refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without mir_eval the error says how to install it."""
    monkeypatch.setattr("improviser.app.optional.BEAT_SCORES", "no_such_library")
    reason = 'scores of the beat need no_such_library; install with: pip install "improviser-live[train]"'
    assert reason == refuse(1, "evaluate", "beat", "--corpora", "corpora")


def test_plots_need_a_library(refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing matplotlib is reported before anything is measured."""
    monkeypatch.setattr("improviser.app.optional.PLOTS", "no_such_library")
    reason = 'plots need no_such_library; install with: pip install "improviser-live[train]"'
    assert reason == refuse(1, *QUICK, "--plots", "plots")


def test_the_way_of_playing_may_be_another(plain: RunJson) -> None:
    """Temperature and prior weight change the preset's column only, and the seed changes the random draws."""
    first, hot, again = (plain(*more) for more in ((), ("--temperature", 5, "--prior-weight", 0), ("--seed", 0)))
    assert first == again
    assert column(first, "chorale") != column(hot, "chorale")
    assert column(first, "prior only") == column(hot, "prior only")
    assert column(first, "random in key") != column(plain("--seed", 1), "random in key")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [(["--pieces", "0"], "--pieces"), (["--temperature", "9"], "--temperature"), (["--seed", "x"], "--seed")],
)
def test_wrong_usage_is_told(arguments: list[str], option: str, refuse: Refuse) -> None:
    """A number out of its range is reported with the option."""
    assert f"Invalid value for '{option}': " in refuse(2, "evaluate", *arguments)


def test_a_corpus_without_held_out_pieces(refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A corpus without a long enough piece is reported."""
    monkeypatch.setattr("tests.cli.corpus.BARS", {"train": 8, "valid": 4, "test": 4})
    write_tiny_corpus(Path("cache"))
    reason = "no held-out piece is long enough to play. Reinstall music21"
    assert reason == refuse(1, *QUICK)


def test_the_reading_of_the_corpus_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the corpus has to be read first, each stage shows its progress."""
    pieces = corpus.load_pieces()

    def load_slowly(progress: Callable[[str, int, int], None]) -> list[Piece]:
        """Return the pieces after some progress reports."""
        for stage, done in (("parsing", 1), ("parsing", 2), ("sorting", 2)):
            progress(stage, done, 2)
        return pieces

    monkeypatch.setattr(corpus, "load_pieces", load_slowly)
    assert 0 == main([*QUICK, "--no-adaptation"])
    told = ["corpus: parsing: 50 %", "corpus: parsing: 100 %", "corpus: sorting: 100 %"]
    assert told == capsys.readouterr().err.splitlines()[:3]


def test_late_players(capsys: pytest.CaptureFixture[str], run_json: RunJson) -> None:
    """The table and the JSON have a row for each remedy, with consonance and the share of mended notes."""
    lines = run_json(*QUICK, "late", "--preset", "fiddle")
    rows = ["as heard", "anticipated", "mended", "anticipated and mended", "exactly on the beat"]
    assert rows == [line["row"] for line in lines]
    assert {"late"} == {line["event"] for line in lines}
    assert 0 == main([*QUICK, "late", "--preset", "fiddle"])
    header, *table = capsys.readouterr().out.splitlines()
    assert header.split("  ")[0] == "FIDDLE"
    assert rows == [row.split("  ")[0] for row in table]


def test_timings(run_json: RunJson) -> None:
    """`timing` prints a row for each timing, lateness and output."""
    lines = run_json(*QUICK, "timing", "--preset", "minimal")
    assert {("timing", "minimal")} == {(line["event"], line["preset"]) for line in lines}


def test_late_players_have_no_plots(refuse: Refuse) -> None:
    """There are no plots of late players."""
    assert "there are no plots of 'late'" in refuse(2, "evaluate", "late", "--plots", "plots")


def song_folder(folder: Path, *, chords: bool) -> Path:
    """Write two held-out songs of a tune and chords, with markers if `chords`, and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [name for name in map(str, range(100)) if split_of(f"{folder.name}/{name}") == "test"][:2]
    for name, tune in zip(names, (TUNE, " ".join(reversed(TUNE.split()))), strict=True):
        notes = " ".join([tune] * 2)
        symbols = [MetaEvent(MetaKind.MARKER, symbol) for symbol in (b"C", b"G")] * 4
        marks = [TimedEvent(bar * 4 * TICKS, symbol) for bar, symbol in enumerate(symbols)]
        tracks = [to_track(notes, name="melody"), to_track("C3 E3 G3 E3 " * 8, name="piano left", channel=1)]
        conductor = [Track("title", tuple(marks))] if chords else []
        write_file(folder / f"{name}.mid", to_song(*conductor, *tracks))
    return folder


def test_listening_beside_a_folder(own_folder: Path, run: Run, run_json: RunJson, refuse: Refuse) -> None:
    """`listening` prints what fits the right player less a wrong one, for us, people, parrot and drone."""
    folder, plain = own_folder / "corpora" / "songs", song_folder(own_folder / "plain", chords=False)
    run("corpus", plain)  # reads the files, and shows its progress
    assert "has chords" in refuse(1, "evaluate", "listening", "--corpora", plain)
    song_folder(folder, chords=True)
    out = run("evaluate", "listening", "--corpora", own_folder / "corpora", "--preset", "fiddle")
    assert "SONGS, MELODY HEARD" in out
    assert "SONGS, ACCOMPANIMENT HEARD" in out
    lines = run_json("evaluate", "listening", "--corpora", own_folder / "corpora", "--preset", "fiddle")
    assert {"listened"} == {line["event"] for line in lines}
    assert {"improviser", "with a chart", "people", "parrot", "drone", "ear"} == {line["partner"] for line in lines}


def test_phrases_beside_a_folder(own_folder: Path, run_json: RunJson) -> None:
    """`phrases` tells how the same partners breathe, repeat and answer."""
    song_folder(own_folder / "corpora" / "songs", chords=True)
    lines = run_json("evaluate", "phrases", "--corpora", own_folder / "corpora", "--preset", "fiddle", "--pieces", 2)
    assert {"phrased"} == {line["event"] for line in lines}
    assert "'repeats with'" in str(lines[0]["figures"])
