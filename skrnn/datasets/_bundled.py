"""Real data that come with the package; ``files/LICENSES.md`` says whose they are."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from ..data import Sequences
from ..data._sequences import offsets_of

_SUBSETS = ("all", "train", "test")
_SPEAKERS = 9


def load_japanese_vowels(*, subset: str = "all", return_X_y: bool = False) -> Any:
    """Nine men say /ae/, and who was it? Short ragged sequences of twelve channels (Kudo, Toyama & Shimbo, 1999).

    640 utterances of 7 to 29 steps, of which the literature learns from the first 270, 30 of each man, and tests on the other 370, which were
    recorded at other times. Licence: Creative Commons Attribution 4.0 (CC BY 4.0), from the UCI Machine Learning Repository.

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        Utterances to give: all, those for training first, or one part.
    return_X_y : bool, default=False
        Give the pair (data, target) alone.

    Returns
    -------
    bunch : Bunch, or (X, y)
        With the attributes ``data`` (`Sequences` of shape (n_sequences,); each is (n_steps, 12): cepstral coefficients of linear prediction, a step
        every 6.4 ms), ``target`` (ndarray of shape (n_sequences,): the speaker, 0 to 8), ``feature_names``, ``target_names`` and ``DESCR``.

    Raises
    ------
    ValueError
        For another name of a subset.

    References
    ----------
    M. Kudo, J. Toyama, M. Shimbo, "Multidimensional curve classification using passing-through regions", Pattern Recognition Letters
    20(11–13), 1999. doi:10.24432/C5NS47

    Examples
    --------
    >>> from skrnn.datasets import load_japanese_vowels
    >>> X, y = load_japanese_vowels(subset="train", return_X_y=True)
    >>> X.shape, X[0].shape, y[:3].tolist()
    ((270,), (20, 12), [0, 0, 0])
    """
    if subset not in _SUBSETS:
        raise ValueError(f"subset should be one of {', '.join(_SUBSETS)}; got {subset!r}")
    stored = _stored("japanese_vowels")
    offsets = offsets_of(stored["lengths"])
    n_train = int(stored["n_train"])
    part = {"all": slice(None), "train": slice(n_train), "test": slice(n_train, None)}[subset]
    data, target = Sequences(stored["millionths"] / 1e6, offsets)[part], stored["speaker"].astype(np.int64)[part] - 1
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        feature_names=[f"lpc{i}" for i in range(1, 13)],
        target_names=np.array([f"speaker {i}" for i in range(1, _SPEAKERS + 1)]),
        DESCR=_description(load_japanese_vowels),
    )


def load_mauna_loa_co2(*, return_X_y: bool = False) -> Any:
    """Carbon dioxide in the air over Mauna Loa, week by week from 1958 to 2001: a trend, a season, and gaps (Keeling & Whorf, 2004).

    2284 weeks, of which 59 were not measured and are NaN; a forecaster reads them with ``missing="mask"``. Licence: public domain (U.S. Department
    of Energy).

    Parameters
    ----------
    return_X_y : bool, default=False
        Give the pair (data, target) alone.

    Returns
    -------
    bunch : Bunch, or (X, y)
        With the attributes ``data`` (ndarray of shape (2284, 1): the number of the week, a ``time_column`` for a forecaster), ``target`` (ndarray of
        shape (2284,): parts per million), ``dates`` (ndarray of datetime64: the Saturdays that weeks begin with), ``feature_names`` and ``DESCR``.

    References
    ----------
    C. D. Keeling, T. P. Whorf, "Atmospheric CO2 concentrations derived from flask air samples at sites in the SIO network", in Trends: A
    Compendium of Data on Global Change, Oak Ridge National Laboratory, 2004.

    Examples
    --------
    >>> from skrnn.datasets import load_mauna_loa_co2
    >>> co2 = load_mauna_loa_co2()
    >>> co2.dates[0], co2.target[:2]
    (np.datetime64('1958-03-29'), array([316.1, 317.3]))
    """
    stored = _stored("mauna_loa_co2")
    tenths = stored["tenths"]
    weeks = np.arange(len(tenths))
    data, target = weeks[:, None].astype(np.float64), np.where(tenths < 0, np.nan, tenths / 10)
    if return_X_y:
        return data, target
    dates = np.datetime64(str(stored["first"])) + 7 * weeks.astype("timedelta64[D]")
    return Bunch(data=data, target=target, dates=dates, feature_names=["week"], DESCR=_description(load_mauna_loa_co2))


def load_sunspots(*, return_X_y: bool = False) -> Any:
    """Sunspots of each year from 1700 to 2008: cycles of about eleven years, no two alike.

    309 years. Licence: public domain (U.S. National Oceanic and Atmospheric Administration).

    Parameters
    ----------
    return_X_y : bool, default=False
        Give the pair (data, target) alone.

    Returns
    -------
    bunch : Bunch, or (X, y)
        With the attributes ``data`` (ndarray of shape (309, 1): the year, a ``time_column`` for a forecaster), ``target`` (ndarray of shape (309,):
        the mean number of sunspots), ``feature_names`` and ``DESCR``.

    Examples
    --------
    >>> from skrnn.datasets import load_sunspots
    >>> X, y = load_sunspots(return_X_y=True)
    >>> X[0], y[:4]
    (array([1700.]), array([ 5., 11., 16., 23.]))
    """
    stored = _stored("sunspots")
    tenths = stored["tenths"]
    data, target = int(stored["first"]) + np.arange(len(tenths), dtype=np.float64)[:, None], tenths / 10
    return (data, target) if return_X_y else Bunch(data=data, target=target, feature_names=["year"], DESCR=_description(load_sunspots))


def _stored(name: str) -> dict[str, NDArray[Any]]:
    with files(__package__).joinpath("files", f"{name}.npz").open("rb") as file, np.load(file) as arrays:
        return dict(arrays)


def _description(loader: Any) -> str:
    """What a loader's own help says about the data, without its parameters."""
    return str(loader.__doc__).split("\n    Parameters\n")[0].replace("\n    ", "\n").strip()
