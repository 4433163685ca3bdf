"""The ablation, on a corpus of a few bars: its variants, its files, its page."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from improviser.agent.config import FULL, DQNConfig
from improviser.engine.decision_values import DecisionValues
from improviser.errors import CheckpointError
from improviser.evaluation.baselines import Conditions
from improviser.evaluation.evaluate import Plan
from improviser.studies.ablation import (
    EXTRAS,
    GAMING,
    GREEDILY,
    LADDER,
    ON_STAGE,
    REWARDS,
    VARIANTS,
    AblationStudy,
    Variant,
    VariantOutcome,
    greedy_knobs,
    references,
    run_study,
)
from improviser.studies.ablation_page import (
    BEGIN,
    END,
    by_variant,
    page_text,
    section_text,
    spread,
    table_text,
    work_text,
)
from improviser.training.budget import CpuBudget, TransitionBudget
from improviser.training.env import RewardWeights
from improviser.training.grid import DUETS, chorale_parts
from improviser.training.material import GameSettings
from improviser.training.train import Progress, TrainingSettings
from improviser.workers import HERE, Workers
from tests.tiny_corpus import chorale, tiny_corpus

LANES = 8
SETTINGS = TrainingSettings(GameSettings("fiddle"), prior_updates=2, lanes=LANES)
SMALL = DQNConfig(batch_size=16, buffer_size=500, learning_starts=LANES, train_frequency=LANES)
TEXTBOOK = Variant("textbook", SMALL, has_prior_weights=False)
NORM = Variant("full, layer norm", replace(SMALL, layer_norm=True, prior_weight=0.1, decomposed=True))


def make_study(folder: Path, **changes: object) -> AblationStudy:
    """Return a study with a fifth of a second per variant."""
    parts = list(chorale_parts([chorale(bars=3)], "chorale", 4, casts=DUETS[:1]))
    plan = Plan(parts, parts, Conditions(DecisionValues(), RewardWeights()), 0, "x")
    study = AblationStudy(SETTINGS, plan, 0.2, folder, seeds=1, variants=(TEXTBOOK, NORM))
    return replace(study, **changes)  # type: ignore[arg-type]  # fields of several types


def run(study: AblationStudy, workers: Workers = HERE) -> tuple[list[VariantOutcome], list[str]]:
    """Run a study; return the outcomes, and the reported stages and variants."""
    told: list[str] = []

    def report(_done: int, what: str) -> None:
        """Record the current variant."""
        told.append(what)

    def fitting(progress: Progress) -> None:
        """Record that a prior is fitted."""
        told.append(progress.stage)

    threads = torch.get_num_threads()
    outcomes = run_study(study, tiny_corpus(), report, fitting, workers)
    torch.set_num_threads(threads)
    return outcomes, told


def outcome(variant: str, seed: int, reward: float) -> VariantOutcome:
    """Return an outcome whose figures are `reward` when greedy, and twice that in live play."""
    names = (*REWARDS, *GAMING)
    return VariantOutcome(
        variant, seed, 1000, 10 * seed, dict.fromkeys(names, reward), dict.fromkeys(names, 2 * reward)
    )


def test_the_ladder_goes_from_the_textbook_to_the_full_learner() -> None:
    """The ladder begins with the textbook at random weights and ends with the learner of the shipped models."""
    assert Variant("textbook", DQNConfig(), has_prior_weights=False) == LADDER[0]
    assert FULL == LADDER[-1].dqn
    assert len(VARIANTS) == len({variant.name for variant in VARIANTS})


@pytest.mark.parametrize(("below", "above"), [*pairwise(LADDER[1:-1])])
def test_each_rung_changes_one_setting(below: Variant, above: Variant) -> None:
    """Each rung except the last differs from the one before in one field."""
    pairs = zip(asdict(below.dqn).items(), asdict(above.dqn).items(), strict=True)
    assert 1 == sum(one != other for one, other in pairs)


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_changes_one_setting(extra: Variant) -> None:
    """Each extra differs from the full learner in one field: of the learner, or its width."""
    pairs = zip(asdict(LADDER[-1]).items(), asdict(extra).items(), strict=True)
    changed = {name: (one, other) for (name, one), (_, other) in pairs if one != other}
    assert "name" in changed
    (before, after) = changed.pop("dqn", ({}, {}))
    assert 1 == len(changed) - 1 + sum(before[name] != after[name] for name in before)


def test_a_study_goes_on_where_it_was(tmp_path: Path) -> None:
    """A repeated study trains nothing again, except for a missing or damaged file."""
    study = make_study(tmp_path)
    outcomes, told = run(study)
    assert ["", "prior", "prior", "textbook, seed 0", "full, layer norm, seed 0"] == told
    assert [TEXTBOOK.name, NORM.name] == [one.variant for one in outcomes]
    for one in outcomes:
        assert one.updates == one.transitions // LANES > 0
        assert [*REWARDS, *GAMING] == list(one.greedy) == list(one.stage)
    again, told = run(study)
    assert str(outcomes) == str(again)  # as text, since nan equals nothing
    assert "prior" not in told
    (tmp_path / "textbook-0.json").write_text("{", "utf-8")
    mended, _ = run(study)
    assert str(outcomes[1]) == str(mended[1])
    assert (tmp_path / "textbook-0.json").stat().st_size > 100


def test_another_study_takes_nothing_over(tmp_path: Path) -> None:
    """Another training time is another study, and another seed has its own file."""
    study = make_study(tmp_path, variants=(TEXTBOOK,), seeds=2)
    run(study)
    files = [tmp_path / f"textbook-{seed}.json" for seed in (0, 1)]
    before = [file.read_bytes() for file in files]
    run(replace(study, seconds=0.1, seeds=1))
    assert [False, True] == [file.read_bytes() == old for file, old in zip(files, before, strict=True)]


def test_people_and_the_prior_stand_beside(tmp_path: Path) -> None:
    """People and the prior, which is fitted if needed, have the same figures."""
    threads = torch.get_num_threads()
    beside = references(make_study(tmp_path), tiny_corpus())
    torch.set_num_threads(threads)
    assert {"people", "prior only"} == set(beside)
    assert all([*REWARDS, *GAMING] == list(row) for row in beside.values())


def test_an_outcome_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    """A folder in the place of the file is reported with what to do."""
    (tmp_path / "textbook-0.json").mkdir()
    with pytest.raises(CheckpointError, match="Is a directory; free some space"):
        run(make_study(tmp_path, variants=(TEXTBOOK,)))


def test_greed_is_for_the_reward() -> None:
    """Greedy knobs weight the heads as the reward does, and ignore the prior."""
    knobs = greedy_knobs(replace(SETTINGS, weights=RewardWeights(1.2, 1.0, 0.5)))
    assert DecisionValues(1.2, 1.0, 0.5, temperature=0.0, prior_weight=0.0) == knobs


def test_budgets() -> None:
    """A budget measures progress by transitions, or by the process' CPU time."""
    assert 0.5 == TransitionBudget(100, 20).progress(50)
    assert CpuBudget(1e-9).progress(0) > 1 > CpuBudget(1e9).progress(0) >= 0
    assert 0 == CpuBudget(1.0).done


def test_figures_with_their_spread() -> None:
    """A figure is the mean over the seeds with its standard deviation; unknown values are left out."""
    assert "0.200 +- 0.141" == spread([0.1, 0.3], "reward")
    assert "20.0" == spread([20, math.nan], "in motif %")
    assert "-" == spread([math.nan], "reward")


def test_tables() -> None:
    """The tables have one row per variant, in the order of the ladder, after people."""
    outcomes = [outcome(LADDER[1].name, 0, 0.4), outcome("textbook", 0, 0.1), outcome("textbook", 1, 0.3)]
    assert ["textbook", LADDER[1].name] == list(by_variant(outcomes))
    people = {"people": dict.fromkeys((*REWARDS, *GAMING), 0.5)}
    greedy = table_text(outcomes, people, GREEDILY).splitlines()
    assert ["| variant", "|---|---:", "| *people*", "| textbook", f"| {LADDER[1].name}"] == [
        line.split(" | ")[0] if " | " in line else line[:9] for line in greedy
    ]
    assert "| 0.200 +- 0.141 |" in greedy[3]
    assert "| 0.800 |" in table_text(outcomes, people, ON_STAGE)
    assert "| textbook | 1,000 | 5 |" in work_text(outcomes)
    section = section_text(outcomes, people, "improviser ablate", "a second each.")
    assert section.startswith("`improviser ablate`: a second each.\n")
    assert 3 == section.count("## ")


def test_a_page_keeps_what_others_wrote() -> None:
    """The section is appended to a page, and is replaced the next time."""
    first = page_text("# Page\n\nwords\n", "one\n")
    assert f"# Page\n\nwords\n\n{BEGIN}\n\none\n\n{END}\n" == first
    assert f"# Page\n\nwords\n\n{BEGIN}\n\ntwo\n\n{END}\nmore\n" == page_text(first + "more\n", "two\n")
