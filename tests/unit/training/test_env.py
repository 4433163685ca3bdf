"""The training environment, and above all: that it equals live play."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import gymnasium
import numpy as np
import numpy.typing as npt
import pytest
from gymnasium.utils.env_checker import check_env

from improviser import rewards
from improviser.agent.policy import Values
from improviser.engine import Engine, EngineSettings
from improviser.engine.role import COMPING, MELODY, Role
from improviser.listening.line import HOLD, NONE, REST, Events
from improviser.listening.observation import FEATURES, SIZE, STYLES, Place
from improviser.midi.message import Message, NoteOff, NoteOn
from improviser.music.meter import METERS, Meter, parse_meter
from improviser.music.scale import SCALE_BITS, parse_key
from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET, HOLD_ACTION, ONSET_COUNT, REST_ACTION
from improviser.training.env import (
    EPISODE_BEATS,
    NETWORK,
    Game,
    ImproviserEnv,
    RewardWeights,
    playable,
)
from improviser.training.features import PlayerTable, player_table
from improviser.training.grid import (
    DUETS,
    Part,
    chorale_parts,
    in_known_key,
    sounding,
    tune_parts,
    voice_base,
)
from tests.tiny_corpus import chorale, tune

LANES = 8
EVEN = RewardWeights()

# Step, length in steps, note.
Rows = list[tuple[int, int, int]]


def make_parts() -> list[Part]:
    """Return parts long enough for an episode."""
    duets = chorale_parts([chorale(bars=12), chorale(bars=9)], "chorale", 4, casts=DUETS[:3])
    return playable([*duets, *tune_parts([tune(bars=10)], "fiddle", 4, 60)])


def make_game(seed: int = 0) -> Game:
    """Return an environment that has been reset."""
    parts = make_parts()
    game = Game(parts, player_table(parts), LANES, np.random.default_rng(seed))
    game.reset()
    return game


def legal_action(legal: npt.NDArray[np.bool_], rng: np.random.Generator, mode: int = 0, role: Role = MELODY) -> int:
    """Return a legal action: often a hold, sometimes a rest, otherwise an onset of the mode's scale."""
    kind = rng.random()
    if kind < 0.5 and legal[HOLD_ACTION]:
        return HOLD_ACTION
    if kind < 0.65:
        return REST_ACTION
    in_key = role.legal(0, 60, is_sounding=True, pitch_classes=int(SCALE_BITS[mode]))[FIRST_ONSET:]
    return FIRST_ONSET + int(rng.choice(np.flatnonzero(in_key)))


# --- live play = training


@dataclass
class Scripted:
    """An actor that follows a script and records its observations."""

    script: list[int]
    actions: int = ACTION_COUNT
    seen: list[npt.NDArray[np.uint8]] = field(default_factory=list)

    def values(self, observation: npt.NDArray[np.uint8]) -> Values:
        """Return the highest value for the next action of the script."""
        self.seen.append(observation.copy())
        wanted = np.zeros(self.actions, dtype=np.float32)
        wanted[self.script[len(self.seen) - 1]] = 1.0
        return np.zeros(self.actions, dtype=np.float32), wanted[None]


def make_part(rows_by_voice: list[Rows], beat: int, meter: Meter, mode: int = 0) -> Part:
    """Return a part of six bars whose player sounds the given voices, the highest first."""
    steps = 6 * meter.bar_steps(beat)
    voices = []
    for rows in rows_by_voice:
        events = np.full(steps, REST, dtype=np.int16)
        for at, length, note in rows:
            events[at] = note
            events[at + 1 : at + length] = HOLD
        voices.append(events)
    return Part(
        name="test",
        style=STYLES.index("fiddle"),
        mode=mode,
        meter=METERS.index(meter),
        steps_per_beat=beat,
        player=voices[0],
        **sounding(voices),
        **in_known_key(mode, steps),
        partner=np.full(steps, NONE, dtype=np.int16),
        player_base=voice_base(voices[0]),
        own_base=60,
    )


def random_voice(low: int, high: int, steps: int, rng: np.random.Generator) -> Rows:
    """Return a voice that begins at once, with rests and repeated notes."""
    rows, at = [], 0
    while at < steps:
        length = min(int(rng.choice([1, 1, 2, 3, 4, 6])), steps - at)
        rows.append((at, length, int(rng.integers(low, high))))
        at += length + int(rng.choice([0, 0, 0, 1, 3]))
    return rows


def live_messages(voices: list[Rows], step_s: float, transposed: int) -> dict[int, list[tuple[Message, float]]]:
    """Return by step the messages of a player who plays the voices exactly on the grid; note-offs come first."""
    messages: dict[int, list[tuple[Message, float]]] = {}
    for message_type in (NoteOff, NoteOn):
        for rows in voices:
            for at, length, note in rows:
                step = at if message_type is NoteOn else at + length
                messages.setdefault(step, []).append((message_type(0, note + transposed, 64), step * step_s))
    return messages


def play_game(part: Part, seed: int) -> tuple[list[int], list[npt.NDArray[np.uint8]], list[dict[str, float]]]:
    """Play a part in the training environment; return actions, observations and rewards of each step."""
    game = Game([part], player_table([part]), 1, np.random.default_rng(0))
    game.play_whole(0)
    rng = np.random.default_rng(seed)
    actions, seen, terms = [], [], []
    for _ in range(len(part.player)):
        action = legal_action(game.legal[0], rng, part.mode, part.role)
        actions.append(action)
        seen.append(game.observation[0].copy())
        game.step(np.array([action]))
        terms.append(dict(zip(part.role.rewards.terms, game.terms[0].tolist(), strict=True)))
    return actions, seen, terms


@pytest.mark.parametrize("key", ["C", "Eb", "F#m"])
@pytest.mark.parametrize(
    ("beat", "name"),
    [(4, "4/4"), (4, "3/4"), (3, "4/4"), (2, "6/8"), (1, "2/4"), (2, "7/8"), (4, "5/4")],
)
@pytest.mark.parametrize("polyphonic", [False, True], ids=["melody", "chords"])
@pytest.mark.parametrize("role", [MELODY, COMPING], ids=["a tune", "comping"])
def test_the_stage_is_what_was_trained_on(key: str, beat: int, name: str, role: Role, *, polyphonic: bool) -> None:
    """In live play on the grid in a locked key each observation and each reward term equals the environment's."""
    meter = parse_meter(name)
    rng = np.random.default_rng([beat, meter.numerator, polyphonic])
    steps = 6 * meter.bar_steps(beat)
    # Within a few notes, so that the live mean of the register and that of the piece give the same base.
    voices = [random_voice(76, 81, steps, rng)]
    if polyphonic:
        # Lower voices that move with the melody, because movement below a held note is covered by it anyway.
        voices += [[(at, length, note - drop) for at, length, note in voices[0]] for drop in (4, 9)]
    tonic, mode = parse_key(key).tonic, parse_key(key).mode
    part = replace(make_part(voices, beat, meter, mode), role=role)
    actions, expected_seen, expected_terms = play_game(part, seed=7)
    settings = EngineSettings(
        tempo_bpm=120.0,
        meter=(meter.numerator, meter.denominator),
        steps_per_beat=beat,
        key=key,
        register_low=60 + tonic,
        patience_bars=0,
        max_note_bars=99.0,
        temperature=0.0,
        style="fiddle",
        role=role.name,
    )
    actor = Scripted(actions, role.action_count)
    engine = Engine(settings, actor, np.random.default_rng(0))
    step_s = 0.5 / beat
    messages = live_messages(voices, step_s, tonic)
    for step in range(steps):
        for message, at_s in messages.get(step, []):
            engine.hear(message, at_s)
        engine.step(step * step_s)
        assert engine.decision is not None
        assert actions[step] == engine.decision.action
        np.testing.assert_array_equal(expected_seen[step], actor.seen[step], err_msg=f"at step {step}")
        live = engine.rewards()
        # The environment keeps the chord's tones in 255ths.
        assert pytest.approx(expected_terms[step], abs=1 / 255) == {name: live[name] for name in role.rewards.terms}


def test_the_parity_test_sees_something() -> None:
    """The random game of the test above has rewards and punishments in nearly every term."""
    voices = [random_voice(76, 81, 96, np.random.default_rng(0))]
    part = make_part(voices, 4, Meter(4, 4))
    _, seen, terms = play_game(part, seed=7)
    moved = {name for name in rewards.TERMS if len({round(step[name], 3) for step in terms}) > 1}
    assert {"consonance", "chord", "proximity", "meter", "surprise", "variety"} <= moved
    assert len({row.tobytes() for row in seen}) == len(seen)


# --- the environment of many lanes


def test_the_same_seed_is_the_same_game() -> None:
    """Pieces, positions, observations and rewards depend only on the seed."""

    def history(seed: int) -> list[bytes]:
        """Return everything that happens in two episodes."""
        game, rng = make_game(seed), np.random.default_rng(5)
        out = []
        for _ in range(2):
            for _ in range(40):
                actions = np.array([legal_action(legal, rng) for legal in game.legal])
                observation, reward, _ = game.step(actions)
                out.append(observation.tobytes() + reward.tobytes())
            game.reset()
        return out

    assert history(1) == history(1)
    assert history(1) != history(2)


def test_lanes_do_not_mix() -> None:
    """A lane's observations and rewards do not depend on what other lanes do."""
    one, other, rng = make_game(), make_game(), np.random.default_rng(5)
    for _ in range(60):
        actions = np.array([legal_action(legal, rng) for legal in one.legal])
        changed = np.where(np.arange(LANES) == 0, actions, REST_ACTION)
        seen, earned, _ = one.step(actions)
        seen_too, earned_too, _ = other.step(changed)
        np.testing.assert_array_equal(seen[0], seen_too[0])
        np.testing.assert_array_equal(earned[0], earned_too[0])


def test_an_episode_ends() -> None:
    """An episode has a fixed number of beats and ends in all lanes together; then a new one begins."""
    game = make_game()
    assert 4 * EPISODE_BEATS == game.episode_steps
    rests = np.full(LANES, REST_ACTION)
    assert [False] * 127 + [True] == [game.step(rests)[2] for _ in range(128)]
    game.reset()
    assert not game.step(rests)[2]


def test_episodes_begin_with_bars() -> None:
    """Every episode begins with a bar, and with an empty line of ours."""
    game = make_game()
    start = {name: slice(at, at + 1) for name, at in _first_columns().items()}
    bars = set()
    for _ in range(30):
        game.reset()
        assert not game.observation[:, start["sixteenth"]].any()
        assert (game.observation[:, start["own_note"]] == ONSET_COUNT).all()
        bars |= set(game.observation[:, start["bar"]].ravel().tolist())
    assert {0, 1, 2, 3, 4} <= bars


def test_a_hold_is_legal_while_something_sounds() -> None:
    """A hold is legal after an onset and through holds, but not before it or after a rest."""
    game = make_game()
    held = [game.legal[0, HOLD_ACTION]]
    for action in (FIRST_ONSET + 12, HOLD_ACTION, REST_ACTION, FIRST_ONSET):
        game.step(np.full(LANES, action))
        held.append(game.legal[0, HOLD_ACTION])
    assert [False, True, True, False, True] == held
    assert game.legal[:, REST_ACTION:].all()


def test_the_reward_is_the_weighted_sum() -> None:
    """The reward is the sum of the terms, weighted by their own and their component's weights."""
    game, rng = make_game(), np.random.default_rng(5)
    weight = {"harmony": 2.0, "coherence": 0.5, "creativity": 0.0}
    weights = RewardWeights(2.0, 0.5, 0.0).to_array()
    column = np.array([own * weight[component] for component, own in rewards.TERMS.values()])
    for _ in range(30):
        _, reward, _ = game.step(np.array([legal_action(legal, rng) for legal in game.legal]))
        np.testing.assert_allclose(game.terms @ column, reward @ weights, atol=1e-6)


def test_the_whole_of_a_part() -> None:
    """A whole part can be played in every lane alike."""
    game = make_game()
    game.play_whole(2)
    assert 192 == game.episode_steps
    assert 1 == len({row.tobytes() for row in game.observation})
    overs = [game.step(np.full(LANES, REST_ACTION))[2] for _ in range(192)]
    assert (191, True) == (overs.index(True), overs[-1])


def test_playable() -> None:
    """Parts shorter than an episode are left out."""
    parts = list(chorale_parts([chorale(bars=7), chorale(bars=8)], "chorale", 4, casts=DUETS[:1]))
    assert [128] == [len(part.player) for part in playable(parts)]


def here(own_base: npt.NDArray[np.int64]) -> Place:
    """Return the first step in C, above these bases."""
    zero = np.zeros_like(own_base)
    return Place(zero, zero, zero, zero, zero, zero, zero, own_base, zero)


def test_action_events() -> None:
    """Hold, rest, and notes above each lane's base."""
    actions = np.array([HOLD_ACTION, REST_ACTION, FIRST_ONSET, FIRST_ONSET + 36])
    events: Events = MELODY.events(actions, here(np.array([60, 60, 48, 60])))
    assert [HOLD, REST, 48, 96] == events.tolist()


# --- the Gymnasium environment


@pytest.fixture(scope="module")
def material() -> tuple[list[Part], PlayerTable]:
    """Parts and their table."""
    parts = make_parts()
    return parts, player_table(parts)


def test_gymnasium_accepts_it(material: tuple[list[Part], PlayerTable]) -> None:
    """Gymnasium's checker finds no fault and gives no warning, which would be an error here."""
    check_env(ImproviserEnv(*material), skip_render_check=True)


def test_the_environment_is_one_lane_of_the_game(material: tuple[list[Part], PlayerTable]) -> None:
    """Its observations, rewards, terms and legal actions are those of a game of one lane."""
    env = ImproviserEnv(*material)
    observation, info = env.reset(seed=3)
    game = Game(*material, 1, np.random.Generator(np.random.PCG64(3)))
    game.reset()
    rng = np.random.default_rng(5)
    for step in range(4 * EPISODE_BEATS):
        np.testing.assert_array_equal(game.observation[0], observation)
        np.testing.assert_array_equal(game.legal[0], info["legal"])
        action = legal_action(game.legal[0], rng)
        _, reward, _ = game.step(np.array([action]))
        observation, earned, terminated, truncated, info = env.step(np.int64(action))
        assert pytest.approx(reward[0].sum(), abs=1e-6) == earned
        assert (False, step == 4 * EPISODE_BEATS - 1) == (terminated, truncated)
        assert dict(zip(rewards.TERMS, game.terms[0].tolist(), strict=True)) == info["terms"]


def test_an_illegal_hold_is_a_rest(material: tuple[list[Part], PlayerTable]) -> None:
    """A hold while nothing sounds acts as a rest."""
    one, other = ImproviserEnv(*material), ImproviserEnv(*material)
    one.reset(seed=0)
    other.reset(seed=0)
    held, rested = one.step(np.int64(HOLD_ACTION)), other.step(np.int64(REST_ACTION))
    np.testing.assert_array_equal(held[0], rested[0])
    assert held[1] == rested[1]


def test_a_step_before_a_reset(material: tuple[list[Part], PlayerTable]) -> None:
    """A step before the first reset raises an error."""
    with pytest.raises(gymnasium.error.ResetNeeded, match="reset the environment"):
        ImproviserEnv(*material).step(np.int64(0))


def test_observations_do_not_change_afterwards(material: tuple[list[Part], PlayerTable]) -> None:
    """A returned observation is a copy."""
    env = ImproviserEnv(*material)
    observation, _ = env.reset(seed=0)
    before = observation.copy()
    env.step(np.int64(FIRST_ONSET))
    np.testing.assert_array_equal(before, observation)


def test_the_network_sees_the_observation() -> None:
    """The network's groups are the observation's features, with one output per action."""
    assert (SIZE, ACTION_COUNT) == (NETWORK.columns, NETWORK.actions)
    assert [(f.name, f.columns, f.values) for f in FEATURES] == [(g.name, g.columns, g.values) for g in NETWORK.groups]


def _first_columns() -> dict[str, int]:
    """Return each feature's first column."""
    first, at = {}, 0
    for feature in FEATURES:
        first[feature.name] = at
        at += feature.columns
    return first
