"""What ridge regression needs to know of features and targets, gathered in one pass over blocks of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.blas import dsyrk

from .. import kernels
from .._constraints import COUNT, check_parameters, satisfies
from ..data import offsets_of
from ..kernels import single_blas

_BLOCK = 1024  # rows that become float64 at once: enough for BLAS to run within 5 % of its speed on all rows
_WORTH_BLAS_THREADS = 2**30  # multiplications of one BLAS call (about 30 ms) below which its threads cost more than they save on busy cores

Array = NDArray[np.float64]


def few_threads(n_multiplications: float) -> AbstractContextManager[None]:
    """Keep BLAS on one thread for small work; the caller's setting for big work."""
    return single_blas() if n_multiplications < _WORTH_BLAS_THREADS else nullcontext()


class FoldMoments:
    """Weighted means of features Z and targets Y, and sums of products of their differences from the means.

    Of ``gram`` only the upper triangle is kept; :attr:`full_gram` is all of it.
    """

    def __init__(self, n_features: int, n_targets: int) -> None:
        self.n_rows, self.weight = 0, 0.0
        self.mean_z, self.mean_y = np.zeros(n_features), np.zeros(n_targets)
        self.gram = np.zeros((n_features, n_features))
        self.cross = np.zeros((n_features, n_targets))
        self.square = np.zeros(n_targets)

    @property
    def full_gram(self) -> Array:
        """Both triangles of Z'Z."""
        return np.triu(self.gram) + np.triu(self.gram, 1).T

    def add(self, Z: NDArray[Any], Y: NDArray[Any], weight: Array | None) -> None:
        """Take in a block of rows."""
        total = float(len(Z) if weight is None else weight.sum())
        self.n_rows += len(Z)
        if total == 0:
            return
        weight = np.ones(len(Z)) if weight is None else weight
        share, root = weight / total, np.sqrt(weight)
        pull = np.sqrt(self.weight * total / (self.weight + total))
        z, mean_z = _centred(Z, share, root, pull, self.mean_z)
        y, mean_y = _centred(Y, share, root, pull, self.mean_y)
        # In place: the upper triangle of C order is the lower one of Fortran order, and no operand is copied.
        dsyrk(1.0, z.T, beta=1.0, c=self.gram.T, lower=1, overwrite_c=1)
        self.cross += z.T @ y
        self.square += np.einsum("nk,nk->k", y, y)
        self._move(total, mean_z, mean_y)

    def merge(self, other: FoldMoments) -> Self:
        """Take in what other rows left."""
        self.n_rows += other.n_rows
        if other.weight == 0:
            return self
        pull = self.weight * other.weight / (self.weight + other.weight)
        dz, dy = other.mean_z - self.mean_z, other.mean_y - self.mean_y
        self.gram += other.gram
        self.gram += np.outer(pull * dz, dz)
        self.cross += other.cross + np.outer(pull * dz, dy)
        self.square += other.square + pull * dy**2
        self._move(other.weight, other.mean_z, other.mean_y)
        return self

    def about_zero(self) -> Self:
        """The same rows with products of the values themselves, in place: what a fit without intercept needs."""
        self.gram += self.weight * np.outer(self.mean_z, self.mean_z)
        self.cross += self.weight * np.outer(self.mean_z, self.mean_y)
        self.square += self.weight * self.mean_y**2
        self.mean_z, self.mean_y = np.zeros_like(self.mean_z), np.zeros_like(self.mean_y)
        return self

    def part(self, features: NDArray[np.intp], targets: NDArray[np.intp]) -> FoldMoments:
        """The same rows with some of their features and targets, in ascending order."""
        some = FoldMoments(0, 0)
        some.n_rows, some.weight = self.n_rows, self.weight
        some.mean_z, some.mean_y, some.square = self.mean_z[features], self.mean_y[targets], self.square[targets]
        some.gram, some.cross = self.gram[np.ix_(features, features)], self.cross[np.ix_(features, targets)]
        return some

    def _move(self, weight: float, mean_z: Array, mean_y: Array) -> None:
        self.weight += weight
        self.mean_z += (mean_z - self.mean_z) * (weight / self.weight)
        self.mean_y += (mean_y - self.mean_y) * (weight / self.weight)


def _centred(values: NDArray[Any], share: Array, root: Array, pull: float, before: Array) -> tuple[Array, Array]:
    """Rows less their mean, times the roots of the weights, and their mean.

    One more row says how far the mean is from that of earlier rows: with it the products of rows are those about the common mean.
    """
    rows, mean = np.empty((len(values) + 1, values.shape[1])), np.zeros(values.shape[1])
    floats = values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)
    kernels.centre_rows(np.ascontiguousarray(floats), share, root, mean, rows)
    if not np.isfinite(mean).all():
        raise ValueError("Z, Y and sample_weight must hold finite numbers; got NaN or infinity")
    rows[-1] = pull * (mean - before)
    return rows, mean


@dataclass(eq=False)
class NormalEquations:
    """Sums over rows from which ridge regression is solved for any penalty, and cross-validated, without a second pass over the rows.

    Choose it for a linear readout of more states than fit into memory: blocks of rows are added as they come, workers gather their own and
    are summed, and what is kept does not grow with the number of rows. One Gram matrix is kept for each fold, so that penalties can be compared on
    held-out folds afterwards. Features may be float32; all sums are float64 and about the mean, so large offsets do not cancel.

    Parameters
    ----------
    n_features : int
        Columns p of the features Z.
    n_targets : int
        Columns k of the targets Y.
    n_folds : int, default=1
        Parts of the rows that are kept apart; memory grows with it. Cross-validation needs at least 2.

    Attributes
    ----------
    folds : list of n_folds moments
        Weight, means and products of the rows of each fold.

    Raises
    ------
    ValueError
        If a size is not positive, if shapes do not fit, if a weight is negative or a number is not finite.

    Notes
    -----
    A block B with weights w joins the rows A before it by (Chan, Golub & LeVeque)::

        G(A ∪ B) = G(A) + Σ_B w (z − m(B)) (z − m(B))' + d d' w(A) w(B) / (w(A) + w(B)),   d = m(B) − m(A)

    and likewise Z'Y and Y². A row costs p (p + 2 k) / 2 multiplications; memory is n_folds p (p + k) numbers and a block of 1024 rows.

    References
    ----------
    T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance: analysis and recommendations", The American
    Statistician 37(3), 1983.
    M. Lukoševičius, A. Uselis, "Efficient implementations of echo state network cross-validation", Cognitive Computation, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.training import NormalEquations, solve
    >>> Z = np.random.default_rng(0).normal(size=(1000, 3))
    >>> blocks = [
    ...     NormalEquations(3, 1).add(z, z @ [[1.0], [2.0], [3.0]] + 4.0)
    ...     for z in np.split(Z, 10)
    ... ]
    >>> coef, intercept = solve(sum(blocks), alpha=1e-9)
    >>> coef.round(6).tolist(), intercept.round(6).tolist()
    ([[1.0, 2.0, 3.0]], [4.0])
    """

    _parameter_constraints = {"n_features": [COUNT], "n_targets": [COUNT], "n_folds": [COUNT]}
    n_features: int
    n_targets: int
    n_folds: int = 1
    folds: list[FoldMoments] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_parameters(self)
        self.folds = [FoldMoments(self.n_features, self.n_targets) for _ in range(self.n_folds)]

    @property
    def n_rows(self) -> int:
        """Rows added so far, those without weight too."""
        return sum(moments.n_rows for moments in self.folds)

    @property
    def weight(self) -> float:
        """Sum of the weights of all rows."""
        return sum(moments.weight for moments in self.folds)

    def add(self, Z: ArrayLike, Y: ArrayLike, sample_weight: ArrayLike | None = None, fold: ArrayLike = 0) -> Self:
        """Take in rows; where one of them is not finite, the blocks of rows before it stay added.

        Parameters
        ----------
        Z : array-like of shape (n_rows, n_features)
            Features.
        Y : array-like of shape (n_rows, n_targets)
            Targets.
        sample_weight : array-like of shape (n_rows,), default=None
            How often each row counts.
        fold : int or array-like of int of shape (n_rows,), default=0
            The fold of all rows, or of each row; see :func:`contiguous_folds`.

        Returns
        -------
        self : NormalEquations
        """
        z, y, weight = checked_rows(Z, Y, sample_weight, self.n_features, self.n_targets)
        ids = np.asarray(fold)
        if ids.dtype.kind not in "iu" or ids.shape not in ((), (len(z),)) or (ids.size and not 0 <= ids.min() <= ids.max() < self.n_folds):
            raise ValueError(f"fold must be an integer below n_folds={self.n_folds}, or one for each of the {len(z)} rows; got {fold!r}")
        with few_threads(min(len(z), _BLOCK) * self.n_features**2):
            for k, rows in _blocks(ids, len(z)):
                self.folds[k].add(z[rows], y[rows], None if weight is None else weight[rows])
        return self

    def without(self, fold: int | None) -> NormalEquations:
        """All rows but those of a fold, as one fold.

        Parameters
        ----------
        fold : int or None
            The fold to leave out; None leaves out none.

        Returns
        -------
        equations : NormalEquations
            A copy.
        """
        return self._joined([moments for k, moments in enumerate(self.folds) if k != fold])

    def part(self, features: NDArray[np.intp], targets: NDArray[np.intp]) -> NormalEquations:
        """The same rows with some of their features and targets.

        Parameters
        ----------
        features, targets : ndarray of int
            Which, in ascending order.

        Returns
        -------
        equations : NormalEquations
            A copy.
        """
        copy = NormalEquations(len(features), len(targets), self.n_folds)
        copy.folds = [moments.part(features, targets) for moments in self.folds]
        return copy

    def _joined(self, *groups: Iterable[FoldMoments]) -> NormalEquations:
        """Groups of folds as the folds of a copy."""
        copy = NormalEquations(self.n_features, self.n_targets, len(groups))
        for moments, group in zip(copy.folds, groups, strict=True):
            reduce(FoldMoments.merge, group, moments)
        return copy

    def __iadd__(self, other: NormalEquations) -> Self:
        if not isinstance(other, NormalEquations):
            return NotImplemented
        if repr(self) != repr(other):
            raise ValueError(f"only normal equations of the same sizes can be added; got {self} and {other}")
        for mine, others in zip(self.folds, other.folds, strict=True):
            mine.merge(others)
        return self

    def __add__(self, other: NormalEquations) -> NormalEquations:
        if not isinstance(other, NormalEquations):
            return NotImplemented
        copy = self._joined(*([moments] for moments in self.folds))
        copy += other
        return copy

    def __radd__(self, zero: int) -> NormalEquations:
        """What ``sum`` begins with."""
        return self._joined(*([moments] for moments in self.folds)) if zero == 0 else NotImplemented


@dataclass(eq=False)
class GrowingFolds:
    """Contiguous folds of a stream whose length is not known: equal pieces, which are joined in pairs whenever there are 2 n_folds of them.

    What the folds are depends on the number of rows alone, not on how they came.
    """

    n_features: int
    n_targets: int
    n_folds: int
    size: int = 1  # rows of a piece
    pieces: NormalEquations = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.pieces = NormalEquations(self.n_features, self.n_targets, 2 * self.n_folds)

    def add(self, Z: NDArray[Any], Y: NDArray[Any], sample_weight: Array | None = None) -> Self:
        """Take in the next rows."""
        done = self.pieces.n_rows
        while done + len(Z) > len(self.pieces.folds) * self.size:
            folds = self.pieces.folds
            joined = self.pieces._joined(*zip(folds[::2], folds[1::2], strict=True)).folds
            self.pieces.folds = joined + [FoldMoments(self.n_features, self.n_targets) for _ in joined]
            self.size *= 2
        self.pieces.add(Z, Y, sample_weight, np.arange(done, done + len(Z)) // self.size)
        return self

    @property
    def equations(self) -> NormalEquations:
        """The rows in n_folds folds, fewer if there are fewer rows; the longest has at most twice the pieces of the shortest."""
        n_pieces = -(-self.pieces.n_rows // self.size)
        fold = contiguous_folds(n_pieces, min(self.n_folds, n_pieces))
        groups = [[self.pieces.folds[i] for i in np.flatnonzero(fold == k)] for k in range(fold[-1] + 1)]
        return self.pieces._joined(*groups)


def contiguous_folds(lengths: ArrayLike, n_folds: int) -> NDArray[np.int64]:
    """The fold of each row, where folds are contiguous parts of about the same length.

    Neighbouring rows of a time series are alike: a random row that is held out is nearly known from its neighbours, a contiguous part is not.

    Parameters
    ----------
    lengths : int or array-like of int of shape (n_sequences,)
        Rows of each sequence; the rows of all sequences stand end to end. A number is one sequence.
    n_folds : int
        Parts. Where there are as many sequences, each sequence is in one part; where there are fewer, sequences are cut.

    Returns
    -------
    fold : ndarray of shape (n_rows,)
        Numbers from 0 to n_folds - 1, ascending.

    Raises
    ------
    ValueError
        If a length is not positive or there are fewer rows than folds.

    Examples
    --------
    >>> from skrnn.training import contiguous_folds
    >>> contiguous_folds(7, 3).tolist()
    [0, 0, 0, 1, 1, 2, 2]
    >>> contiguous_folds([4, 1, 2, 3], 3).tolist()
    [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    """
    lengths = np.atleast_1d(np.asarray(lengths))
    if not satisfies(n_folds, COUNT):
        raise ValueError(f"n_folds must be a whole number of at least 1; got {n_folds!r}")
    if lengths.dtype.kind not in "iu" or lengths.ndim != 1 or (lengths < 1).any() or lengths.sum() < n_folds:
        raise ValueError(f"lengths must be positive numbers of rows, in sum at least n_folds={n_folds}; got {lengths.tolist()}")
    if len(lengths) < n_folds:
        n_rows = int(lengths.sum())
        sizes = n_rows // n_folds + (np.arange(n_folds) < n_rows % n_folds)
        return np.repeat(np.arange(n_folds), sizes)
    ends = offsets_of(lengths)
    edges = [0]
    for k in range(1, n_folds):  # the end of a sequence nearest to the ideal edge, with a sequence left for every fold
        candidates = np.arange(edges[-1] + 1, len(lengths) - (n_folds - k) + 1)
        edges.append(int(candidates[np.abs(ends[candidates] - ends[-1] * k / n_folds).argmin()]))
    sizes = np.diff(ends[[*edges, len(lengths)]])
    return np.repeat(np.arange(n_folds), sizes)


def _blocks(fold: NDArray[np.integer], n: int) -> Iterator[tuple[int, Any]]:
    """Folds of n rows, and at most 1024 of their rows at once."""
    if fold.ndim == 0:
        yield from ((int(fold), slice(low, low + _BLOCK)) for low in range(0, n, _BLOCK))
        return
    for k in np.unique(fold):
        rows = np.flatnonzero(fold == k)
        together = rows[-1] - rows[0] == len(rows) - 1
        for low in range(0, len(rows), _BLOCK):
            part = rows[low : low + _BLOCK]
            yield int(k), slice(part[0], part[-1] + 1) if together else part


def checked_rows(Z: ArrayLike, Y: ArrayLike, weight: ArrayLike | None, n_features: int, n_targets: int) -> tuple[Any, Any, Array | None]:
    """Features, targets and weights as arrays of the right shapes."""
    Z, Y = np.asarray(Z), np.asarray(Y)
    for name, values, width in (("Z", Z, n_features), ("Y", Y, n_targets)):
        if values.ndim != 2 or values.shape[1] != width or len(values) != len(Z):
            raise ValueError(f"{name} must have the shape (n_rows, {width}), with as many rows as Z; got {values.shape} beside Z of {Z.shape}")
    if weight is None:
        return Z, Y, None
    weight = np.asarray(weight, dtype=np.float64)
    if weight.shape != (len(Z),) or not (weight >= 0).all():
        raise ValueError(f"sample_weight must hold a number of at least 0 for each of the {len(Z)} rows; got {weight!r}")
    return Z, Y, weight
