"""The prior: how people play, learned by maximum likelihood from the partner voices of the corpus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch.nn import functional

from improviser.playing.actions import ACTION_COUNT, FIRST_ONSET

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from improviser.agent.network import Network
    from improviser.listening.observation import Rows

BATCH: Final = 512
LEARNING_RATE: Final = 1e-3
WEIGHT_DECAY: Final = 0.01

Report = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Imitation:
    """Human actions to imitate: observations, (rows, columns), and actions, (rows,), of steps with a partner."""

    observations: Rows
    actions: npt.NDArray[np.int64]
    action_count: int = ACTION_COUNT

    def __post_init__(self) -> None:
        """Raise ValueError where there are no rows, or a row has no valid action."""
        if len(self.actions) == 0 or self.actions.max() >= self.action_count:
            msg = "imitation needs rows, each with an action"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class PriorScore:
    """How well a network predicts what people do.

    Attributes:
        nats: Mean negative log-likelihood per step.
        note_accuracy: Share of the steps with an onset where the likeliest onset is the note played.
        accuracy: Share of the steps where the likeliest action is the one taken.
    """

    nats: float
    note_accuracy: float
    accuracy: float


def fit_prior(
    network: Network,
    data: Imitation,
    updates: int,
    rng: np.random.Generator,
    report: Report,
    learning_rate: float = LEARNING_RATE,
) -> None:
    """Fit the outputs of `network` as log-odds of human actions, by AdamW with a cosine schedule.

    Args:
        network: Changed in place.
        data: What to imitate.
        updates: Gradient steps, of BATCH rows each.
        rng: Draws the batches.
        report: Called after each update with its number and its loss.
        learning_rate: The highest learning rate.
    """
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    for update in range(1, updates + 1):
        rows = rng.integers(len(data.actions), size=BATCH)
        logits = network(torch.from_numpy(data.observations[rows]))[:, 0]
        loss = functional.cross_entropy(logits, torch.from_numpy(data.actions[rows]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it without annotations
        optimizer.step()
        schedule.step()
        report(update, float(loss.detach()))


def score_prior(network: Network, data: Imitation) -> PriorScore:
    """Measure a network on data that it was not fitted to."""
    nats, right, right_notes, onsets = 0.0, 0, 0, 0
    with torch.no_grad():
        for at in range(0, len(data.actions), 8192):
            actions = torch.from_numpy(data.actions[at : at + 8192])
            logits = network(torch.from_numpy(data.observations[at : at + 8192]))[:, 0]
            nats += float(functional.cross_entropy(logits, actions, reduction="sum"))
            right += int((logits.argmax(dim=1) == actions).sum())
            struck = actions >= FIRST_ONSET
            guessed = logits[:, FIRST_ONSET:].argmax(dim=1) + FIRST_ONSET
            right_notes += int((guessed[struck] == actions[struck]).sum())
            onsets += int(struck.sum())
    count = len(data.actions)
    return PriorScore(nats / count, right_notes / max(1, onsets), right / count)
