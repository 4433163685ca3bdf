"""Learned weights during a performance: adopted at bar lines, undone, replayed identically."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from improviser.agent.checkpoint import set_to_bytes
from improviser.agent.policy import Policy, Weights
from improviser.app.jam_settings import JamOptions, performer_settings
from improviser.files import bytes_digest
from improviser.ipc.weight_mailbox import WeightMailbox
from improviser.midi.message import NoteOff, NoteOn
from improviser.performer.assembly import engine_maker
from improviser.performer.policy_history import KEPT, PolicyFetched, PolicyHistory
from improviser.protocol import (
    Act,
    Action,
    Adopt,
    Adopted,
    Event,
    Judged,
    PerformerSettings,
    PlayerUse,
    Refused,
    Restarted,
    Stepped,
    Undone,
    Warned,
    value_to_line,
)
from improviser.session.replay import replay
from improviser.session.session_log import parse_session
from tests.performing import BAR_S, Performance, hanging, tell


@pytest.fixture
def exchange() -> Iterator[WeightMailbox]:
    """The learner's side of the weight mailbox."""
    made = WeightMailbox.make()
    yield made
    made.close()
    made.remove()


@pytest.fixture
def settings(exchange: WeightMailbox) -> PerformerSettings:
    """Settings of a jam with the shipped fiddle preset."""
    made = performer_settings(JamOptions(preset="fiddle", tempo_bpm=120.0, key="C", seed=7))
    return replace(made, mailbox=str(exchange.path))


class Teacher:
    """Offers weights, as the learner does."""

    def __init__(self, settings: PerformerSettings, exchange: WeightMailbox, folder: Path) -> None:
        """Load the model of `settings`."""
        self.settings, self.exchange, self.folder = settings, exchange, folder
        engine = engine_maker(settings)(0.0)
        assert isinstance(engine.actor, Policy)
        self.policy = engine.actor

    def weights(self, number: int) -> Weights:
        """Return the weights with this number."""
        rng = np.random.default_rng(number)
        return {
            name: (weight + rng.normal(0, 0.05, weight.shape)).astype(np.float32)
            for name, weight in self.policy.upper_layers.items()
        }

    def offer(self, number: int, undone: int = 0, *, breaks: Callable[[bytes], bytes] = bytes) -> Adopt:
        """Put weights into the mailbox; return the command to adopt them unless more than `undone` was undone."""
        data = set_to_bytes(self.policy.config, self.weights(number), {})
        path = self.folder / f"{number}.safetensors"
        path.write_bytes(data)
        self.exchange.write(number, breaks(data))
        return Adopt(number, str(path), bytes_digest(data), self.settings.model_digest, undone)


@pytest.fixture
def teacher(settings: PerformerSettings, exchange: WeightMailbox, tmp_path: Path) -> Teacher:
    """Offers weights for that jam."""
    return Teacher(settings, exchange, tmp_path)


def jam(settings: PerformerSettings, **values: Any) -> Performance:  # noqa: ANN401 - any field
    """Return a performance of sixteen bars of quarter notes."""
    performance = Performance(settings, new_engine=lambda: engine_maker(settings)(0.0), **values)
    for beat in range(64):
        performance.play(beat * 0.5, NoteOn(0, 60 + beat % 5, 80))
        performance.play(beat * 0.5 + 0.4, NoteOff(0, 60 + beat % 5))
    return performance


def replays_alike(performance: Performance) -> bool:
    """Return whether the session replays identically."""
    lines = "".join(map(value_to_line, (performance.settings, *performance.events)))
    again = replay(parse_session(lines, "test"), engine_maker(performance.settings))
    assert len(again.live) > 20
    return again.difference is None


def steps_before(performance: Performance, event: object) -> int:
    """Return how many steps were reported before an event."""
    place = next(place for place, one in enumerate(performance.events) if one is event)
    return sum(isinstance(one, Stepped) for one in performance.events[:place])


def test_a_set_is_played_by_from_a_bar_line_on(settings: PerformerSettings, teacher: Teacher) -> None:
    """New weights are used from a bar line on; no note hangs, and the session replays identically only with them."""
    performance = jam(settings)
    tell(performance, 2 * BAR_S + 0.7, teacher.offer(1), waits=True)
    performance.run(until_s=10 * BAR_S)
    (adopted,) = performance.told(Adopted)
    assert (1, False) == (adopted.number, adopted.is_back)
    assert 0 == steps_before(performance, adopted) % 16
    assert set() == hanging(performance)
    assert replays_alike(performance)
    performance.events.remove(adopted)
    assert not replays_alike(performance)


def test_what_was_learned_last_is_taken_back_first(settings: PerformerSettings, teacher: Teacher) -> None:
    """Undo reverts adopted weights and presses one by one, the newest first, until nothing is left."""
    performance = jam(settings)
    tell(performance, 2 * BAR_S + 0.7, teacher.offer(1), waits=True)
    tell(performance, 4 * BAR_S, Act(Action.DISLIKE))
    second = teacher.offer(2)
    tell(performance, 5 * BAR_S + 0.7, second, waits=True)
    for bar in (7, 8, 9, 10):
        tell(performance, bar * BAR_S, Act(Action.UNDO))
    performance.run(until_s=12 * BAR_S)
    kinds = (Adopted, Judged, Undone, Refused)
    told = [event for event in performance.events if isinstance(event, kinds)]
    assert [Adopted, Judged, Adopted, Adopted, Undone, Adopted, Refused] == [type(event) for event in told]
    adopted = performance.told(Adopted)
    assert [(1, False), (2, False), (1, True), (0, True)] == [(one.number, one.is_back) for one in adopted]
    assert adopted[0].digest == adopted[2].digest != adopted[1].digest == second.digest
    assert {} == performance.told(Undone)[0].taste
    assert replays_alike(performance)


def test_after_undoing_all_it_plays_as_if_it_had_not_learned(settings: PerformerSettings, teacher: Teacher) -> None:
    """After undo all a replay from the model's file is identical."""
    learned = jam(settings)
    for bar, number in ((2, 1), (4, 2)):
        tell(learned, bar * BAR_S + 0.7, teacher.offer(number), waits=True)
    tell(learned, 5 * BAR_S, Act(Action.LIKE))
    tell(learned, 6 * BAR_S, Act(Action.UNDO_ALL))
    summary = learned.run(until_s=8 * BAR_S)
    assert {} == summary.taste
    assert (0, True) == (learned.told(Adopted)[-1].number, learned.told(Adopted)[-1].is_back)
    assert replays_alike(learned)


def test_what_was_learned_on_what_was_taken_back_is_not_played_by(
    settings: PerformerSettings, teacher: Teacher
) -> None:
    """Weights learned from undone weights are not adopted, whenever they come; those learned from the model are."""
    performance = jam(settings)
    tell(performance, BAR_S, partial(teacher.offer, 1), waits=True)
    tell(performance, 3 * BAR_S + 0.7, partial(teacher.offer, 2), waits=True)
    tell(performance, 3 * BAR_S + 0.9, Act(Action.UNDO))
    tell(performance, 5 * BAR_S, partial(teacher.offer, 4))
    tell(performance, 6 * BAR_S, partial(teacher.offer, 5, undone=1), waits=True)
    tell(performance, 7 * BAR_S + 0.9, Act(Action.UNDO_ALL))
    tell(performance, 7 * BAR_S + 1.0, Act(Action.UNDO_ALL))
    tell(performance, 8 * BAR_S, partial(teacher.offer, 6, undone=2))
    performance.run(until_s=10 * BAR_S)
    told = [(one.number, one.undone) for one in performance.told(Adopted)]
    assert [(1, 0), (0, 1), (5, 1), (0, 2), (0, 3)] == told
    assert [] == performance.told(Refused)


def test_frozen_nothing_is_adopted(settings: PerformerSettings, teacher: Teacher) -> None:
    """Weights that come while learning is frozen are dropped; later ones are adopted."""
    performance = jam(settings)
    tell(performance, BAR_S, Act(Action.FREEZE))
    tell(performance, 2 * BAR_S, teacher.offer(1), waits=True)
    tell(performance, 5 * BAR_S, Act(Action.FREEZE))
    tell(performance, 6 * BAR_S, teacher.offer(2), waits=True)
    performance.run(until_s=9 * BAR_S)
    assert [2] == [one.number for one in performance.told(Adopted)]


def test_what_is_broken_or_of_another_model_is_not_played_by(settings: PerformerSettings, teacher: Teacher) -> None:
    """Damaged weights are reported and not adopted; those of another model are ignored."""
    performance = jam(settings)
    tell(performance, 2 * BAR_S, teacher.offer(1, breaks=lambda data: data[:-9]), waits=True)
    tell(performance, 4 * BAR_S, replace(teacher.offer(2), model_digest="another"))
    tell(performance, 5 * BAR_S, replace(teacher.offer(4), number=6), waits=True)
    performance.run(until_s=8 * BAR_S)
    assert [] == performance.told(Adopted)
    texts = [warned.text for warned in performance.told(Warned)]
    assert 2 == len(texts)
    assert all("not those that were learned" in text for text in texts)


def test_a_preset_that_is_changed_to_knows_nothing_of_it(settings: PerformerSettings, teacher: Teacher) -> None:
    """After a change of preset, weights of the old model are not adopted, and cannot be undone."""
    performance = jam(settings)
    tell(performance, BAR_S, teacher.offer(1), waits=True)
    tell(performance, 3 * BAR_S + 0.7, Act(Action.NEXT_PRESET), waits=True)
    tell(performance, 6 * BAR_S, teacher.offer(2))
    tell(performance, 7 * BAR_S, Act(Action.UNDO))
    performance.run(until_s=9 * BAR_S)
    assert [1] == [one.number for one in performance.told(Adopted)]
    assert performance.told(Refused)
    assert replays_alike(performance)


def test_a_successor_plays_on_by_it(settings: PerformerSettings, teacher: Teacher, tmp_path: Path) -> None:
    """The next performer uses adopted weights from its first decision on, or the model with a warning."""
    offer = teacher.offer(1)
    adopted = offer.number, offer.path, offer.digest
    performance = jam(replace(settings, adopted=adopted))
    tell(performance, 3 * BAR_S, Act(Action.UNDO))
    performance.run(until_s=6 * BAR_S)
    assert [(1, False), (0, True)] == [(one.number, one.is_back) for one in performance.told(Adopted)]
    assert replays_alike(performance)
    missing = jam(replace(settings, adopted=(1, str(tmp_path / "none"), offer.digest)))
    missing.run(until_s=2 * BAR_S)
    assert [(0, True)] == [(one.number, one.is_back) for one in missing.told(Adopted)]
    assert "plays with the original model" in missing.told(Warned)[0].text


def test_who_comes_after_the_built_in_player_meets_it(settings: PerformerSettings, teacher: Teacher) -> None:
    """When a player replaces the built-in one, the engine restarts with the adopted weights."""
    performance = Performance(settings, new_engine=lambda: engine_maker(settings)(0.0), player=PlayerUse.WHEN_ALONE)
    performance.backend.name = "jack"  # a backend that others can reach
    tell(performance, 2 * BAR_S + 0.7, teacher.offer(1), waits=True)
    tell(performance, 3 * BAR_S + 0.9, partial(teacher.offer, 2), waits=True)
    tell(performance, 4 * BAR_S + 0.2, Act(Action.UNDO))
    tell(performance, 4 * BAR_S + 0.4, Act(Action.LIKE))
    performance.play(5.3 * BAR_S, NoteOn(0, 61, 80))
    tell(performance, 9 * BAR_S, Act(Action.UNDO))
    for beat in range(8):
        performance.play(6 * BAR_S + beat * 0.5, NoteOn(0, 60 + beat, 80))
    performance.run(until_s=10 * BAR_S)
    order = [event for event in performance.events if isinstance(event, Adopted | Restarted | Judged)]
    assert [Adopted] * 3 + [Judged, Restarted] + [Adopted] * 2 == [type(event) for event in order]
    told = [(one.number, one.is_back, one.undone) for one in performance.told(Adopted)]
    assert [(1, False, 0), (2, False, 0), (1, True, 1), (1, False, 1), (0, True, 2)] == told
    assert replays_alike(performance)


def test_so_many_sets_are_kept(settings: PerformerSettings, teacher: Teacher) -> None:
    """Undo goes back over KEPT sets of weights, and then to the original model."""
    told: list[Event] = []
    history = PolicyHistory(replace(settings, mailbox=""), lambda _found: None, told.append)
    engine = engine_maker(settings)(0.0)
    for number in range(1, KEPT + 4):
        policy = teacher.policy.with_upper_layers(teacher.weights(number))
        command = Adopt(number, "", "", settings.model_digest)
        history.accept_fetched(PolicyFetched(command, policy))
        assert history.is_due
        history.adopt(engine)
    adopted = len(told)
    assert [True] * KEPT + [False] == [history.undo(engine, everything=False) for _ in range(KEPT + 1)]
    numbers = [event.number for event in told[adopted:] if isinstance(event, Adopted)]
    assert [*range(KEPT + 2, 3, -1), 0] == numbers
    assert engine.actor is not None


def test_without_the_memory_it_is_told(settings: PerformerSettings, tmp_path: Path) -> None:
    """Without the mailbox a warning is reported, and the music begins."""
    performance = jam(replace(settings, mailbox=str(tmp_path / "none")))
    performance.run(until_s=3 * BAR_S)
    assert set() == hanging(performance)
    assert "learning is off" in performance.told(Warned)[0].text
