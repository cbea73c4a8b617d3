"""The likeliest sequences of tokens, for many sources side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from .._constraints import COUNT, NOT_NEGATIVE, check_parameters
from ..cells import State, map_state
from ._rollout import Advance


class Hypotheses(NamedTuple):
    """The best sequences found, best first: scores (n, width), −∞ where there are fewer; tokens (n, width, n_steps); numbers of tokens (n, width)."""

    scores: Tensor
    tokens: Tensor
    lengths: Tensor


@dataclass(frozen=True)
class BeamSearch:
    """Keep the ``width`` likeliest beginnings in each step (Graves, 2012; Sutskever et al., 2014), and rank what has ended by a score.

    Parameters
    ----------
    width : int, default=1
        Beginnings that are kept for each source; 1 is greedy.
    length_penalty : float, default=0.0
        α: the logarithm of the probability is divided by ((5 + length) / 6)^α, so that a larger one favours longer sequences. The end counts.
    coverage_penalty : float, default=0.0
        β: how much it costs to have looked at too little of the source.

    Notes
    -----
    ::

        score(Y) = log P(Y) / ((5 + |Y|) / 6)^α + β Σ_j log min(Σ_t a_j(t), 1)

    What has ended leaves the beam, and its place is taken in the next step; so a beam of one is greedy, whatever the penalties. What has not
    ended after the last step counts as it is. A source is done when ``width`` sequences have ended of which none can still be beaten.

    References
    ----------
    Y. Wu et al., "Google's neural machine translation system", 2016, arXiv:1609.08144, section 7.
    """

    width: int = 1
    length_penalty: float = 0.0
    coverage_penalty: float = 0.0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"width": [COUNT], "length_penalty": [NOT_NEGATIVE], "coverage_penalty": [NOT_NEGATIVE]}

    def __post_init__(self) -> None:
        check_parameters(self)

    def __call__(
        self,
        advance: Advance,
        state: State,
        first: Tensor,
        n_steps: int,
        end: int,
        *,
        pick: Callable[[State, Tensor], State] = lambda state, rows: map_state(lambda s: s[rows], state),
        coverage: Callable[[State], Tensor] | None = None,
        merge: Callable[[State, Tensor], Tensor] | None = None,
        most_gain: float = 0.0,
    ) -> Hypotheses:
        """Search.

        Parameters
        ----------
        advance : callable
            One step: tokens (rows, 1) and state to log probabilities (rows, n_tokens) of the next ones, and state.
        state : State
            Before the first step, of n sources.
        first : Tensor of shape (n, 1)
            The token before the first step.
        n_steps : int
            The most steps to write, the end among them.
        end : int
            The token with which a sequence ends.
        pick : callable, default: index every tensor
            A state of other rows, of which each is of the same source as before.
        coverage : callable, default=None
            From a state: Σ_j log min(Σ_t a_j(t), 1) of each row.
        merge : callable, default=None
            From the state after ``advance`` and the logarithms of the probabilities (n, width, n_tokens) of each token behind each beginning: the
            same, where those that say the same are added up in one of them, and −∞ in the others.
        most_gain : float, default=0.0
            The most that one step may add to the logarithm, where something beside probabilities counts.

        Returns
        -------
        Hypotheses
        """
        n, K = len(first), self.width
        state = map_state(lambda s: s.repeat_interleave(K, 0), state)
        fed = first.repeat_interleave(K, 0)
        open_ = first.new_full((n, K), -torch.inf)  # log probabilities of beginnings; at first there is one
        open_[:, 0] = 0
        begun = torch.empty(n, K, 0, dtype=torch.int64, device=first.device)
        done = Hypotheses(torch.full_like(open_, -torch.inf), begun.new_full((n, K, n_steps), end), begun.new_zeros(n, K))
        base = torch.arange(n, device=first.device)[:, None] * K
        for t in range(n_steps):
            log_p, state = advance(fed, state)
            beside = 0.0 if coverage is None or self.coverage_penalty == 0 else self.coverage_penalty * coverage(state).view(n, K)
            every = open_[..., None] + log_p.view(n, K, -1)
            total, place = (every if merge is None else merge(state, every)).flatten(1).topk(min(K, K * log_p.shape[-1]))
            parent, token = place // log_p.shape[-1], place % log_p.shape[-1]
            begun = torch.cat([begun.gather(1, parent[..., None].expand(-1, -1, t)), token[..., None]], -1)
            ends = (token == end) | (t == n_steps - 1)
            score = total / self._length(t + 1) + (beside if isinstance(beside, float) else beside.gather(1, parent))
            done = _merged(done, torch.where(ends, score, -torch.inf), begun)
            open_ = torch.where(ends, -torch.inf, total)
            if bool((done.scores[:, -1] >= (open_.amax(1) + most_gain * (n_steps - 1 - t)) / self._length(n_steps)).all()):
                break
            state, fed = pick(state, (base + parent).flatten()), token.reshape(-1, 1).to(first.dtype)
        return done

    def _length(self, n: int) -> float:
        return float(((5 + n) / 6) ** self.length_penalty)


def _merged(done: Hypotheses, scores: Tensor, tokens: Tensor) -> Hypotheses:
    """The best of what had ended and what ends now; of equals, what was first."""
    _, K, n_steps = done.tokens.shape
    padded = torch.nn.functional.pad(tokens, (0, n_steps - tokens.shape[-1]))
    all_scores = torch.cat([done.scores, scores], 1)
    best, place = all_scores.sort(dim=1, descending=True, stable=True)
    place = place[:, :K]
    every = torch.cat([done.tokens, padded], 1)
    lengths = torch.cat([done.lengths, torch.full_like(done.lengths, tokens.shape[-1])], 1)
    return Hypotheses(best[:, :K], every.gather(1, place[..., None].expand(-1, -1, n_steps)), lengths.gather(1, place))
