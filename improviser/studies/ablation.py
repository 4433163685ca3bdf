"""The ablation of the learner: starting from the textbook, one addition at a time, each with the same CPU time.

The ladder adds one thing after another until it reaches `FULL`, the settings of the shipped models. Each extra adds one
thing to `FULL`, or has another width. Variants of one shape of network share one prior, and the time to fit it is not
counted. Every variant is trained with several seeds. Every outcome is a file, so that an interrupted ablation
can resume.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from improviser.agent.config import FULL, WIDTH, DQNConfig
from improviser.agent.network import Network
from improviser.agent.policy import Policy
from improviser.engine.decision_values import DecisionValues
from improviser.errors import CheckpointError
from improviser.evaluation.baselines import PriorOnly
from improviser.evaluation.estimate import estimate_column
from improviser.evaluation.metrics import figures
from improviser.evaluation.rollouts import perform, perform_human
from improviser.files import write_whole
from improviser.training.budget import CpuBudget, TransitionBudget
from improviser.training.features import player_table
from improviser.training.pqn import learn_pqn
from improviser.training.train import THREADS, fitted_prior, from_prior, learn, make_learner, training_game
from improviser.workers import HERE, Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from improviser.agent.policy import Weights
    from improviser.corpus.piece import Piece
    from improviser.evaluation.evaluate import Plan
    from improviser.evaluation.metrics import Figures
    from improviser.evaluation.rollouts import Rollout
    from improviser.training.budget import Budget
    from improviser.training.train import Progress, TrainingSettings

SEEDS: Final = 3
# The figures of the table that show how a reward is exploited.
GAMING: Final = (
    "strong-beat consonance %",
    "note in chord %",
    "onsets per bar",
    "rhythm autocorrelation 1",
    "bars repeated %",
    "in motif %",
)
REWARDS: Final = ("reward", "harmony", "coherence", "creativity")
# Ways of playing: the action with the highest reward value, without the prior; and with the preset's knobs.
GREEDILY: Final = "greedy"
ON_STAGE: Final = "stage"

# Width, and whether there are norms.
Shape = tuple[int, bool]

_DOUBLE: Final = DQNConfig(double=True)
_DUELING: Final = replace(_DOUBLE, dueling=True)
_N_STEPS: Final = replace(_DUELING, n_steps=FULL.n_steps)
_HUBER: Final = replace(_N_STEPS, huber=True)
_DECOMPOSED: Final = replace(_HUBER, decomposed=True)


@dataclass(frozen=True, slots=True)
class Variant:
    """A learner configuration.

    Attributes:
        name: Its name.
        dqn: Settings of the learner.
        has_prior_weights: Whether the Q-network starts as the prior or at random.
        is_pqn: Whether it learns without replay and target network, see training.pqn.
        width: Units in each hidden layer.
    """

    name: str
    dqn: DQNConfig
    has_prior_weights: bool = True
    is_pqn: bool = False
    width: int = WIDTH

    @property
    def shape(self) -> Shape:
        """What its prior depends on: the width, and whether the layers are normalised."""
        return self.width, self.dqn.layer_norm


LADDER: Final = (
    Variant("textbook", DQNConfig(), has_prior_weights=False),
    Variant("+ initialised from the prior", DQNConfig()),
    Variant("+ double", _DOUBLE),
    Variant("+ dueling", _DUELING),
    Variant("+ three-step returns", _N_STEPS),
    Variant("+ Huber's loss", _HUBER),
    Variant("+ a head for each component", _DECOMPOSED),
    Variant("+ prior and temperature in the policy (full)", FULL),
)
# Source of the numbers: T. Schaul et al. (2016), table 3 (0.6); T. Lillicrap et al. (2016), section 7, times five
# because there are few updates (0.005); N. Vieillard et al. (2020), table 1 (0.9).
EXTRAS: Final = (
    Variant("full, layer norm", replace(FULL, layer_norm=True)),
    Variant("full, one-hot first layer", replace(FULL, one_hot=True)),
    Variant("full, prioritised replay", replace(FULL, priority=0.6)),
    Variant("full, soft targets", replace(FULL, target_rate=0.005)),
    Variant("full, soft value (Psi)", replace(FULL, soft_value=True)),
    Variant("full, Munchausen", replace(FULL, munchausen=0.9)),
    Variant("full, half as wide", FULL, width=WIDTH // 2),
    Variant("full, twice as wide", FULL, width=WIDTH * 2),
)
# Other algorithms, for comparison.
OTHERS: Final = (Variant("PQN, initialised from the prior", DQNConfig(layer_norm=True), is_pqn=True),)
VARIANTS: Final = LADDER + EXTRAS + OTHERS


@dataclass(frozen=True, slots=True)
class VariantOutcome:
    """The result of one variant with one seed.

    Attributes:
        variant: Name of the variant.
        seed: Seed of the training.
        transitions: Transitions sampled in the time.
        updates: Updates made in the time.
        greedy: Figures on the held-out pieces, played greedily for the reward.
        stage: Figures on the held-out pieces, played as in live play.
    """

    variant: str
    seed: int
    transitions: int
    updates: int
    greedy: Mapping[str, float]
    stage: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AblationStudy:
    """What is compared, and where its files are.

    Attributes:
        settings: Training settings; each variant replaces the learner and the seed.
        plan: The held-out pieces, and how they are played in live play.
        seconds: CPU time that each variant learns for.
        folder: Holds the priors and the outcomes.
        seeds: Number of seeds; they count up from the seed of the settings.
        variants: The variants to compare.
        transitions: Transitions that each variant learns from instead, where machines differ in speed; None for time.
    """

    settings: TrainingSettings
    plan: Plan
    seconds: float
    folder: Path
    seeds: int = SEEDS
    variants: tuple[Variant, ...] = VARIANTS
    transitions: int | None = None

    def budget(self) -> Budget:
        """Return the budget of a training that begins now."""
        return CpuBudget(self.seconds) if self.transitions is None else TransitionBudget(self.transitions)


def run_study(
    study: AblationStudy,
    pieces: list[Piece],
    report: Callable[[int, str], None],
    fitting: Callable[[Progress], None],
    workers: Workers = HERE,
) -> list[VariantOutcome]:
    """Train and play each variant with each seed, unless its file exists.

    Args:
        study: The study to run.
        pieces: The corpus.
        report: Called with the number of finished outcomes and the name of the last one.
        fitting: Called with the progress of fitting a prior.
        workers: Where the variants are trained and played.
    """
    torch.set_num_threads(THREADS)
    runs = [
        (variant, replace(study.settings, seed=study.settings.seed + seed, dqn=variant.dqn, width=variant.width))
        for seed in range(study.seeds)
        for variant in study.variants
    ]
    paths = [study.folder / f"{_slug(variant.name)}-{own.seed}.json" for variant, own in runs]
    prints = [_fingerprint(study, variant, own, pieces) for variant, own in runs]
    outcomes = [_read(path, fingerprint) for path, fingerprint in zip(paths, prints, strict=True)]
    left = [number for number, outcome in enumerate(outcomes) if outcome is None]
    report(len(runs) - len(left), "")
    shapes = {runs[number][0].shape for number in left}
    priors = {shape: _prior(study, pieces, fitting, shape).to_weights() for shape in shapes}
    work = _Training(study, pieces, priors)
    for done, (at, outcome) in enumerate(workers.run(_run, work, [runs[number] for number in left]), 1):
        number = left[at]
        outcomes[number] = outcome
        _write(paths[number], prints[number], outcome)
        report(len(runs) - len(left) + done, f"{outcome.variant}, seed {outcome.seed}")
    return [outcome for outcome in outcomes if outcome is not None]


def _prior(study: AblationStudy, pieces: list[Piece], fitting: Callable[[Progress], None], shape: Shape) -> Network:
    """Return the prior of the variants of a shape; it is fitted once, and kept in the study's folder."""
    width, has_norm = shape
    settings = replace(study.settings, dqn=DQNConfig(layer_norm=has_norm), width=width)
    return fitted_prior(settings, pieces, study.folder, fitting)


def references(study: AblationStudy, pieces: list[Piece]) -> dict[str, Figures]:
    """Return the figures of people and of the prior alone, by name, on the same pieces."""
    torch.set_num_threads(THREADS)
    plan = study.plan
    prior = _prior(study, pieces, lambda _progress: None, LADDER[0].shape)
    weights = prior.to_weights()
    imitator = PriorOnly(Policy(prior.config, weights, weights))
    rng = np.random.default_rng(plan.seed)
    alone = perform(imitator, plan.players, player_table(plan.players), plan.conditions.plain(), rng)
    people = perform_human(plan.people, player_table(plan.people), plan.conditions)
    return {"people": _means(people, plan), "prior only": _means(alone, plan)}


def train_variant(
    variant: Variant, settings: TrainingSettings, prior: Network, pieces: list[Piece], budget: Callable[[], Budget]
) -> tuple[Network, int, int]:
    """Learn until the budget is spent; return the Q-network, the transitions and the updates.

    The time to create the environments and the network is not counted.
    """
    network = (
        from_prior(prior, settings)
        if variant.has_prior_weights
        else Network(
            settings.network(),
            torch.Generator().manual_seed(settings.seed),
            dueling=settings.dqn.dueling,
        )
    )
    rng = np.random.default_rng([settings.seed, 2])
    game = training_game(settings, pieces, rng)
    if variant.is_pqn:
        weights = settings.weights.to_array()
        return network, *learn_pqn(network, game, settings.dqn, weights, rng, budget())
    learner = make_learner(settings, network, prior)
    transitions = learn(learner, game, settings, rng, budget(), lambda *_told: None)
    return network, transitions, learner.updates


@dataclass(frozen=True, slots=True)
class _Training:
    """What all trainings of a study need: the study, the corpus, and the priors by shape."""

    study: AblationStudy
    pieces: list[Piece]
    priors: Mapping[Shape, Weights]


def _run(shared: _Training, spec: tuple[Variant, TrainingSettings]) -> VariantOutcome:
    """Train one variant with one seed, and play the held-out pieces in both ways."""
    torch.set_num_threads(THREADS)
    (variant, settings), study, plan = spec, shared.study, shared.study.plan
    prior = Network(settings.network().prior(), torch.Generator().manual_seed(settings.seed))
    prior.load_weights(shared.priors[variant.shape])
    network, transitions, updates = train_variant(variant, settings, prior, shared.pieces, study.budget)
    policy = Policy(network.config, prior.to_weights(), network.to_weights())
    greedy = replace(plan.conditions, knobs=greedy_knobs(settings))
    played = {}
    for way, conditions in ((GREEDILY, greedy), (ON_STAGE, plan.conditions)):
        rng = np.random.default_rng(plan.seed)
        takes = perform(policy, plan.players, player_table(plan.players), conditions, rng)
        played[way] = _means(takes, plan)
    return VariantOutcome(variant.name, settings.seed, transitions, updates, played[GREEDILY], played[ON_STAGE])


def greedy_knobs(settings: TrainingSettings) -> DecisionValues:
    """Return the knobs that choose the highest summed reward and ignore the prior."""
    weights = settings.weights
    return DecisionValues(weights.harmony, weights.coherence, weights.creativity, temperature=0.0, prior_weight=0.0)


def _means(takes: Sequence[Rollout], plan: Plan) -> Figures:
    """Return the means over the pieces of the rewards and of the figures that show exploitation."""
    results = [figures(take.performance, plan.known) | take.rewards for take in takes]
    column = estimate_column(results, plan.seed)
    return {name: column[name].mean for name in (*REWARDS, *GAMING)}


def _fingerprint(study: AblationStudy, variant: Variant, settings: TrainingSettings, pieces: list[Piece]) -> str:
    """Return a hash that differs for other settings, another corpus or other code."""
    parts = [part.name for part in study.plan.players]
    knobs = asdict(study.plan.conditions.knobs)
    told = [
        settings.fingerprint(pieces),
        asdict(variant),
        study.seconds,
        study.transitions,
        study.plan.seed,
        parts,
        knobs,
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _read(path: Path, fingerprint: str) -> VariantOutcome | None:
    """Return the outcome in a file; None where the file is missing, damaged, or from another study."""
    try:
        data = json.loads(path.read_text("utf-8"))
        return VariantOutcome(**data["outcome"]) if data["fingerprint"] == fingerprint else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, fingerprint: str, outcome: VariantOutcome) -> None:
    """Write an outcome, as a whole or not at all; raise CheckpointError where that fails."""
    text = json.dumps({"fingerprint": fingerprint, "outcome": asdict(outcome)}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}; free some space and give the same command again"
        raise CheckpointError(msg) from error


def _slug(name: str) -> str:
    """Return a variant's name as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
