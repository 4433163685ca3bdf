"""Deep Q-learning: the textbook algorithm, and the extensions that `DQNConfig` switches on.

The five steps: initialise Q-network and target network; sample a step epsilon-greedily; store the transition;
update the Q-network on a batch from the replay buffer; synchronise the target network at a fixed interval.

Source: V. Mnih et al. (2015), "Human-level control through deep reinforcement learning",
Nature 518, algorithm 1; for the rest see `DQNConfig`.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from improviser.agent.config import DQNConfig
    from improviser.agent.network import Network
    from improviser.agent.policy import Weights
    from improviser.agent.replay_buffer import Batch, FloatArray, Observations
    from improviser.agent.upper_layers import UpperLayers

    ActionValues = Network | UpperLayers

# The policy's own log-probability, used as a reward, is at least this.
# Source: N. Vieillard et al. (2020), table 1, l_0 = -1.
_LOG_POLICY_MIN: Final = -1.0


def policy_of(value: Tensor, temperature: float) -> Tensor:
    """Return the policy, (n, actions) probabilities, that prefers the actions of highest value.

    Args:
        value: (n, actions); -inf for an illegal action.
        temperature: Temperature of a softmax; at 0 the best action has all the probability.
    """
    if temperature > 0:
        return torch.softmax(value / temperature, dim=1).nan_to_num()  # no legal action: the end
    return functional.one_hot(value.argmax(dim=1), value.shape[1]).to(value.dtype)


def td_target(reward: Tensor, next_q_values: Tensor, next_policy: Tensor, discount: Tensor) -> Tensor:
    """Return `r + discount * sum_a' pi(a'|s') Q(s', a')`, (n, heads): with a greedy policy `r + gamma max Q`.

    Args:
        reward: (n, heads).
        next_q_values: (n, heads, actions) of the target network.
        next_policy: (n, actions) probabilities.
        discount: (n,), 0 where s' was the end.
    """
    return reward + discount[:, None] * torch.einsum("nka,na->nk", next_q_values, next_policy)


class Learner:
    """Holds the Q-network and the target network, and turns batches into updates.

    Threads: an instance belongs to one thread; learn_step takes about ten milliseconds and allocates memory.
    """

    def __init__(
        self,
        network: ActionValues,
        config: DQNConfig,
        *,
        prior: ActionValues | None = None,
        weights: FloatArray | None = None,
    ) -> None:
        """Initialise: the target network starts as a copy of the Q-network.

        Args:
            network: The Q-network.
            config: The settings of learning.
            prior: The prior, if the settings use it; it does not change.
            weights: (heads,) weight of each head in the values that are acted by; 1 each by default.
        """
        self.config = config
        self.q_network = network
        self.target_network = copy.deepcopy(network)
        self.optimizer: torch.optim.Optimizer = torch.optim.Adam(
            network.parameters(), lr=config.learning_rate, fused=True
        )
        self.updates = 0
        self._prior = prior
        self.reweigh(np.ones(network.config.heads, dtype=np.float32) if weights is None else weights)

    def synchronise(self) -> None:
        """Copy the Q-network to the target network."""
        self.target_network.load_state_dict(self.q_network.state_dict())

    def reweigh(self, weights: FloatArray) -> None:
        """Set the weights of the heads, (heads,)."""
        self.weights = weights
        self._weights = torch.from_numpy(weights)

    def forget_momentum(self) -> None:
        """Reset the optimiser, after weights were replaced from outside."""
        self.optimizer.state.clear()

    def select_actions(
        self,
        observations: Observations,
        legal: npt.NDArray[np.bool_],
        epsilon: float,
        rng: np.random.Generator,
    ) -> npt.NDArray[np.int64]:
        """Return one legal action per lane, (lanes,): the best one, or with probability epsilon a random one.

        With a temperature, the best action is drawn from the softmax. With prior exploration, the random action is
        drawn from the prior.
        """
        with torch.no_grad():
            seen = torch.from_numpy(observations)
            log_prior = self._log_prior(seen)
            value = self._value(self.q_network(seen), log_prior).numpy()
        if self.config.temperature > 0:
            value = value + self.config.temperature * rng.gumbel(size=value.shape)
        greedy = np.where(legal, value, -np.inf).argmax(axis=1)
        if self.config.prior_exploration and log_prior is not None:
            wish = log_prior.numpy() + rng.gumbel(size=legal.shape)
        else:
            wish = rng.random(legal.shape)
        random = np.where(legal, wish, -np.inf).argmax(axis=1)
        actions: npt.NDArray[np.int64] = np.where(rng.random(len(greedy)) < epsilon, random, greedy)
        return actions

    def learn_step(self, batch: Batch) -> tuple[float, FloatArray]:
        """Do one gradient step.

        The loss is `E[(r + gamma max_a' Q(s', a'; theta-) - Q(s, a; theta))^2]`, summed over the
        heads; theta- are the weights of the target network.

        Returns:
            The loss, and the absolute error of each row, (n,), as the mean over the heads.
        """
        action = torch.from_numpy(batch.action)
        target = self._target(batch, action)
        q_values = self.q_network(torch.from_numpy(batch.observation))
        chosen = q_values.gather(2, _same_for_all_heads(action, q_values))[:, :, 0]
        measure = functional.smooth_l1_loss if self.config.huber else functional.mse_loss
        losses = measure(chosen, target, reduction="none").sum(dim=1)
        loss = (losses * torch.from_numpy(batch.weight)).mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch ships it without annotations
        nn.utils.clip_grad_norm_(self.q_network.parameters(), self.config.max_grad_norm)
        self.optimizer.step()
        torch.autograd.graph.increment_version(list(self.q_network.parameters()))  # a fused step does not count it
        self._follow()
        errors: FloatArray = (chosen.detach() - target).abs().mean(dim=1).numpy()
        return float(loss.detach()), errors

    def publish_weights(self) -> Weights:
        """Return the Q-network's weights, for the policy that plays."""
        return self.q_network.to_weights()

    def _follow(self) -> None:
        """Update the target network: a little in each update, or fully every `target_update_interval` updates."""
        self.updates += 1
        if self.config.target_rate > 0:
            pairs = zip(self.target_network.parameters(), self.q_network.parameters(), strict=True)
            with torch.no_grad():
                for old, new in pairs:
                    old.lerp_(new, self.config.target_rate)
        elif self.updates % self.config.target_update_interval == 0:
            self.synchronise()

    def _target(self, batch: Batch, action: Tensor) -> Tensor:
        """Return the target of each head for each row, (n, heads)."""
        config = self.config
        with torch.no_grad():
            seen = torch.from_numpy(batch.next_observation)
            next_q_values = self.target_network(seen)
            log_prior = self._log_prior(seen)
            judged = self.q_network(seen) if config.double else next_q_values
            value = self._value(judged, log_prior)
            value.masked_fill_(~torch.from_numpy(batch.next_legal), -torch.inf)
            policy = policy_of(value, config.temperature)
            reward, discount = torch.from_numpy(batch.reward), torch.from_numpy(batch.discount)
            if config.munchausen > 0:
                reward = reward + self._munchausen(batch, action)[:, None]
            if config.soft_value:
                bonus = self._shared(_regularised(policy, log_prior, config.prior_weight, config.temperature))
                reward = reward + (discount * bonus)[:, None]
            return td_target(reward, next_q_values, policy, discount)

    def _munchausen(self, batch: Batch, action: Tensor) -> Tensor:
        """Return the additional reward, (n,), for actions that are likely in the target network's policy."""
        seen = torch.from_numpy(batch.observation)
        value = self._value(self.target_network(seen), self._log_prior(seen))
        temperature = self.config.temperature
        log_policy = temperature * torch.log_softmax(value / temperature, dim=1)
        own = log_policy.gather(1, action[:, None])[:, 0].clamp(_LOG_POLICY_MIN, 0.0)
        return self._shared(self.config.munchausen * own)

    def _shared(self, bonus: Tensor) -> Tensor:
        """Return each head's share of a bonus to the weighted sum of all heads."""
        return bonus / self._weights.sum()

    def _value(self, q_values: Tensor, log_prior: Tensor | None) -> Tensor:
        """Return the value of each action over all heads and the prior, (n, actions)."""
        value = torch.einsum("nka,k->na", q_values, self._weights)
        return value if log_prior is None else value + self.config.prior_weight * log_prior

    def _log_prior(self, observations: Tensor) -> Tensor | None:
        """Return the prior's log-probabilities, (n, actions); None if there is no prior."""
        if self._prior is None:
            return None
        return torch.log_softmax(self._prior(observations)[:, 0], dim=1)


def _regularised(policy: Tensor, log_prior: Tensor | None, prior_weight: float, temperature: float) -> Tensor:
    """Return what the prior and the entropy add to the policy's value, (n,)."""
    entropy = -temperature * torch.xlogy(policy, policy).sum(dim=1)
    return entropy if log_prior is None else entropy + prior_weight * (policy * log_prior).sum(dim=1)


def _same_for_all_heads(action: Tensor, q_values: Tensor) -> Tensor:
    """Return actions, (n,), as an index into (n, heads, actions)."""
    return action[:, None, None].expand(-1, q_values.shape[1], 1)
