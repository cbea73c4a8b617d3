"""Forecasters side by side: what each is called, and its parameters; and what the columns of their forecasts are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from ..estimators import RNNForecaster
from ..estimators.face import copy_to_learn_on
from ..estimators.forecasting import SeriesForecaster, levels_between

_NUMBER = r"[\d.]+(?:e[-+]?\d+)?"  # as "%g" writes it


def are_several(estimator: Any) -> bool:
    """Whether these are forecasters side by side, not one."""
    return isinstance(estimator, Mapping | list | tuple)


def names_of_models(estimator: Any) -> dict[str, Any]:
    """Forecasters by name: the keys of a dict, else the names of their classes, numbered where one is there again."""
    if isinstance(estimator, Mapping):
        return dict(estimator)
    named: dict[str, Any] = {}
    for model in estimator if are_several(estimator) else [estimator]:
        name = kind = type(model).__name__
        count = 1
        while name in named:
            count += 1
            name = f"{kind}{count}"
        named[name] = model
    return named


def models_to_fit(estimator: Any, taken: Sequence[str]) -> dict[str, Any]:
    """Clones of forecasters by name, which must be none that is ``taken`` by another column."""
    named = names_of_models(RNNForecaster() if estimator is None else estimator)
    if not named:
        raise ValueError(f"estimator must hold a forecaster; got {estimator!r}")
    for name, model in named.items():
        if not isinstance(model, SeriesForecaster):
            which = f"; {name!r} is a {type(model).__name__}" if are_several(estimator) else f"; got {type(model).__name__}"
            raise TypeError(f"estimator must be an RNNForecaster or an EchoStateForecaster, or a list or dict of them{which}")
        if not isinstance(name, str) or not name or "__" in name or name in taken or beside_a_forecast(name):
            which = f"strings without '__', none of {list(taken)}, and not like those of intervals and quantiles"
            raise ValueError(f"the names of forecasters in estimator must be {which}; got {name!r}")
    return {name: clone(model) for name, model in named.items()}


@contextmanager
def naming_series(ids: Sequence[Any]) -> Iterator[None]:
    """Let errors about series that know their numbers only call them by name."""

    def named(match: re.Match[str]) -> str:
        k, table = int(match[1] or match[3]), match[2]
        return match[0] if k >= len(ids) else f"{table} of series {ids[k]!r}" if table else f"series {ids[k]!r}"

    try:
        yield
    except ValueError as error:
        error.args = (re.sub(r"\bseries (\d+)\b|\b([yX])\[(\d+)\]", named, str(error)),)
        raise


def updated(models: Mapping[str, SeriesForecaster], X: Any, y: Any, *, learn: bool) -> dict[str, SeriesForecaster]:
    """Forecasters that have moved on; where one refuses to, none has."""
    moved = {name: copy_to_learn_on(model) if len(models) > 1 else model for name, model in models.items()}
    return {name: model.update(X, y, learn=learn) for name, model in moved.items()}


def parameters_of(estimator: Any) -> dict[str, Any]:
    """Forecasters by name, and the parameters of each as name__parameter."""
    found: dict[str, Any] = {}
    for name, model in names_of_models(estimator).items():
        found[name] = model
        found |= {f"{name}__{key}": value for key, value in model.get_params().items()}
    return found


def with_parameters(estimator: Any, given: Mapping[str, Any]) -> Any:
    """Forecasters with other ones in the place of some, and with parameters as name__parameter."""
    named = names_of_models(estimator)
    places = list(named)
    nested: dict[str, dict[str, Any]] = {}
    for key, value in given.items():
        name, inner, parameter = key.partition("__")
        if name not in named:
            raise ValueError(f"Invalid parameter 'estimator__{key}': the forecasters are {places}")
        if inner:
            nested.setdefault(name, {})[parameter] = value
        else:
            named[name] = value
    for name, settings in nested.items():
        named[name].set_params(**settings)
    return named if isinstance(estimator, Mapping) else type(estimator)(named.values())


def beside_a_forecast(column: str) -> tuple[str, str, float] | None:
    """The model, the end and the percentage of an interval's column, or the model, "q" and the level of a quantile's; ``None``: neither."""
    match = re.fullmatch(rf"(.+)-(lo|hi)-({_NUMBER})|(.+)-(q)({_NUMBER})", column)
    if match is None:
        return None
    name, kind, number = (part for part in match.groups() if part is not None)
    return name, kind, float(number)


class Spread(NamedTuple):
    """What is asked about how far forecasts may be off."""

    level: list[float]  # coverage of intervals in percent
    quantiles: list[float]

    @classmethod
    def read(cls, level: Any, quantiles: Any) -> Spread:
        """From what a user passes, one number or several."""
        shares = np.atleast_1d(np.asarray(level, dtype=float))
        if shares.ndim != 1 or not ((shares > 0) & (shares < 100)).all():
            raise ValueError(f"level must lie between 0 and 100, in percent, as a number or a list of them; got {level!r}")
        found = cls(shares.tolist(), levels_between(quantiles, "quantiles") if np.size(quantiles) else [])
        if len(found.columns("")) < 2 * len(set(found.level)) + len(set(found.quantiles)):
            raise ValueError(f"level and quantiles must differ by more, for they name columns; got {level!r} and {quantiles!r}")
        return found

    def columns(self, name: str) -> dict[str, float]:
        """The columns beside the forecast of a model, and the level of each quantile that they are."""
        found = {}
        for percent in self.level:
            for side, end in ((-1, "lo"), (1, "hi")):
                found[f"{name}-{end}-{percent:g}"] = (1 + side * (percent / 100)) / 2
        return found | {f"{name}-q{q:g}": q for q in self.quantiles}

    def asked(self) -> list[float]:
        """The levels of all quantiles, each once."""
        return sorted(set(self.columns("").values()))
