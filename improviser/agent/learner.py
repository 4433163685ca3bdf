"""Deep Q-learning as the textbook has it.

The five steps: initialise Q-network and target network; sample a step epsilon-greedily; store the transition;
update the Q-network on a batch drawn from the replay buffer; synchronise the target network every so many
updates.

Source: V. Mnih et al. (2015), "Human-level control through deep reinforcement learning",
Nature 518, algorithm 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from improviser.agent.network import Network

if TYPE_CHECKING:
    from improviser.agent.config import DQNConfig
    from improviser.agent.policy import Weights
    from improviser.agent.replay import Transitions


def td_target(reward: Tensor, next_q_values: Tensor, terminated: Tensor, gamma: float) -> Tensor:
    """Give `r + gamma max_a' Q(s', a')`, and only `r` where s' was the end.

    Args:
        reward: (n,) float32.
        next_q_values: (n, actions) of the target network; -inf for an illegal action.
        terminated: (n,) bool.
        gamma: The discount, 0-1.
    """
    return reward + gamma * next_q_values.max(dim=1).values.masked_fill(terminated, 0.0)


class Learner:
    """Holds the Q-network and the target network, and turns batches into updates.

    Threads: belongs to one thread; learn_step takes about ten milliseconds and allocates.
    """

    def __init__(self, network: Network, config: DQNConfig) -> None:
        """Initialise: the target network starts as a copy of the Q-network."""
        self.config = config
        self.q_network = network
        self.target_network = Network(network.config, torch.Generator().manual_seed(0))
        self.optimizer: torch.optim.Optimizer = torch.optim.Adam(
            network.parameters(), lr=config.learning_rate
        )
        self.updates = 0
        self.synchronise()

    def synchronise(self) -> None:
        """Let the target network equal the Q-network."""
        self.target_network.load_state_dict(self.q_network.state_dict())

    def select_actions(
        self,
        observations: npt.NDArray[np.uint8],
        legal: npt.NDArray[np.bool_],
        epsilon: float,
        rng: np.random.Generator,
    ) -> npt.NDArray[np.int64]:
        """Give a legal action a lane, (lanes,): the best one, or with probability epsilon any one."""
        with torch.no_grad():
            q_values = self.q_network(torch.from_numpy(observations)).numpy()
        greedy = np.where(legal, q_values, -np.inf).argmax(axis=1)
        random = np.where(legal, rng.random(legal.shape), -1.0).argmax(axis=1)
        actions: npt.NDArray[np.int64] = np.where(rng.random(len(greedy)) < epsilon, random, greedy)
        return actions

    def learn_step(self, batch: Transitions) -> float:
        """Take one gradient step; give the loss.

        The loss is `E[(r + gamma max_a' Q(s', a'; theta-) - Q(s, a; theta))^2]`, theta- being the target's.
        """
        with torch.no_grad():
            next_q_values = self.target_network(torch.from_numpy(batch.next_observation))
            next_q_values.masked_fill_(~torch.from_numpy(batch.next_legal), -torch.inf)
            terminated = torch.from_numpy(batch.terminated)
            target = td_target(torch.from_numpy(batch.reward), next_q_values, terminated, self.config.gamma)
        q_values = self.q_network(torch.from_numpy(batch.observation))
        chosen = q_values.gather(1, torch.from_numpy(batch.action)[:, None])[:, 0]
        loss = nn.functional.mse_loss(chosen, target)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it without annotations
        nn.utils.clip_grad_norm_(self.q_network.parameters(), self.config.max_grad_norm)
        self.optimizer.step()
        self.updates += 1
        if self.updates % self.config.target_update_interval == 0:
            self.synchronise()
        return float(loss.detach())

    def publish_weights(self) -> Weights:
        """Give the Q-network's weights, for the policy that plays."""
        return self.q_network.to_weights()
