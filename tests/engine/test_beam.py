"""Beam search over a table of probabilities that depend on source, step and the token before: everything can be enumerated."""

import itertools

import pytest
import torch

from skrnn.engine import BeamSearch

N_TOKENS, N_STEPS, END, BEGIN, N = 3, 4, 2, 0, 3


def table(seed):
    g = torch.Generator().manual_seed(seed)
    return torch.log_softmax(2 * torch.randn(N, N_STEPS, N_TOKENS, N_TOKENS, generator=g, dtype=torch.float64), -1)


def search(log_p, width, alpha=0.0, beta=0.0):
    def advance(fed, state):
        step, source = state
        return log_p[source, step, fed[:, 0].long()], (step + 1, source)

    def coverage(state):  # what has been looked at: more of a source with a larger number, less in early steps
        return -(state[1] + 1.0).double() / state[0].double()

    start = (torch.zeros(N, dtype=torch.int64), torch.arange(N))
    first = torch.full((N, 1), float(BEGIN), dtype=torch.float64)
    return BeamSearch(width, alpha, beta)(advance, start, first, N_STEPS, END, coverage=coverage)


def enumerated(log_p, source, alpha=0.0, beta=0.0):
    """All hypotheses with their scores, the best first."""
    scores = {}
    for n in range(1, N_STEPS + 1):
        for tokens in itertools.product(range(N_TOKENS), repeat=n):
            if END not in tokens[:-1] and (tokens[-1] == END or n == N_STEPS):
                before = (BEGIN, *tokens[:-1])
                total = sum(float(log_p[source, k, a, b]) for k, (a, b) in enumerate(zip(before, tokens, strict=True)))
                scores[tokens] = total / ((5 + n) / 6) ** alpha - beta * (source + 1) / n
    return sorted(scores.items(), key=lambda item: -item[1])


def ranked(found, source):
    every = zip(found.tokens[source].tolist(), found.lengths[source].tolist(), found.scores[source].tolist(), strict=True)
    return [(tuple(tokens[:n]), score) for tokens, n, score in every if score > -torch.inf]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (0.7, 0.0), (2.0, 0.0), (0.7, 0.3)])
def test_a_beam_of_everything_is_enumeration(seed, alpha, beta):
    log_p = table(seed)
    found = search(log_p, N_TOKENS**N_STEPS, alpha, beta)
    for source in range(N):
        expected, best = enumerated(log_p, source, alpha, beta), ranked(found, source)
        assert len(expected) == 31
        assert best[0][0] == expected[0][0]
        assert [score for _, score in best] == pytest.approx([score for _, score in expected[: len(best)]], abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (2.0, 0.0), (0.7, 0.3)])
def test_a_beam_of_one_is_greedy(seed, alpha, beta):
    log_p = table(seed)
    found = search(log_p, 1, alpha, beta)
    for source in range(N):
        tokens, last = [], BEGIN
        for k in range(N_STEPS):
            last = int(log_p[source, k, last].argmax())
            tokens.append(last)
            if last == END:
                break
        assert ranked(found, source)[0][0] == tuple(tokens)


@pytest.mark.parametrize("seed", range(10))
def test_a_wide_beam_finds_nothing_worse_than_the_best_of_all(seed):
    log_p = table(seed)
    for width in (2, 3, 5):
        for source in range(N):
            best = ranked(search(log_p, width), source)
            assert [score for _, score in best] == sorted((score for _, score in best), reverse=True)
            assert best[0][1] <= enumerated(log_p, source)[0][1] + 1e-12
            assert len({tokens for tokens, _ in best}) == len(best)


def test_a_length_penalty_favours_what_is_longer():
    log_p = torch.log_softmax(torch.tensor([0.6, -9.0, 0.9], dtype=torch.float64), -1).expand(N, N_STEPS, N_TOKENS, -1)
    lengths = [int(search(log_p, 10, alpha).lengths[0, 0]) for alpha in (0.0, 5.0)]
    assert lengths == [1, 4]


def test_sources_do_not_see_each_other():
    log_p = table(0)
    together = [ranked(search(log_p, 3, 0.7), source) for source in range(N)]
    for source in range(N):
        alone = search(log_p[[source] * N], 3, 0.7)
        assert ranked(alone, 0) == together[source]


@pytest.mark.parametrize("settings", [{"width": 0}, {"length_penalty": -1.0}, {"coverage_penalty": float("nan")}])
def test_settings_are_checked(settings):
    with pytest.raises(ValueError, match=f"The '{next(iter(settings))}' parameter of BeamSearch must be"):
        BeamSearch(**settings)
