"""Conceptors: the laws of their logic, checked against Jaeger's formulas by other means, for singular matrices too."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import null_space, orth

from skrnn.data import Sequences, as_sequences
from skrnn.preprocessing import Conceptor, conceptor_adapt_aperture, conceptor_and, conceptor_morph, conceptor_not, conceptor_or

ATOL = 1e-9
ONE = np.eye(6)


def conceptor(seed, *, singular=True):
    """A random one of 6 units; if singular, with some eigenvalues 0 and 1."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    values = rng.uniform(0.05, 0.95, size=6)
    if singular:
        values[:2], values[-1] = 0, 1
    return (directions * values) @ directions.T


def pairs():
    """Regular ones, singular ones, ones that share zeros and ones, a projection, nothing, everything, nearly singular ones."""
    A, B = conceptor(0, singular=False), conceptor(1, singular=False)
    C, D = conceptor(2), conceptor(3)
    Q = np.linalg.qr(np.random.default_rng(4).normal(size=(6, 6)))[0]
    shared = [(Q * values) @ Q.T for values in ([0, 0, 0.3, 0.5, 1, 1], [0, 0.2, 0.9, 0, 0.4, 1])]
    tiny = (Q * [1e-9, 1e-12, 1e-15, 0.5, 1 - 1e-9, 1]) @ Q.T
    planes = [(q[:, :4]) @ q[:, :4].T for q in (Q, np.linalg.qr(np.random.default_rng(5).normal(size=(6, 6)))[0])]
    return [(A, B), (A, C), (C, D), tuple(shared), tuple(planes), (planes[0], C), (A, 0 * ONE), (C, ONE), (tiny, tiny), (tiny, D), (C, C)]


every_pair = pytest.mark.parametrize(("C", "B"), pairs())


def same(a, b):
    np.testing.assert_allclose(a, b, rtol=0, atol=ATOL)


def is_conceptor(C):
    same(C, C.T)
    values = np.linalg.eigvalsh(C)
    assert values[0] > -1e-12
    assert values[-1] < 1 + 1e-12


def jaegers_and(C, B):
    """His formula for all matrices: on a basis of the intersection of the ranges."""
    outside = np.hstack([null_space(C, rcond=1e-10), null_space(B, rcond=1e-10)])
    W = null_space(outside.T, rcond=1e-10) if outside.size else ONE
    if not W.size:
        return 0 * ONE
    inner = W.T @ (np.linalg.pinv(C, rcond=1e-10, hermitian=True) + np.linalg.pinv(B, rcond=1e-10, hermitian=True) - ONE) @ W
    return W @ np.linalg.inv(inner) @ W.T


@pytest.mark.parametrize(("C", "B"), [pair for k, pair in enumerate(pairs()) if k not in (8, 9)])  # without those that are nearly singular
def test_and_is_jaegers(C, B):
    same(conceptor_and(C, B), jaegers_and(C, B))


@every_pair
def test_what_comes_out_is_a_conceptor(C, B):
    for D in (conceptor_and(C, B), conceptor_or(C, B), conceptor_not(C), conceptor_adapt_aperture(C, 3.0)):
        is_conceptor(D)


@every_pair
def test_laws(C, B):
    both, either = conceptor_and(C, B), conceptor_or(C, B)
    same(both, conceptor_and(B, C))
    same(either, conceptor_or(B, C))
    same(conceptor_not(conceptor_not(C)), C)
    same(conceptor_not(either), conceptor_and(conceptor_not(C), conceptor_not(B)))
    same(conceptor_not(both), conceptor_or(conceptor_not(C), conceptor_not(B)))
    same(conceptor_and(C, ONE), C)
    same(conceptor_or(C, 0 * ONE), C)
    same(conceptor_and(C, 0 * ONE), 0 * ONE)
    same(conceptor_or(C, ONE), ONE)
    for smaller, larger in ((both, C), (both, B), (C, either), (B, either)):
        assert np.linalg.eigvalsh(larger - smaller)[0] > -ATOL


@every_pair
def test_associativity(C, B):
    D = conceptor(7)
    same(conceptor_and(conceptor_and(C, B), D), conceptor_and(C, conceptor_and(B, D)))
    same(conceptor_or(conceptor_or(C, B), D), conceptor_or(C, conceptor_or(B, D)))


def test_of_projections_it_is_the_logic_of_subspaces():
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(6, 5))
    U, V = orth(basis[:, :3]), orth(basis[:, 2:])
    P, Q = U @ U.T, V @ V.T
    shared, joint = orth(basis[:, 2:3]), orth(basis)
    same(conceptor_and(P, Q), shared @ shared.T)
    same(conceptor_or(P, Q), joint @ joint.T)
    same(conceptor_and(P, conceptor_not(P)), 0 * ONE)
    same(conceptor_or(P, conceptor_not(P)), ONE)


@pytest.mark.parametrize("singular", [False, True])
def test_apertures(singular):
    C, B = conceptor(0, singular=singular), conceptor(1, singular=singular)
    same(conceptor_adapt_aperture(conceptor_adapt_aperture(C, 0.3), 5.0), conceptor_adapt_aperture(C, 1.5))
    same(conceptor_not(conceptor_adapt_aperture(C, 3.0)), conceptor_adapt_aperture(conceptor_not(C), 1 / 3))
    same(conceptor_and(C, C), conceptor_adapt_aperture(C, np.sqrt(0.5)))
    same(conceptor_or(C, C), conceptor_adapt_aperture(C, np.sqrt(2)))
    for combine in (conceptor_and, conceptor_or):
        wide = combine(conceptor_adapt_aperture(C, 2.0), conceptor_adapt_aperture(B, 2.0))
        same(wide, conceptor_adapt_aperture(combine(C, B), 2.0))
    for smaller, larger in pairwise(conceptor_adapt_aperture(C, factor) for factor in (0.5, 1, 2, 4)):
        assert np.linalg.eigvalsh(larger - smaller)[0] > -ATOL


@pytest.mark.parametrize("singular", [False, True])
def test_limits_of_the_aperture(singular):
    C = conceptor(0, singular=singular)
    ones = conceptor_adapt_aperture(C, 1e-200)
    occurs = conceptor_adapt_aperture(C, 1e200)
    kept, directions = np.linalg.eigh(C)
    same(ones, (directions * (kept > 1 - 1e-12)) @ directions.T)
    if not singular:
        same(occurs, ONE)


STATES = np.random.default_rng(0).normal(size=(50, 6)) @ np.random.default_rng(1).normal(size=(6, 6))


@pytest.mark.parametrize("aperture", [0.1, 1.0, 30.0])
def test_fit(aperture):
    fitted = Conceptor(aperture).fit(STATES)
    R = STATES.T @ STATES / 50
    same(fitted.conceptor_, R @ np.linalg.inv(R + aperture**-2 * ONE))
    assert (fitted.singular_values_ < 1).all()
    np.testing.assert_allclose(fitted.singular_values_, np.linalg.svd(fitted.conceptor_, compute_uv=False), atol=ATOL)
    np.testing.assert_allclose(fitted.transform(STATES), STATES @ fitted.conceptor_.T, rtol=1e-10)
    same(fitted.conceptor_, conceptor_adapt_aperture(Conceptor(1.0).fit(STATES).conceptor_, aperture))


def test_fit_minimises_what_it_should():
    fitted = Conceptor(2.0).fit(STATES)

    def loss(C):
        return np.mean(np.sum((STATES - STATES @ C.T) ** 2, axis=1)) + np.sum(C**2) / 4

    rng = np.random.default_rng(0)
    assert all(loss(fitted.conceptor_ + 1e-3 * rng.normal(size=(6, 6))) > loss(fitted.conceptor_) for _ in range(20))


def test_states_in_a_plane():
    flat = STATES[:, :2] @ np.random.default_rng(2).normal(size=(2, 6))
    assert (Conceptor(1e3).fit(flat).singular_values_ > 0.99).tolist() == [True, True, False, False, False, False]
    np.testing.assert_allclose(Conceptor(1e200).fit(STATES).conceptor_, ONE, atol=ATOL)
    np.testing.assert_array_equal(Conceptor(1e-200).fit(STATES).conceptor_, 0 * ONE)
    np.testing.assert_array_equal(Conceptor(1e200).fit(0 * STATES).conceptor_, 0 * ONE)


def test_or_is_the_conceptor_of_both_correlations():
    A, B = Conceptor(3.0).fit(STATES[:20]), Conceptor(3.0).fit(STATES[20:])
    R = STATES[:20].T @ STATES[:20] / 20 + STATES[20:].T @ STATES[20:] / 30
    same(conceptor_or(A.conceptor_, B.conceptor_), R @ np.linalg.inv(R + ONE / 9))


def test_morph():
    A, B = conceptor(0), conceptor(1)
    same(conceptor_morph([A, B], [1, 0]), A)
    same(conceptor_morph([A, B, A], [0.5, 0.75, -0.25]), 0.25 * A + 0.75 * B)


def test_containers():
    X = STATES.reshape(5, 10, 6).astype(np.float32)
    expected = Conceptor().fit(STATES.astype(np.float32))
    for same_data in (X, list(X), as_sequences(X)):
        fitted = Conceptor().fit(same_data)
        np.testing.assert_array_equal(fitted.conceptor_, expected.conceptor_)
        got = fitted.transform(same_data)
        assert isinstance(got, np.ndarray if same_data is X else list if isinstance(same_data, list) else Sequences)
        np.testing.assert_allclose(np.concatenate(list(got)), expected.transform(STATES.astype(np.float32)), rtol=1e-6)
        assert got[0].dtype == np.float32
    assert expected.get_feature_names_out(list("abcdef")).tolist() == list("abcdef")


def test_states_fit_to_their_own_conceptor():
    """Positive evidence: each of four kinds of states, in different planes, is most like its own conceptor."""
    rng = np.random.default_rng(0)
    planes = [np.linalg.qr(rng.normal(size=(20, 3)))[0] for _ in range(4)]
    kinds = [rng.normal(size=(200, 3)) @ plane.T + 0.1 * rng.normal(size=(200, 20)) for plane in planes]
    fitted = [Conceptor(10.0).fit(kind[:100]) for kind in kinds]
    for k, kind in enumerate(kinds):
        evidence = [np.sum(kind[100:] * C.transform(kind[100:]), axis=1) for C in fitted]
        assert (np.argmax(evidence, axis=0) == k).mean() > 0.9


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: Conceptor(0).fit(STATES), "The 'aperture' parameter of Conceptor must be a positive number; got 0"),
        (lambda: Conceptor(np.inf).fit(STATES), "The 'aperture' parameter of Conceptor must be a positive number; got inf"),
        (lambda: conceptor_not(np.ones((2, 3))), r"C must be a square matrix; got shape \(2, 3\)"),
        (lambda: conceptor_and(ONE, np.eye(5)), r"B must have the shape of C, \(6, 6\); got \(5, 5\)"),
        (lambda: conceptor_and(ONE, np.triu(np.ones((6, 6)))), "B must be a finite and symmetric matrix"),
        (lambda: conceptor_not(np.full((2, 2), np.nan)), "C must be a finite and symmetric matrix"),
        (lambda: conceptor_or(2 * ONE, ONE), "C must have eigenvalues from 0 to 1; got from 2 to 2"),
        (lambda: conceptor_adapt_aperture(ONE, -1.0), "factor must be a positive number; got -1.0"),
        (lambda: conceptor_morph([ONE, ONE], [0.5, 0.6]), r"weights must be 2 numbers, which add up to 1; got \[0.5, 0.6\]"),
        (lambda: conceptor_morph([ONE, np.eye(5)], [0.5, 0.5]), r"conceptors must be matrices of the same shape"),
        (lambda: conceptor_morph([], []), "conceptors must be matrices of the same shape, and at least one"),
    ],
)
def test_errors_say_what_was_expected(call, match):
    with pytest.raises(ValueError, match=match):
        call()
