"""How options, settings and presets become the performer's settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from improviser.app.jam_settings import JamOptions, performer_settings, port_settings
from improviser.choices import ClockUse
from improviser.config.preset import load_preset
from improviser.errors import ConfigError, UsageError
from improviser.protocol import PlayerUse, PortSettings


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty user's folder."""
    monkeypatch.setenv("IMPROVISER_CONFIG_DIR", str(tmp_path))
    return tmp_path


def test_a_jam_without_options_is_the_default_presets() -> None:
    """Without options every value comes from the preset, and the seed is drawn."""
    settings, preset = performer_settings(JamOptions()), load_preset("chorale")
    assert (preset.name, str(preset.model_path), preset.engine_values() | {"key": "auto"}) == (
        settings.preset,
        settings.model,
        settings.engine,
    )
    assert 0 <= settings.seed < 2**31
    assert PortSettings(player=PlayerUse.WHEN_ALONE) == port_settings(JamOptions())


def test_options_come_first() -> None:
    """Options of the command line override everything else."""
    options = JamOptions(
        preset="fiddle",
        input_pattern="Keys",
        output_pattern="Synth",
        tempo_bpm=99.0,
        meter="7/8",
        key="Am",
        seed=5,
        bars=8,
        backend="jack",
        player=PlayerUse.ALWAYS,
        tune="scarborough_fair",
    )
    assert (7, 8) == performer_settings(replace(options, tune=None)).engine["meter"]
    settings = performer_settings(options)
    assert (99.0, "Am", (3, 4)) == tuple(settings.engine[name] for name in ("tempo_bpm", "key", "meter"))
    assert ("fiddle", 5, 8, "scarborough_fair") == (
        settings.preset,
        settings.seed,
        settings.bars,
        settings.tune,
    )
    assert PortSettings("jack", "Keys", "Synth", PlayerUse.ALWAYS) == port_settings(options)


def test_the_users_settings_come_second(home: Path) -> None:
    """Without an option the user's settings are used."""
    lines = ('preset = "fiddle"', 'in = "Keys"', 'out = "Synth"', 'backend = "jack"', "tempo_bpm = 77")
    (home / "settings.toml").write_text("\n".join(lines), "utf-8")
    settings = performer_settings(JamOptions())
    assert ("fiddle", 77.0) == (settings.preset, settings.engine["tempo_bpm"])
    assert PortSettings("jack", "Keys", "Synth", PlayerUse.WHEN_ALONE) == port_settings(JamOptions())
    assert "alsa" == port_settings(JamOptions(backend="alsa")).backend


def test_what_is_listened_to_and_played_on(home: Path) -> None:
    """Options override settings; channels and programs count from 1 for users, and notes have names."""
    lines = ("listen_channels = [2, 16]", 'listen_from = "C3"', "thru = true", "channel = 3", "program = 5")
    (home / "settings.toml").write_text("\n".join(lines), "utf-8")
    settings = performer_settings(JamOptions())
    assert ((1, 15), 48, 127, True) == (
        settings.listen_channels,
        settings.listen_low,
        settings.listen_high,
        settings.thru,
    )
    assert (2, 4) == (settings.engine["channel"], settings.program)
    other = JamOptions(thru=False, listen_channels=(1,), listen_from="C4", listen_to="B5", channel=10, program=128)
    settings = performer_settings(other)
    assert ((0,), 60, 83, False) == (
        settings.listen_channels,
        settings.listen_low,
        settings.listen_high,
        settings.thru,
    )
    assert (9, 127) == (settings.engine["channel"], settings.program)


def test_a_split_that_leaves_nothing_is_refused(home: Path) -> None:
    """A reversed range and an invalid note are refused."""
    with pytest.raises(UsageError, match=r"--from \(C5\) is above --to \(C4\)\. Swap them"):
        performer_settings(JamOptions(listen_from="C5", listen_to="C4"))
    with pytest.raises(UsageError, match="'H4' is not a note"):
        performer_settings(JamOptions(listen_from="H4"))
    (home / "settings.toml").write_text('listen_to = "X"', "utf-8")
    with pytest.raises(ConfigError, match="'X' is not a note"):
        performer_settings(JamOptions())


def test_a_presets_program_counts_from_zero(home: Path) -> None:
    """Programs are 1-128 in files and 0-127 for the performer."""
    shipped = (Path(__file__).parents[3] / "presets" / "chorale.toml").read_text("utf-8")
    (home / "mine.toml").write_text(shipped.replace("[playing]", "[playing]\nprogram = 41"), "utf-8")
    assert 40 == performer_settings(JamOptions(preset=str(home / "mine.toml"))).program


def test_faults_are_the_users_errors() -> None:
    """An unknown preset or tune is reported as a usage error."""
    with pytest.raises(ConfigError, match="no preset 'nothing'"):
        performer_settings(JamOptions(preset="nothing"))
    with pytest.raises(UsageError, match="no tune 'nothing'"):
        performer_settings(JamOptions(tune="nothing"))


def test_a_tempo_is_kept_and_none_is_found() -> None:
    """A tempo that is given is kept. Without one, and with "auto", the player is followed."""
    assert performer_settings(JamOptions()).follows_player
    assert not performer_settings(JamOptions(tempo_bpm=99.0)).follows_player
    assert not performer_settings(JamOptions(player=PlayerUse.ALWAYS)).follows_player
    assert not performer_settings(JamOptions(metronome=True)).follows_player
    found = performer_settings(JamOptions(tempo_bpm="auto", metronome=True))
    assert (ClockUse.FOLLOW, True) == (found.clock, found.follows_player)
    assert found.engine["tempo_bpm"] == load_preset("chorale").tempo_bpm


def test_a_tempo_in_the_settings_may_be_found_too(home: Path) -> None:
    """settings.toml may hold "auto", and an option overrides it; a meter that is given is kept."""
    (home / "settings.toml").write_text('tempo_bpm = "auto"\n', "utf-8")
    assert ClockUse.FOLLOW is performer_settings(JamOptions(bars=8)).clock
    assert ClockUse.AUTO is performer_settings(JamOptions(tempo_bpm=99.0)).clock
    assert ClockUse.OWN is performer_settings(JamOptions(clock=ClockUse.OWN)).clock
    assert [False, True] == [performer_settings(JamOptions(meter=meter)).keeps_meter for meter in (None, "3/4")]
