"""Parallelised Q-learning without a replay buffer and without a target network, to compare with.

All lanes play some steps, whose returns are mixed over all lengths (Q(lambda)); then the network learns from them in
minibatches, a few times, and they are thrown away. Layer norm keeps it stable.

Source: M. Gallici et al. (2024), "Simplifying Deep Temporal Difference Learning", arXiv 2407.04811, algorithm 1 and
appendix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from improviser.agent.config import DQNConfig
    from improviser.agent.network import Network
    from improviser.training.budget import Budget
    from improviser.training.env import FloatArray, Game

# Steps of all lanes between two times of learning, and how often each transition is learned from then.
STEPS: Final = 32
EPOCHS: Final = 2
MINIBATCHES: Final = 8
# Weight of longer returns.
LAMBDA: Final = 0.65
LEARNING_RATE: Final = 2.5e-4


def learn_pqn(
    network: Network, game: Game, config: DQNConfig, weights: FloatArray, rng: np.random.Generator, budget: Budget
) -> tuple[int, int]:
    """Learn until the budget is spent; return the numbers of transitions and of updates.

    Args:
        network: A network with one head and layer norm; changed in place.
        game: The environments, reset.
        config: Discount, exploration and bound of the gradient.
        weights: (components,) of the rewards, whose weighted sum is learned.
        rng: Draws actions and minibatches.
        budget: The budget of the run.
    """
    optimizer = torch.optim.RAdam(network.parameters(), lr=LEARNING_RATE)
    sampled = updates = 0
    while (progress := budget.progress(sampled)) < 1:
        observations, actions, targets = _rollout(network, game, config, weights, rng, config.epsilon(progress))
        sampled += len(actions)
        for _ in range(EPOCHS):
            for rows in np.array_split(rng.permutation(len(actions)), MINIBATCHES):
                _update(network, optimizer, config, (observations[rows], actions[rows], targets[rows]))
                updates += 1
    return sampled, updates


def _rollout(
    network: Network,
    game: Game,
    config: DQNConfig,
    weights: FloatArray,
    rng: np.random.Generator,
    epsilon: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Play STEPS steps in every lane; return observations, actions and the returns to learn, a row a transition."""
    seen, chosen, rewards, following, cuts = [], [], [], [], []
    for _ in range(STEPS):
        observation, legal = game.observation.copy(), game.legal.copy()
        values = np.where(legal, _values(network, observation), -np.inf)
        random = np.where(legal, rng.random(legal.shape), -np.inf).argmax(axis=1)
        action = np.where(rng.random(len(random)) < epsilon, random, values.argmax(axis=1))
        after, reward, over = game.step(action)
        best = np.where(game.legal, _values(network, after), -np.inf).max(axis=1)
        seen.append(observation)
        chosen.append(action)
        rewards.append(reward @ weights)
        following.append(best)
        cuts.append(over)
        if over:
            game.reset()
    targets = lambda_returns(np.array(rewards), np.array(following), np.array(cuts), config.gamma)
    return (
        torch.from_numpy(np.concatenate(seen)),
        torch.from_numpy(np.concatenate(chosen)),
        torch.from_numpy(targets.reshape(-1).astype(np.float32)),
    )


def lambda_returns(rewards: FloatArray, following: FloatArray, cuts: np.ndarray, gamma: float) -> FloatArray:
    """Return the mixed returns, (steps, lanes): `G_t = r_t + gamma (lambda G_t+1 + (1 - lambda) max_a Q(s_t+1, a))`.

    Args:
        rewards: (steps, lanes).
        following: (steps, lanes), the value of the best action in the next state.
        cuts: (steps,), whether the episode was cut off after the step: then the next return is of another one.
        gamma: The discount.
    """
    found = np.empty_like(following)
    later = following[-1]
    for step in range(len(rewards) - 1, -1, -1):
        mixed = following[step] if cuts[step] else LAMBDA * later + (1 - LAMBDA) * following[step]
        later = found[step] = rewards[step] + gamma * mixed
    return found


def _values(network: Network, observation: np.ndarray) -> FloatArray:
    """Return the values of all actions, (lanes, actions)."""
    with torch.no_grad():
        found: FloatArray = network(torch.from_numpy(observation))[:, 0].numpy()
    return found


def _update(
    network: Network,
    optimizer: torch.optim.Optimizer,
    config: DQNConfig,
    batch: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> None:
    """Do one gradient step on observations, actions and returns."""
    observations, actions, targets = batch
    values = network(observations)[:, 0].gather(1, actions[:, None])[:, 0]
    optimizer.zero_grad()
    functional.mse_loss(values, targets).backward()  # type: ignore[no-untyped-call]  # torch ships it without
    nn.utils.clip_grad_norm_(network.parameters(), config.max_grad_norm)
    optimizer.step()
