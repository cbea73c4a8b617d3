"""One output vector for each time step: recurrent layers and a linear head."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import State
from ..cells._rows import product
from ..frontends import Frontend
from ._feedback import Feedback
from ._network import PIECE, Linear, Network
from ._recurrent import Recurrent
from ._self_feeding import run_on_own_output


class StepNetwork(Network):
    """Recurrent layers, and a linear head at every time step.

    Parameters
    ----------
    recurrent : Recurrent
    bias : Tensor of shape (n_outputs,)
        Start of the head's bias.
    frontend : Frontend or None, default=None
        Built, for the input; the recurrent layers take what comes out of it.
    feedback : Feedback or None, default=None
        What of an output the next step sees where the network runs on its own output.
    shortens : bool, default=False
        Whether the frontend may make fewer steps, so that there is an output for each of what comes out of it.
    """

    def __init__(
        self, recurrent: Recurrent, bias: Tensor, frontend: Frontend | None = None, feedback: Feedback | None = None, *, shortens: bool = False
    ) -> None:
        super().__init__()
        if frontend is not None and frontend.changes_lengths and not shortens:
            raise ValueError(f"An answer at every step needs a frontend that keeps the steps; {frontend!r} makes fewer of them")
        self.recurrent, self.frontend, self.feedback = recurrent, frontend, feedback
        self.head = Linear(recurrent.output_size, bias)
        self.draw_from(recurrent.generator)

    def read(self, outputs: list[PackedSequence], packed: PackedSequence) -> Tensor:
        """Outputs (n_steps_total, n_outputs) in the order of the packed rows."""
        return self.finish((), (self.collect(outputs, ())[1],), packed)

    def outputs(self, packed: PackedSequence, states: State | None = None) -> tuple[Tensor, State]:
        """Outputs of all steps, and the states after them, without gradient and with memory beside them that does not grow with the length."""
        packed = self.see(packed, goes_on=states is not None)
        if not self.streams:
            return self.read(self.recurrent(packed), packed), ()
        states = self.recurrent.start(packed) if states is None else states
        if len(packed.batch_sizes) <= PIECE:
            outputs, states = self.recurrent.advance([packed] * self.recurrent.n_directions, states)
            return self.read(outputs, packed), states
        rows = []
        for piece in zip(*self.pieces(packed, PIECE), strict=True):
            (states, _), out = self.advance(list(piece), (states, ()))
            rows.append(out)
        return self.finish((), tuple(rows), packed), states

    def free(self, inputs: PackedSequence, first: Tensor, states: State, *, taught: bool = False) -> Tensor:
        """Outputs (n_steps_total, n_outputs) on own feedback, from the states of :meth:`outputs`; ``first`` stands for the output before them.

        ``inputs`` is what comes from outside, which stands before what is fed back and goes through no frontend; where ``taught``, what should have
        been fed back after each step stands behind it, and 1 where it is, else 0. In one direction.
        """
        return run_on_own_output(self, [layer[0] for layer in self.recurrent.layers], inputs, first, states[0], taught=taught)

    def answer(self, packed: PackedSequence) -> Tensor:
        """Outputs (n_steps_total, n_outputs) in the order of the packed rows, without gradient, as :meth:`outputs`."""
        return self.outputs(packed)[0]

    def empty(self, packed: PackedSequence) -> State:
        """Nothing is collected."""
        return ()

    def collect(self, outputs: list[PackedSequence], collected: State) -> tuple[State, State]:
        """Each direction's share of the outputs of the rows of one piece."""
        shares = self.head.W.chunk(self.recurrent.n_directions, -1)
        return (), tuple(product(o.data, W) for o, W in zip(outputs, shares, strict=True))

    def finish(self, collected: State, rows: tuple[State, ...], packed: PackedSequence) -> Tensor:
        """Outputs (n_steps_total, n_outputs) in the order of the packed rows."""
        forward, *backward = zip(*rows, strict=True)
        total = torch.cat(forward) + self.head.b
        return total + torch.cat(backward[0][::-1]) if backward else total
