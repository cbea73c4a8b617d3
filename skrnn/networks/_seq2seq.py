"""One sequence from another, or from a vector: an encoder, and a decoder that runs on its own output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, Layers, Module, State, Weights, map_state
from ..cells._rows import product
from ..cells._starts import input_weights
from ..cells._wrappers import map_units
from ..engine import Runnable, TeacherForcing, resolve_teaching, rollout
from ..frontends import Frontend
from ._attention import Attending, AttendingState, top_attention
from ._copying import PointerGenerator, log_shares
from ._encoder import Encoder, Regions, Vector, with_units
from ._feedback import Feedback
from ._network import Linear
from ._readout import on_every_row
from ._recurrent import Recurrent
from ._self_feeding import run_on_own_output

CONTEXTS = ("init", "every", "both")


class Pair(NamedTuple):
    """What is read, and for how long and with what beside it is written; ``n`` sequences, in any order.

    ``source`` is a packed batch; of one step each where a vector is read. ``steps`` is a packed batch too: a row for each step to be written, with
    what is known about it (n_known ≥ 0 columns). It orders the outputs. ``first`` (n, n_fed) stands for the output before the first
    step, and ``teacher`` (n_target_steps_total, n_fed), in the order of ``steps``, is what should be fed back after each; ``None``: nobody knows.
    """

    source: PackedSequence
    steps: PackedSequence
    first: Tensor
    teacher: Tensor | None = None


class Bridge(Module):
    """The state of a layer of the decoder from the context: tanh(V c + b) for the hidden state and for the memory after it, if there is one."""

    def __init__(self, size: int, state: State, generator: Generator | None) -> None:
        super().__init__()
        sizes: list[int] = []

        def measured(unit: Tensor) -> Tensor:
            sizes.append(unit[0].numel())
            return unit

        map_units(measured, measured, state)
        self.V = Weights(input_weights(n, size, generator) for n in sizes[:2])
        self.b = Weights(torch.zeros(n) for n in sizes[:2])

    def forward(self, context: Tensor, state: State) -> State:
        maps = zip(self.V, self.b, strict=True)

        def begun(before: Tensor) -> Tensor:
            V, b = next(maps, (None, None))
            return before if V is None else torch.tanh(product(context, V, b)).view_as(before)

        return map_units(begun, begun, state)


class Seq2Seq(Runnable):
    """An encoder and a decoder (Sutskever et al., 2014; Cho et al., 2014), with attention or without (Bahdanau et al., 2015; Luong et al., 2015).

    Parameters
    ----------
    encoder : Encoder, Vector or Regions
    cell : Cell
        Of every layer of the decoder.
    hidden_size : int
        Units of each layer of the decoder.
    bias : Tensor of shape (n_outputs,)
        Start of the head's bias; the head's weights start at zero.
    n_layers : int, default=1
        Layers of the decoder; the topmost attends.
    dropout : float, default=0.0
        Share of the features set to zero between layers while training.
    n_known : int, default=0
        What is known about each step to be written: columns of ``steps``.
    feedback : Feedback or None, default=None
        What of an output the next step sees; ``None``: nothing, and all steps are written at once (direct).
    context : {"init", "every", "both"}, default="init"
        Where the encoder's vector goes: into the decoder's start, beside every input, or both. An encoder of one direction, with layers as the
        decoder's, hands its last states on as they are.
    attention : {None, "bahdanau", "dot", "general"}, default=None
        How the decoder looks at the encoder's outputs; see :class:`Attending`.
    input_feeding, coverage : bool
        As in :class:`Attending`.
    copy : bool, default=False
        Whether outputs are those of a :class:`PointerGenerator`, which can point at the source; its last channel, which the encoder does not see,
        then says which token each step is.
    teacher_forcing : float, str or TeacherForcing, default=1.0
        How probable it is that a step is told the truth about the one before, while training.
    generator : torch.Generator or None
        Where weights, dropout masks and teachers are drawn from.

    Notes
    -----
    ::

        c, h(1), …, h(T) = encoder(x(1), …, x(T))
        s(0) = tanh(V c + b) in each layer, for the hidden state and the memory after it
        s(k) = cell([known(k); c; fed(k-1)], s(k-1))          y(k) = W s(k) + d          fed(k) of y(k), or of the teacher

    Without attention, and where every step has its teacher or needs none, all steps run at once, through the cells' compiled kernels. With attention
    what does not depend on the decoder is computed once. All tensors are on one device; teachers are drawn on the CPU, alike everywhere.

    References
    ----------
    I. Sutskever, O. Vinyals, Q. V. Le, "Sequence to sequence learning with neural networks", NIPS 2014; differs from the paper where the encoder
    is of other layers than the decoder.
    K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation", EMNLP 2014.
    D. Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by jointly learning to align and translate", ICLR 2015; differs from the paper in
    that the first state sees both directions, and in the last layer, which is Luong's.
    M.-T. Luong, H. Pham, C. D. Manning, "Effective approaches to attention-based neural machine translation", EMNLP 2015; differs from the paper in
    a stack of several layers, of which the topmost alone sees the last output.
    """

    head: Any
    n_updates = 0  # batches that were trained on with a teacher

    def __init__(
        self,
        encoder: Encoder | Vector | Regions,
        cell: Cell,
        hidden_size: int,
        bias: Tensor,
        *,
        n_layers: int = 1,
        dropout: float = 0.0,
        n_known: int = 0,
        feedback: Feedback | None = None,
        context: str = "init",
        attention: str | None = None,
        input_feeding: bool = True,
        coverage: bool = False,
        copy: bool = False,
        teacher_forcing: float | str | TeacherForcing = 1.0,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if context not in CONTEXTS:
            raise ValueError(f"The 'context' parameter must be one of {list(CONTEXTS)}; got {context!r}")
        if attention is not None and not encoder.has_steps:
            raise ValueError(f"attention needs a source with steps, not a vector; got {attention!r}")
        if copy and attention is None:
            raise ValueError("copy=True needs attention, which points at what is copied: 'bahdanau', 'dot' or 'general'; got attention=None")
        self.encoder, self.feedback, self.context, self.attention, self.copy = encoder, feedback, context, attention, copy
        self.teaching = resolve_teaching(teacher_forcing)
        fed = 0 if feedback is None else feedback.width
        width = n_known + fed + (0 if context == "init" else encoder.output_size)
        top = None if attention is None else Attending(cell, attention, encoder.output_size, input_feeding, coverage, copy)
        self.decoder = Recurrent(cell, max(width, 1), hidden_size, n_layers=n_layers, dropout=dropout, top=top, generator=generator)
        self._silent = width == 0
        self.head = PointerGenerator(hidden_size, bias) if copy else Linear(hidden_size, bias)
        self.hands_on = self._same_layers(cell)
        starts = [] if context == "every" or self.hands_on else self._starts(bias[:0], 1)
        self.bridges = Layers(Bridge(encoder.output_size, start, generator) for start in starts)
        self.draw_from(generator)

    def _same_layers(self, cell: Cell) -> bool:
        """Whether the encoder's last states fit into the decoder as they are."""
        below = self.encoder.recurrent
        if isinstance(self.encoder, Vector) and self.encoder.holds_units:
            return True
        if below is None or below.n_directions == 2 or len(below.layers) != len(self.decoder.layers):
            return False
        first = below.layers[0][0]
        return repr(first) == repr(cell) and first.hidden_size == self.decoder.output_size

    @property
    def frontend(self) -> Frontend | None:
        """What stands before the encoder's layers."""
        return self.encoder.frontend

    @property
    def recurrent(self) -> Layers:
        """All recurrent layers."""
        return Layers(part for part in (self.encoder.recurrent, self.decoder) if part is not None)

    def forward(self, pair: Pair, detach_every: int | None = None, grad_path: str = "full") -> Tensor:
        """Outputs (n_target_steps_total, n_outputs) in the order of ``steps``; the gradient's way back as in :func:`skrnn.engine.scan`.

        While training the teacher is asked as often as ``teacher_forcing`` says, else always; where there is none, outputs are fed back.
        """
        self._check_grad_path(grad_path)
        states, inputs = self.start(pair, grad_path)
        p = 1.0
        if self.training and pair.teacher is not None:
            p = self.teaching(self.n_updates)
            self.n_updates += 1
        if self.feedback is None:
            return self.head(self._run(inputs, pair.steps.batch_sizes, states, grad_path)[0])
        if pair.teacher is not None and p == 1:
            rows = torch.cat([inputs, self.feedback.vectors(fed_before(pair, pair.teacher))], -1)
            return self.head(self._run(rows, pair.steps.batch_sizes, states, grad_path)[0])
        return self._on_own_output(pair, states, inputs, p, grad_path)

    def _check_grad_path(self, grad_path: str) -> None:
        if grad_path == "none" and (self.context == "init" or self.attention is not None) and self.encoder.recurrent is not None:
            raise ValueError("grad_path='none' cuts the encoder off, which the decoder sees through its state: use context='every', attention=None")

    def start(self, pair: Pair, grad_path: str = "full") -> tuple[tuple[State, ...], Tensor]:
        """States of the decoder's layers before the first step, in the order of ``steps``, and inputs of all steps but what is fed back."""
        source, tokens = _tokens_apart(pair.source) if self.copy else (pair.source, None)
        encoded = self.encoder(source, grad_path)
        order = pair.steps.sorted_indices
        context = encoded.context if order is None else encoded.context[order]
        states = self._starts(pair.steps.data, int(pair.steps.batch_sizes[0]))
        if self.context != "every":
            if self.hands_on and encoded.states is None:
                states = with_units(states, context)
            elif self.hands_on:  # the units alone: counters, and what is carried along, are those of the decoder's start
                last = encoded.states if order is None else map_state(lambda s: s[order], encoded.states)
                states = map_units(lambda unit, _: unit, lambda unit, _: unit, last, states)
            else:
                states = tuple(bridge(context, state) for bridge, state in zip(self.bridges, states, strict=True))
        if self.attention is not None:
            cell = self.decoder.layers[-1][0]
            top = cell.initial_state(len(context), like=context)._replace(inner=states[-1])
            states = (*states[:-1], cell.look_at(encoded.outputs, order, top, tokens))
        inputs = pair.steps.data
        if self.context != "init":
            inputs = torch.cat([inputs, on_every_row(pair.steps, context)], -1)
        return states, inputs.new_zeros(len(inputs), 1) if self._silent else inputs

    def _starts(self, like: Tensor, batch_size: int) -> tuple[State, ...]:
        """States of the cells in all layers, within the one that attends."""
        cells = [layer[0] for layer in self.decoder.layers]
        inside = [cell.cell_ if isinstance(cell, Attending) else cell for cell in cells]
        return tuple(cell.initial_state(batch_size, like=like) for cell in inside)

    def _run(self, rows: Tensor, sizes: Tensor, states: tuple[State, ...], grad_path: str) -> tuple[Tensor, tuple[State, ...]]:
        (outputs,), (after,) = self.decoder.advance([PackedSequence(rows, sizes)], (states,), grad_path)
        return outputs.data, after

    def step(self, x: Tensor, states: tuple[State, ...], grad_path: str = "full") -> tuple[Tensor, tuple[State, ...]]:
        """One step of the decoder: inputs with what is fed back behind them, and states, to outputs (batch, n_outputs) and states."""
        if self.feedback is not None:
            own, fed = x.split([x.shape[-1] - self.feedback.size, self.feedback.size], -1)
            x = torch.cat([own, self.feedback.vectors(fed)], -1)
        y, states = self._run(x, torch.tensor([len(x)]), states, grad_path)
        return self.head(y), states

    def log_probabilities(self, outputs: Tensor) -> Tensor:
        """Of the tokens, from outputs of which some may have been ruled out by −∞."""
        return log_shares(outputs) if self.copy else torch.log_softmax(outputs, -1)

    def write(
        self,
        pair: Pair,
        states: tuple[State, ...],
        inputs: Tensor,
        *,
        p: float = 0.0,
        emit: Callable[[Tensor], Tensor] | None = None,
        grad_path: str = "full",
        watch: Callable[[tuple[State, ...]], None] = lambda states: None,
    ) -> tuple[list[Tensor], tuple[State, ...]]:
        """Outputs of each step, one after the other, and the states after the last, from what :meth:`start` gave.

        ``p`` is how often the teacher is asked, ``emit`` stands for that of the feedback (to sample, say), ``watch`` sees all states.
        """
        sizes = pair.steps.batch_sizes.tolist()
        feedback = self.feedback

        def advance(x: Tensor, states: tuple[State, ...]) -> tuple[Tensor, tuple[State, ...]]:
            y, states = self.step(x, states, grad_path)
            watch(states)
            return y, states

        return rollout(
            advance,
            states,
            len(sizes),
            first=_first(pair, feedback),
            inputs=inputs.split(sizes),
            emit=emit or ((lambda y: y[:, :0]) if feedback is None else feedback.emit),
            teacher=None if pair.teacher is None else pair.teacher.split(sizes),
            p_teacher=p,
            generator=self.generator,
        )

    def free(self, pair: Pair) -> Tensor:
        """Outputs (n_target_steps_total, n_outputs) on own feedback, whatever the teacher knows; at once where nothing is fed back."""
        return self(pair) if self.feedback is None else self._on_own_output(pair, *self.start(pair))

    def _on_own_output(self, pair: Pair, states: tuple[State, ...], inputs: Tensor, p: float = 0.0, grad_path: str = "full") -> Tensor:
        if grad_path != "full" or not inputs.is_cpu:
            return torch.cat(self.write(pair, states, inputs, p=p, grad_path=grad_path)[0])
        taught = pair.teacher is not None and p > 0
        if pair.teacher is not None and taught:
            asked = torch.empty(len(inputs), 1).bernoulli_(p, generator=self.generator)
            inputs = torch.cat([inputs, pair.teacher, asked.to(inputs)], -1)
        layers, steps = [layer[0] for layer in self.decoder.layers], pair.steps._replace(data=inputs)
        return run_on_own_output(self, layers, steps, _first(pair, self.feedback), states, dropout=self.decoder.dropout, taught=taught)

    def pick(self, states: tuple[State, ...], rows: Tensor) -> tuple[State, ...]:
        """States of other rows, each of the same source as the row before: what is looked at stays."""
        moved = map_state(lambda s: s[rows], tuple(_inside(states)))
        if self.attention is None:
            return moved
        top = top_attention(states)
        return (*moved[:-1], AttendingState(moved[-1], top.memory, top.weights[rows], top.coverage[rows], top.fed[rows]))

    def coverage(self, states: tuple[State, ...]) -> Tensor:
        """Σ_j log min(Σ_t a_j(t), 1) over the steps of each source (batch,)."""
        top = top_attention(states)
        seen = top.coverage.clamp(torch.finfo(top.coverage.dtype).tiny, 1).log()
        return torch.where(top.memory.absent == 0, seen, 0.0).sum(-1)

    def attention_weights(self, pair: Pair) -> list[Tensor]:
        """For each step: weights of the source's steps (batch, n_source_steps), in the order of ``steps``."""
        seen: list[Tensor] = []
        self.write(pair, *self.start(pair), p=float(pair.teacher is not None), watch=lambda states: seen.append(top_attention(states).weights))
        return seen


def _tokens_apart(source: PackedSequence) -> tuple[PackedSequence, PackedSequence]:
    """What the encoder sees of a source, and its last channel: which token each step is."""
    return source._replace(data=source.data[:, :-1].contiguous()), source._replace(data=source.data[:, -1])


def fed_before(pair: Pair, teacher: Tensor) -> Tensor:
    """What the teacher feeds back into each step: of the step before, and in the first step what stands for it."""
    sizes = pair.steps.batch_sizes
    first = _in_order(pair)
    back = torch.cat([sizes[:1], sizes[:-1]]).repeat_interleave(sizes)
    index = torch.arange(len(back)) + int(sizes[0]) - back
    return torch.cat([first, teacher])[index.to(first.device)]


def _in_order(pair: Pair) -> Tensor:
    """What stands for the output before the first step, in the order of ``steps``."""
    order = pair.steps.sorted_indices
    return pair.first if order is None else pair.first[order]


def _first(pair: Pair, feedback: Feedback | None) -> Tensor:
    """What of it is fed back."""
    return _in_order(pair)[:, : 0 if feedback is None else feedback.size]


def _inside(states: tuple[State, ...]) -> list[State]:
    """States of the cells, without what is looked at."""
    return [state.inner if isinstance(state, AttendingState) else state for state in states]
