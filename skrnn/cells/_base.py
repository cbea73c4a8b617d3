"""What a recurrent cell is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch import Generator, Tensor, nn

from ._diagram import visual_block
from ._kernel import WholeSequence
from ._state import State


class Module(nn.Module):
    """A torch module whose pickle holds numpy arrays: what was fitted on a GPU loads on a machine without one.

    ``generator`` is the source of random numbers while training; it is not pickled.
    """

    generator: Generator | None = None
    undecayed: ClassVar[tuple[str, ...]] = ()  # parameters that weight decay leaves alone, beside biases (b…) and gains (g…)

    def draw_from(self, generator: Generator | None) -> Self:
        """Let this module and all modules inside draw from ``generator``."""
        for module in self.modules():
            if isinstance(module, Module):
                module.generator = generator
        return self

    def __getstate__(self) -> dict[str, Any]:
        arrays = {kind: {k: _to_numpy(v) for k, v in self.__dict__[kind].items()} for kind in ("_parameters", "_buffers")}
        return {k: v for k, v in self.__dict__.items() if k != "generator"} | arrays

    def __setstate__(self, state: dict[str, Any]) -> None:
        parameters = {k: _to_parameter(v) for k, v in state["_parameters"].items()}
        buffers = {k: _to_tensor(v) for k, v in state["_buffers"].items()}
        super().__setstate__(state | {"_parameters": parameters, "_buffers": buffers})


class Layers(Module, nn.ModuleList):
    """A list of modules whose pickle holds numpy arrays."""


class Weights(Module, nn.ParameterList):
    """A list of weights whose pickle holds numpy arrays."""


def _to_numpy(tensor: Tensor | None) -> Any:
    return None if tensor is None else tensor.detach().cpu().numpy()


def _to_tensor(array: Any) -> Any:
    return None if array is None else torch.from_numpy(np.array(array))


def _to_parameter(array: Any) -> Any:
    return None if array is None else nn.Parameter(_to_tensor(array))


class Parametrised(Module):
    """A module that scikit-learn treats like an estimator: its constructor stores hyper-parameters, each with a default, and nothing else."""

    get_params = BaseEstimator.get_params
    set_params = BaseEstimator.set_params
    _get_param_names: Any = classmethod(BaseEstimator._get_param_names.__func__)
    _repr_html_: Any = BaseEstimator._repr_html_
    _repr_html_inner = BaseEstimator._repr_html_inner
    _repr_mimebundle_ = BaseEstimator._repr_mimebundle_
    _html_repr = BaseEstimator._html_repr
    _get_params_html = BaseEstimator._get_params_html
    _sk_visual_block_ = visual_block

    def __repr__(self) -> str:
        plain = type(self)().get_params(deep=False)
        given = {k: v for k, v in self.get_params(deep=False).items() if repr(v) != repr(plain[k])}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in given.items())})"


class Cell(Parametrised, ABC):
    """One step of a recurrence: hyper-parameters now, weights at :meth:`build`.

    A cell never sees lengths, directions, truncation or devices: :func:`skrnn.engine.scan` runs it over a batch of ragged sequences. Its
    constructor stores hyper-parameters and nothing else, so that :func:`sklearn.base.clone` and ``GridSearchCV`` treat it like an estimator.

    Attributes
    ----------
    input_size : int
        Channels of the input; set by ``build``.
    hidden_size : int
        Size of the output; set by ``build``.
    """

    input_size: int
    hidden_size: int
    couples_sequences = False  # whether sequences of a batch influence each other while training
    state_varies = False  # whether the shape of the state differs from batch to batch, so that there would be a program for each
    keeps_steps = False  # whether the cell keeps what passes through it, so that its steps may not be compiled

    def build(self, input_size: int, hidden_size: int, generator: Generator | None = None) -> Self:
        """Make the weights.

        Parameters
        ----------
        input_size, hidden_size : int
            Channels of the input, and size of the state and output.
        generator : torch.Generator or None
            Where the weights are drawn from; ``None`` is torch's global generator.

        Returns
        -------
        self
        """
        self.input_size, self.hidden_size, self.generator = input_size, hidden_size, generator
        self._build(generator)
        return self

    @abstractmethod
    def _build(self, generator: Generator | None) -> None:
        """Check the hyper-parameters and make the weights."""

    def project(self, x: Tensor) -> Tensor:
        """The part of a step that needs no state; called once for all steps.

        Parameters
        ----------
        x : Tensor of shape (n_steps_total, input_size)

        Returns
        -------
        Tensor of shape (n_steps_total, k)
            What :meth:`step` gets as ``u``, a row a step.
        """
        return x

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        """The state before the first step: zeros, with the dtype and device of ``like``."""
        return like.new_zeros(batch_size, self.hidden_size)

    @abstractmethod
    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: projected input (batch, k) and state to output (batch, hidden_size) and next state."""

    def gate_values(self, u: Tensor, state: State) -> dict[str, Tensor]:
        """The gates of a step, between 0 (shut) and 1 (open), by their letters in the equations; of a wrapper, ask the cell inside."""
        return {}

    def kernel(self) -> WholeSequence | None:
        """All steps at once, where a whole-sequence kernel exists for the cell in its present settings, built or not; asking compiles nothing.

        Returns
        -------
        callable or None
            Called with a packed batch, the state before the first step and whether to run from the last one; gives packed outputs and final
            state, equal to those of the steps, or ``None`` for a batch that it cannot run (a device, a precision, a gradient).
        """
        return None


def choice(cell: Parametrised, name: str, allowed: tuple[Any, ...]) -> None:
    """Refuse a hyper-parameter of ``cell`` that is not one of ``allowed``."""
    value = cell.get_params(deep=False)[name]
    if value not in allowed:
        raise ValueError(f"The {name!r} parameter of {type(cell).__name__} must be one of {list(allowed)}; got {value!r}")


def count(cell: Parametrised, name: str, at_least: int = 1, *, optional: bool = False) -> None:
    """Refuse a hyper-parameter of ``cell`` that is no whole number of ``at_least`` so much, nor ``None`` where that is ``optional``."""
    value = cell.get_params(deep=False)[name]
    if not (optional and value is None) and (not isinstance(value, Integral) or isinstance(value, bool) or value < at_least):
        wanted = f"a whole number of at least {at_least}" + ", or None" * optional
        raise ValueError(f"The {name!r} parameter of {type(cell).__name__} must be {wanted}; got {value!r}")
