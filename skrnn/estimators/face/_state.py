"""What a fit leaves, declared: pickles, copies for callbacks, docstrings and model files read this one list.

A group of state is a class with annotations, which type checkers see, and ``_leaves``, which say what they mean. Estimators inherit the groups
that they have; readers and targets learn them.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data import Encoding, StaticColumns

Array = NDArray[np.float64]


class Fitted(NamedTuple):
    """Something that ``fit`` leaves.

    Attributes
    ----------
    names : str
        One, or several that are described together, as ``"mean_, scale_"``.
    kind : str
        What it is, as a docstring says it: "int", "ndarray", "list of float", …
    shape : tuple of str
        The axes of an array by their names; one that may be missing in brackets.
    meaning : str
    kept : bool
        Whether a pickle holds it.
    derived : bool
        Whether it is a property, made of something else that is declared.
    """

    names: str
    kind: str
    shape: tuple[str, ...] = ()
    meaning: str = ""
    kept: bool = True
    derived: bool = False

    @property
    def attributes(self) -> list[str]:
        """The names one by one."""
        return self.names.split(", ")

    def described(self) -> str:
        """The entry of a docstring."""
        axes = ", ".join(self.shape) + "," * (len(self.shape) == 1)
        axes = axes.replace("], ", ",] ").replace(", [", "[, ")
        shape = f" of shape ({axes})" if self.shape else ""
        return f"{self.names} : {self.kind}{shape}\n    {self.meaning}"


def attributes_of(cls: type) -> list[str]:
    """The names of all that a class and the groups that it inherits declare."""
    return [name for part in cls.__mro__ for entry in vars(part).get("_leaves", ()) for name in entry.attributes]


def fitted_names(estimator: Any) -> list[str]:
    """The names of all that ``fit`` has left in an estimator."""
    present = vars(estimator)
    return [name for entry in estimator._fitted for name in entry.attributes if name in present]


def pickled(estimator: Any, state: dict[str, Any]) -> dict[str, Any]:
    """Of the state of an estimator what a pickle holds."""
    gone = {name for entry in estimator._fitted if not entry.kept for name in entry.attributes}
    return {name: value for name, value in state.items() if name not in gone}


def copy_to_learn_on(estimator: Any) -> Any:
    """A copy that learns on as the estimator would; ``copy.deepcopy`` leaves out the optimizer, as a pickle does."""
    made = copy.deepcopy(estimator)
    optimizer = vars(estimator).get("_optimizer")
    if optimizer is not None:
        ours, theirs = estimator.network_.parameters(), made.network_.parameters()
        made._optimizer = copy.deepcopy(optimizer, {id(mine): other for mine, other in zip(ours, theirs, strict=True)})
    return made


# -- groups --------------------------------------------------------------------------------------------------------------------------------------


class ReadState:
    """What later data are compared with, and how they are read."""

    n_features_in_: int
    feature_names_in_: NDArray[Any]
    _n_channels: int
    _n_columns: int | None
    _columns: NDArray[np.intp] | None
    _rows_are_steps: bool
    _fitted_with: dict[str, Any]

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("n_features_in_", "int", (), "Channels of the sequences, or columns if X was 2-D."),
        Fitted("feature_names_in_", "ndarray", ("n_features",), "Names of the columns of a frame, or of the channels of frames."),
        Fitted("_n_channels", "int"),
        Fitted("_n_columns", "int or None"),
        Fitted("_columns", "ndarray or None", ("n_steps", "n_channels")),
        Fitted("_rows_are_steps", "bool"),
        Fitted("_fitted_with", "dict"),
    )


class EncodingState:
    """What numbers were made of, where X holds more."""

    encoding_: Encoding

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted(
            "encoding_",
            "Encoding",
            (),
            "What was learned of X for a frontend: ``encoding_.categories_`` for ``Embedding``, ``encoding_.shape_`` for ``PerFrame``.",
        ),
    )


class StaticState:
    """What was known of each sequence or series as a whole."""

    _static_columns: StaticColumns

    _leaves: ClassVar[tuple[Fitted, ...]] = (Fitted("_static_columns", "StaticColumns"),)


class ScaleState:
    """The units of the channels."""

    mean_: Array
    scale_: Array

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("mean_, scale_", "ndarray", ("n_channels",), "What is subtracted from and divided by each channel."),
    )


class ClassState:
    """The classes."""

    classes_: NDArray[Any]
    multilabel_: bool

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("classes_", "ndarray", ("n_classes",), "Class labels; for multi-label targets the label numbers 0, 1, …"),
        Fitted("multilabel_", "bool", (), "Whether the targets are label sets (a 0/1 column for each label)."),
    )


class NumberState:
    """The units of the targets."""

    target_mean_: Array
    target_scale_: Array
    _single_output: bool

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("target_mean_, target_scale_", "ndarray", ("n_outputs",), "Mean and standard deviation of the targets."),
        Fitted("_single_output", "bool"),
    )


class TrainedState:
    """A network, and how it was trained."""

    network_: Any
    n_iter_: int
    best_epoch_: int
    fit_time_: float
    loss_curve_: list[float]
    validation_scores_: list[float]
    _network_settings: dict[str, Any]
    _optimizer: Any
    _stream: Any

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("network_", "torch.nn.Module", (), "The trained network, in the units of its inputs and outputs."),
        Fitted("loss_curve_", "list of float", (), "Mean training loss of each epoch, in the units in which the network learns."),
        Fitted("validation_scores_", "list of float", (), "Negative mean held-out loss after each epoch; empty without early stopping."),
        Fitted("n_iter_", "int", (), "Epochs run."),
        Fitted("best_epoch_", "int", (), "Epoch whose weights were kept: the last one, or the best of those that were held out for; 0 is the start."),
        Fitted("fit_time_", "float", (), "Seconds of training."),
        Fitted("n_parameters_", "int", (), "Weights of the network.", derived=True),
        Fitted("_network_settings", "dict"),
        Fitted("_optimizer", "Optimizer or None", kept=False),
        Fitted("_stream", "Stream or None", kept=False),
    )
