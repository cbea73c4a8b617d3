"""Language models learn what is known to be there: the entropy of a source, Shakespeare's characters, Bach's chorales."""

import numpy as np
import pytest
from scipy.io import loadmat

from benchmarks._tasks import DATA
from skrnn import RNNLanguageModel
from skrnn.datasets import make_pages

pytestmark = pytest.mark.slow


def markov(n, n_symbols, rng):
    """A source of order two, and its entropy in bits for each symbol."""
    P = rng.dirichlet(np.ones(n_symbols), size=(n_symbols, n_symbols))
    pairs = np.full((n_symbols, n_symbols), n_symbols**-2.0)
    for _ in range(1000):
        pairs = np.einsum("ab,abc->bc", pairs, P)
    entropy = -(pairs[..., None] * P * np.log2(P)).sum()
    symbols, edges, u = [0, 0], P.cumsum(-1), rng.random(n)
    for k in range(n):
        symbols.append(min(int(np.searchsorted(edges[symbols[-2], symbols[-1]], u[k])), n_symbols - 1))
    return np.array(symbols[2:]), entropy


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_markov_source_is_learned_down_to_its_entropy(cell):
    symbols, entropy = markov(250_000, 4, np.random.default_rng(0))
    model = RNNLanguageModel(cell, level="token", hidden_size=32, max_epochs=5, random_state=0).fit(symbols[:200_000])
    assert abs(-model.score(symbols[200_000:]) / np.log(2) - entropy) < 0.02


@pytest.fixture(scope="module")
def shakespeare():
    path = DATA / "tinyshakespeare.txt"
    if not path.exists():
        pytest.skip("the file is not there; SKRNN_DATA may name its folder")
    text = path.read_text(encoding="utf-8")
    return text[: int(0.9 * len(text))], text[int(0.9 * len(text)) :]


@pytest.mark.parametrize(("epochs", "bound"), [(1, 2.00), (6, 1.60)])
def test_shakespeare_is_learned_in_few_passes(shakespeare, epochs, bound):
    train, test = shakespeare
    model = RNNLanguageModel("lstm", hidden_size=128, embedding_size=128, dropout=0.0, max_epochs=epochs, random_state=0).fit(train)
    assert -model.score(test) <= bound


def test_a_few_pages_are_learned_with_the_defaults(shakespeare):
    """Among settings that were compared, up to 40 passes with dropout of up to a half, the best had 1.53."""
    text = shakespeare[0][300_000:420_000]
    test = "".join(token for token in text[100_000:] if token in set(text[:100_000]))
    assert -RNNLanguageModel(random_state=0).fit(text[:100_000]).score(test) <= 1.58


def test_chorales_are_learned_as_well_as_published():
    """Chung et al. (2014) have 8.67 nats a frame with an LSTM of 36 units, Bai et al. (2018) 8.45 with more weights."""
    path = DATA / "JSB_Chorales.mat"
    if not path.exists():
        pytest.skip("the file is not there; SKRNN_DATA may name its folder")
    train, valid, test = ([np.asarray(piece, dtype=float) for piece in loadmat(path)[name][0]] for name in ("traindata", "validdata", "testdata"))
    model = RNNLanguageModel(
        "lstm", level="binary", hidden_size=36, dropout=0.0, max_epochs=100, batch_size=16, learning_rate=0.005, schedule="constant", random_state=0
    ).fit(train, X_val=valid)
    assert -model.score(test) <= 8.9


def test_a_grammar_is_learned_to_within_little_of_what_can_be_known():
    """Measured: 0.433 nats per character, of which the grammar itself leaves 0.431."""
    X, _ = make_pages(2000, random_state=0)
    test, log_p = make_pages(200, random_state=1)
    model = RNNLanguageModel(end_of_text=False, random_state=0).fit(X)
    assert -model.score(test) <= -log_p.sum() / sum(map(len, test)) + 0.02
