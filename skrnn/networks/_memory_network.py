"""Sentences that are remembered, and looked at again and again until a question can be answered."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..cells import Module
from ..cells._rows import product, scalar_products, softmax, weighted_sums
from ..cells._starts import input_weights
from ..engine import Runnable
from ._network import Linear

TYINGS = ("adjacent", "layerwise")
_SPREAD = 0.1  # standard deviation of the vectors of words and ages at the start


class Remembered(NamedTuple):
    """Stories as the network sees them.

    ``question`` (n, size) is what is asked; ``keys`` and ``values`` (n, n_sentences, size) are what each hop finds sentences by, and what it takes
    from them; ``present`` (n, n_sentences) says where there is a sentence. ``facts`` (n, at least n_hops) are the last rows.
    """

    question: Tensor
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    present: Tensor
    facts: Tensor


class SentenceVectors(Module):
    """Vectors of sentences, several for each: the sums of those of their words, each weighted by its place (Sukhbaatar et al., 2015).

    ::

        m = Σ_j l(j) ∘ W[x(j)],    l_k(j) = 1 + 4 (k - (d+1)/2) (j - (J+1)/2) / (d J)

    for the k-th of d entries and the j-th word. The word 0 stands for nothing.

    Parameters
    ----------
    n_words : int
        With the word 0.
    size : int
        Of each vector, d.
    n_vectors : int
        How many there are of each sentence.
    n_places : int
        How many words the longest sentences have, J; 0 is for l = 1.
    generator : torch.Generator or None
        Where weights are drawn from.
    """

    def __init__(self, n_words: int, size: int, n_vectors: int, n_places: int, generator: Generator | None) -> None:
        super().__init__()
        W = _drawn(n_words, n_vectors * size, generator)
        with torch.no_grad():
            W[0] = 0
        self.W, self.size, self.n_places = W, size, n_places

    def forward(self, ids: Tensor) -> Tensor:
        """Words (n, J) to vectors (n, n_vectors * size)."""
        total = nn.functional.embedding_bag(ids, self.W, mode="sum", padding_idx=0)
        if not self.n_places:
            return total
        place = torch.arange(1, ids.shape[1] + 1).to(self.W)
        weights = ((place - (self.n_places + 1) / 2) / self.n_places).expand(len(ids), -1)
        shifted = nn.functional.embedding_bag(ids, self.W, mode="sum", per_sample_weights=weights.contiguous(), padding_idx=0)
        entry = torch.arange(1, self.size + 1).to(self.W)
        slope = 4 * (entry - (self.size + 1) / 2) / self.size
        return total + slope.repeat(self.W.shape[1] // self.size) * shifted


class AgeVectors(Module):
    """A vector (n_vectors * size) for each age, the last for all above.

    Parameters
    ----------
    n_ages : int
    size : int
        Of all vectors together.
    generator : torch.Generator or None
        Where weights are drawn from.
    """

    def __init__(self, n_ages: int, size: int, generator: Generator | None) -> None:
        super().__init__()
        self.W = _drawn(n_ages, size, generator)

    def forward(self, age: Tensor) -> Tensor:
        return nn.functional.embedding(age.clamp(max=len(self.W) - 1), self.W)


class MemoryNetwork(Runnable):
    """Answers questions about stories by looking at their sentences several times (Sukhbaatar et al., 2015).

    Parameters
    ----------
    n_words : int
        Words with vectors of their own, and the word 0, which stands for nothing.
    n_ages : int
        How many of the last sentences are told apart by their age; 0 leaves the order of the sentences out.
    size : int
        Of all vectors.
    bias : Tensor of shape (n_outputs,)
        Where the bias of the answer starts.
    n_hops : int, default=3
        How often the story is looked at.
    n_places : int, default=0
        How many words the longest sentences have, if the places of words in a sentence count; 0 if not.
    tying : {"adjacent", "layerwise"}, default="adjacent"
        Which vectors of words hops share: what one hop takes from sentences is what the next finds them by, or all hops find and take by the same.
    noise : float, default=0.0
        Share of empty sentences among those of a story while training, which make the others older.
    n_linear : int, default=0
        Epochs at the beginning in which sentences are weighted by their scores as they are.
    keyed : bool, default=False
        Whether sentences are found by something else: as many rows of words, behind those of the story.
    margin : float or None, default=None
        With a margin each hop takes one sentence, of the highest score (Weston et al., 2015), and a last row of each story has the sentence that
        each hop should take, counted from 1, or 0 where that is not known. Its score should be above the others by the margin.
    generator : torch.Generator or None
        Where weights and noise are drawn from.

    Notes
    -----
    ::

        m_i(k) = sentence i by A(k) + T_A(k)[age of i],   c_i(k) = sentence i by C(k) + T_C(k)[age of i],   u(1) = question by B
        p(k) = softmax over i of u(k)' m_i(k)             u(k)' m_i(k) itself in a linear start
        u(k+1) = u(k) + Σ_i p_i(k) c_i(k)                 "layerwise": H u(k) + Σ …
        y = W u(K+1) + b

    "adjacent": A(k+1) = C(k), B = A(1). The network reads packed sequences of rows of words, the question first and then its story. With a margin
    p(k) is 1 for one sentence f, that which should be taken or has the highest score, and behind y stands the loss
    Σ_k Σ_{i≠f} max(0, margin - u(k)' (m_f(k) - m_i(k))).

    References
    ----------
    J. Weston, S. Chopra, A. Bordes, "Memory networks", ICLR 2015, section 3.1, for the margin.
    S. Sukhbaatar, A. Szlam, J. Weston, R. Fergus, "End-to-end memory networks", NIPS 2015, sections 2 and 4.
    """

    def __init__(
        self,
        n_words: int,
        n_ages: int,
        size: int,
        bias: Tensor,
        *,
        n_hops: int = 3,
        n_places: int = 0,
        tying: str = "adjacent",
        noise: float = 0.0,
        n_linear: int = 0,
        keyed: bool = False,
        margin: float | None = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        adjacent = tying == "adjacent"
        n_vectors = n_hops + 1 if adjacent else 3
        self.sentences = SentenceVectors(n_words, size, n_vectors, n_places, generator)
        self.ages = AgeVectors(n_ages, n_vectors * size, generator) if n_ages else None
        self.H = None if adjacent else input_weights(size, size, generator)
        self.head = Linear(size, bias)
        self.n_hops, self.noise, self.n_linear, self.keyed, self.margin = n_hops, noise, n_linear, keyed, margin
        self.register_buffer("n_begun", torch.zeros((), dtype=torch.long))  # epochs
        self.draw_from(generator)

    n_begun: Tensor

    def train(self, mode: bool = True) -> Self:
        """Begin an epoch, or end it."""
        if mode:
            self.n_begun += 1
        return super().train(mode)

    @property
    def starts_linear(self) -> bool:
        """Whether sentences are still weighted by their scores as they are."""
        return max(int(self.n_begun), 1) <= self.n_linear

    def forward(self, packed: PackedSequence, detach_every: int | None = None, grad_path: str = "full") -> Tensor:
        """Outputs (n, n_outputs), and with a margin behind them the loss of what the hops take."""
        u, _, lost = self._look(self.read(packed))
        return self.head(u) if self.margin is None else torch.cat([self.head(u), lost], 1)

    def answer(self, packed: PackedSequence) -> Tensor:
        """Outputs (n, n_outputs) of a network that is not trained."""
        return self.head(self._look(self.read(packed))[0])

    def look(self, packed: PackedSequence) -> tuple[Tensor, list[Tensor]]:
        """What is known in the end (n, size), and for each hop the weights (n, n_sentences) of the sentences, the oldest first."""
        return self._look(self.read(packed))[:2]

    def _look(self, told: Remembered) -> tuple[Tensor, list[Tensor], Tensor]:
        u, looks, lost = told.question, [], told.question.new_zeros(len(told.question), 1)
        for hop, (keys, values) in enumerate(zip(told.keys, told.values, strict=True)):
            scores = scalar_products(keys, u)
            if self.margin is not None:
                p, above = self._taken(scores, told, hop)
                lost = lost + above
            else:
                p = scores * told.present if self.starts_linear else softmax(scores.masked_fill(~told.present, -torch.inf))
            u = (u if self.H is None else product(u, self.H)) + weighted_sums(p, values)
            looks.append(p)
        return u, looks, lost

    def _taken(self, scores: Tensor, told: Remembered, hop: int) -> tuple[Tensor, Tensor]:
        """One sentence of each story, and how far the scores of others are above its own less the margin, if it is told."""
        fact = told.facts[:, hop, None]
        at = torch.where(fact > 0, fact - 1, scores.masked_fill(~told.present, -torch.inf).argmax(1, keepdim=True))
        p = torch.zeros_like(scores).scatter(1, at, 1.0)
        above = ((self.margin or 0.0) - scores.gather(1, at) + scores).clamp(min=0) * (told.present & (p == 0) & (fact > 0))
        return p, above.sum(1, keepdim=True)

    def n_sentences(self, lengths: Any) -> Any:
        """How many sentences stories have, of rows of so many."""
        return (lengths - 1 - int(self.margin is not None)) // (1 + int(self.keyed))

    def read(self, packed: PackedSequence) -> Remembered:
        """Vectors of question and sentences."""
        rows, lengths = pad_packed_sequence(packed, batch_first=True)
        (n, n_rows, n_words), lengths = rows.shape, lengths.to(rows.device)
        ids, story = rows.long(), torch.arange(n, device=rows.device)
        facts = ids[story, lengths - 1]
        if self.margin is not None:
            ids = ids.masked_fill((torch.arange(n_rows, device=rows.device) == lengths[:, None] - 1)[..., None], 0)
        vectors = self.sentences(ids.reshape(n * n_rows, n_words)).view(n, n_rows, -1, self.sentences.size)
        n_sentences = self.n_sentences(lengths)[:, None]
        at = torch.arange(self.n_sentences(n_rows), device=rows.device)
        ages: Tensor | int = 0
        if self.ages is not None:
            age = (n_sentences - 1 - at).clamp(min=0)
            age = self._aged(age, n_sentences) if self.training and self.noise else age
            ages = self.ages(age).view(n, len(at), -1, self.sentences.size)
        told = vectors[:, 1 : 1 + len(at)]
        found_by = vectors[story[:, None], (1 + n_sentences + at).clamp(max=n_rows - 1)] if self.keyed else told
        keys, values = (found_by + ages).unbind(2), (told + ages).unbind(2)
        if self.H is not None:
            return Remembered(vectors[:, 0, 2], keys[:1] * self.n_hops, values[1:2] * self.n_hops, at < n_sentences, facts)
        return Remembered(vectors[:, 0, 0], keys[:-1], values[1:], at < n_sentences, facts)

    def _aged(self, age: Tensor, n_sentences: Tensor) -> Tensor:
        """Ages where some empty sentences, as many as the noise allows or less, stand among the others anywhere."""
        n, n_most = age.shape
        most_empty = (self.noise * n_sentences).ceil()
        draws = torch.rand(n, 1, generator=self.generator).to(age.device)
        n_empty = (draws * (most_empty + 1)).floor()
        slots = torch.arange(n_most + int(most_empty.max()), device=age.device)
        lots = torch.rand(n, len(slots), generator=self.generator).to(age.device)
        lots = lots.masked_fill(slots >= n_sentences + n_empty, 2.0)
        taken = lots.argsort(1).argsort(1) < n_sentences
        ages = torch.where(taken, slots, len(slots)).sort(1).values  # those of the sentences, the newest first
        return ages.gather(1, age)


def _drawn(rows: int, columns: int, generator: Generator | None) -> nn.Parameter:
    return nn.Parameter(_SPREAD * torch.empty(rows, columns, dtype=torch.float32).normal_(generator=generator).to(torch.get_default_dtype()))
