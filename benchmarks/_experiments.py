"""Experiments of the literature as functions of a seed: what the tests of learning hold to a floor, and what ``reproductions`` prints."""

from __future__ import annotations

from itertools import zip_longest
from time import process_time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import train_test_split

from skrnn import (
    BingoCluster,
    HopfieldNetwork,
    ModernHopfield,
    NeoTransformer,
    PointerNetwork,
    RNNCaptioner,
    RNNClassifier,
    RNNRegressor,
    RNNSequenceRegressor,
    RNNTagger,
    Sequences,
    TreeClassifier,
    Trees,
    as_sequences,
    cells,
)
from skrnn.cells import GRU, LSTM, Elman, Leaky
from skrnn.cells.trees import Children, NAryLSTM
from skrnn.datasets import (
    REBER_LETTERS,
    make_adding,
    make_boolean_trees,
    make_continual_reber,
    make_counting,
    make_delayed_recall,
    make_delayed_xor,
    make_embedded_reber,
    make_letters,
    make_pulse_trains,
    make_temporal_order,
    make_waveform,
    make_xor_in_time,
    reber_successors,
)
from skrnn.engine import BPTT, TruncatedBPTT, climb, pack, scan
from skrnn.kernels import allow_threads
from skrnn.training import Forests

IRNN = Elman("relu", recurrent_init="identity")
CELL_OF_1997, BLOCKS_OF_1997 = LSTM(forget="none"), LSTM(forget="none", block_size=2)
ORDERS = {"LSTM": LSTM(forget="coupled"), "Elman": Elman()}
OCTAVES = cells.Clockwork((1, 2, 4, 8, 16, 32, 64, 128))
RATES = (1.0, 0.5, 0.3, 0.1)


def pieces(stream: NDArray[Any], n_steps: int) -> NDArray[Any]:
    """A stream as sequences of ``n_steps``, without the rest at its end."""
    return stream[: len(stream) // n_steps * n_steps].reshape(-1, n_steps, *stream.shape[1:])


def rms(errors: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def seeing_the_past(estimator: Any, cell: cells.Cell, **settings: Any) -> Any:
    """An estimator of whole sequences that reads its answer off the last step, as the papers do."""
    return estimator(cell, bidirectional=False, pooling="last", **settings)


# -- Elman (1990) --------------------------------------------------------------------------------------------------------------------------------


def xor_in_time(seed: int) -> list[float]:
    """Root mean squared error at the first random bit, the XOR, and the second: 8 logistic units, two extra steps of back-propagation."""
    X, y = make_xor_in_time(3001, random_state=seed)
    model = RNNSequenceRegressor(
        Elman("sigmoid"), hidden_size=8, rule=TruncatedBPTT(3, stride=1), learning_rate=0.05, batch_size=50, random_state=seed
    ).fit(pieces(X, 12), pieces(y, 12))
    X, y = make_xor_in_time(1201, random_state=100 + seed)
    error = model.predict(X) - y
    return [rms(error[k::3]) for k in range(3)]


def letters() -> dict[str, float]:
    """Elman's copy-back training: what is known of the next letter."""
    X, y = make_letters(1000, random_state=0)
    model = RNNSequenceRegressor(
        Elman("sigmoid"), hidden_size=20, rule=BPTT("none"), learning_rate=0.02, max_epochs=60, batch_size=8, random_state=0
    ).fit(pieces(X, 30), pieces(y, 30))
    X, y = make_letters(1000, random_state=100)
    predicted, known = model.predict(X), np.unique(y, axis=0)
    nearest = known[np.square(predicted[:, None] - known).sum(axis=-1).argmin(axis=1)]
    return {
        "vowels right": float((nearest == y).all(axis=1)[y[:, 1] == 1].mean()),
        "places of consonants right": float((nearest[:, 1] == y[:, 1]).mean()),
        "error in bit 1, consonantal": rms(predicted[:, 0] - y[:, 0]),
        "error in bit 4, high": rms(predicted[:, 3] - y[:, 3]),
    }


# -- long gaps: Hochreiter & Schmidhuber (1997), Cho et al. (2014), Le et al. (2015), Greff et al. (2017) ----------------------------------------


def adding(cell: cells.Cell, n_steps: int, seed: int, **settings: Any) -> float:
    """Mean squared error on fresh sequences; 0.167 is that of the mean."""
    X, y = make_adding(5000, n_steps, random_state=seed)
    model = seeing_the_past(RNNRegressor, cell, batch_size=50, random_state=seed, **settings).fit(X, y)
    X, y = make_adding(1000, n_steps, random_state=1000 + seed)
    return float(np.mean((model.predict(X) - y) ** 2))


def adding_with_gates(cell: cells.Cell, n_steps: int, seed: int) -> float:
    rate, epochs = (3e-3, 10) if n_steps == 50 else (5e-3, 15)
    return adding(cell, n_steps, seed, hidden_size=32, learning_rate=rate, max_epochs=epochs)


def adding_with_rectified_units(seed: int) -> float:
    return adding(IRNN, 50, seed, hidden_size=100, learning_rate=1e-3, schedule="constant", max_epochs=20)


def share_of_strings_right(model: RNNTagger, X: Sequences, y: list[NDArray[np.str_]]) -> float:
    """Strings at every letter of which the likeliest letters, as many as may come, are those that may come."""

    def right(probabilities: NDArray[np.float64], string: NDArray[np.str_]) -> bool:
        possible = reber_successors(["B", *string[:-1]])
        return all(set(model.classes_[np.argsort(-row)[: len(p)]]) == set(p) for row, p in zip(probabilities, possible, strict=True))

    return float(np.mean([right(rows, string) for rows, string in zip(model.predict_proba(X), y, strict=True)]))


def strings_until_solved(cell: LSTM, hidden_size: int, most: int, seed: int, batch_size: int = 1) -> float:
    """Strings of the embedded Reber grammar, each seen once, until all of 256 others are right, as the paper counts; looked at every 1,000."""
    X, y = make_embedded_reber(most, random_state=seed)
    others = make_embedded_reber(256, random_state=1000 + seed)
    model = RNNTagger(cell, hidden_size=hidden_size, schedule="constant", batch_size=batch_size, standardize=False, random_state=seed)
    for seen in range(0, most, 1000):
        model.partial_fit(X[seen : seen + 1000], y[seen : seen + 1000], list(REBER_LETTERS))
        if share_of_strings_right(model, *others) == 1:
            return seen + 1000
    return np.inf


def temporal_order(cell: cells.Cell, seed: int) -> float:
    """Share of fresh sequences of 50 steps that are right after 20,000 others, each seen once; chance is 0.25."""
    X, y = make_temporal_order(20_000, 50, random_state=seed)
    model = seeing_the_past(RNNClassifier, cell, hidden_size=16, max_epochs=1, standardize=False, random_state=seed).fit(X, y)
    return float(model.score(*make_temporal_order(500, 50, random_state=1000 + seed)))


# -- forgetting (Gers et al., 2000), counting (Gers & Schmidhuber, 2001) -------------------------------------------------------------------------


def outer_letters_of_a_stream(forget: str) -> float:
    """Share of the outer letters of a continual stream of embedded Reber strings that are right; trained on pieces of 500 steps."""
    X, y = make_continual_reber(20_000, random_state=0)
    model = RNNTagger(LSTM(forget=forget), hidden_size=12, schedule="constant", max_epochs=10, batch_size=10, standardize=False, random_state=0).fit(
        pieces(X, 500)[:400], pieces(y, 500)[:400]
    )
    X, y = make_continual_reber(1000, random_state=1000)
    seen = np.array(["B", *y[:-1]])
    outer = (seen == "E") & np.isin(reber_successors(seen), ["T", "P"])
    assert outer.sum() == 1000, "every string has one outer letter to be remembered"
    return float(np.mean(model.predict(X)[outer] == y[outer]))


def counts_to(n_letters: int, most: int = 100) -> int:
    """The n up to which aⁿbⁿ, or aⁿbⁿcⁿ, is known after training on n ≤ 10: of three starts, that with the least training loss."""
    X, y = make_counting(np.arange(1, 11), n_letters)
    settings = {"hidden_size": n_letters, "schedule": "constant", "max_epochs": 2000, "batch_size": 5, "standardize": False}
    models = [RNNSequenceRegressor(LSTM(peephole=True), random_state=seed, **settings).fit(X, y) for seed in range(3)]
    best = min(models, key=lambda model: model.loss_curve_[-1])
    X, y = make_counting(np.arange(1, most + 1), n_letters)
    right = [((p > 0.5) == possible).all() for p, possible in zip(best.predict(X), y, strict=True)]
    return most if all(right) else right.index(False)


# -- cells with several time scales: Lin et al. (1996), Jaeger et al. (2007), Koutník et al. (2014) ----------------------------------------------


def delayed_recall(cell: cells.Cell) -> float:
    """Share of bits that are recalled 30 steps later."""
    X, y = make_delayed_recall(200, 100, 30, random_state=0)
    model = RNNSequenceRegressor(cell, hidden_size=24, learning_rate=5e-3, max_epochs=30, batch_size=20, random_state=0).fit(X, y)
    X, y = make_delayed_recall(50, 100, 30, random_state=1000)
    return float((np.sign(model.predict(X)) == y)[:, 30:].mean())


def memory_curve(rate: float, seed: int, longest: int = 40, washout: int = 100) -> NDArray[np.float64]:
    """Share of the variance of the input 1 … ``longest`` steps ago that lies in the states of 50 fixed random leaky units, on fresh steps."""
    bits, _ = make_delayed_recall(1, 6000, 0, random_state=seed)
    cell = Leaky(Elman(recurrent_init="spectral_radius"), rate).build(1, 50, torch.Generator().manual_seed(seed))
    with torch.no_grad(), allow_threads(1):
        states = scan(cell, pack(as_sequences(bits)))[0].data.double().numpy()
    features = np.column_stack([states, np.ones(len(states))])[washout:]
    past = np.column_stack([np.roll(bits[0, :, 0], delay) for delay in range(1, longest + 1)])[washout:]
    half = len(past) // 2
    gram = features[:half].T @ features[:half] + 1e-6 * np.eye(features.shape[1])
    readout = np.linalg.solve(gram, features[:half].T @ past[:half])
    return np.maximum(0, 1 - np.square(features[half:] @ readout - past[half:]).mean(axis=0))


def centre(curve: NDArray[np.float64]) -> float:
    """The delay about which a memory curve lies, in steps."""
    return float(curve @ np.arange(1, len(curve) + 1) / curve.sum())


def waveform(cell: cells.Cell, hidden_size: int, seed: int) -> float:
    """Mean squared error of a generated waveform, in shares of its variance."""
    X, y = make_waveform()
    settings = {"learning_rate": 5e-3, "schedule": "constant", "max_epochs": 400, "batch_size": None, "standardize": False, "random_state": seed}
    return float(np.mean((RNNSequenceRegressor(cell, hidden_size=hidden_size, **settings).fit(X, y).predict(X) - y) ** 2))


# -- gates with fewer weights: Dey & Salem (2017) ------------------------------------------------------------------------------------------------


def digits_by_rows(gates: str) -> float:
    """Mean accuracy of three seeds of a GRU with such gates."""
    digits = load_digits()
    X_train, X_test, y_train, y_test = train_test_split(digits.images, digits.target, random_state=0)
    settings = {"max_epochs": 30, "learning_rate": 3e-3, "schedule": "cosine", "batch_size": 64}
    models = [seeing_the_past(RNNClassifier, GRU("before", gates), random_state=seed, **settings) for seed in range(3)]
    return float(np.mean([model.fit(X_train, y_train).score(X_test, y_test) for model in models]))


# -- outputs that are fed back: Jordan (1986), Williams & Zipser (1989) --------------------------------------------------------------------------


def plans(seed: int) -> float:
    """Share of symbols right: 8 plans, 8 strings of 6 out of 5 symbols.

    While the network learns a teacher tells it the last symbol; then it hears its own.
    """
    strings = np.random.default_rng(seed).integers(5, size=(8, 6)).tolist()
    model = RNNCaptioner(
        cells.Jordan(output_activation="identity", n_hidden=20), hidden_size=5, context="every", learning_rate=0.02, schedule="cosine",
        max_epochs=1500, batch_size=None, random_state=seed,
    )  # fmt: skip
    written = model.fit(np.eye(8), strings).predict(np.eye(8))
    return float(np.mean([a == b for own, true in zip(written, strings, strict=True) for a, b in zip_longest(own[:6], true)]))


def delayed_xor() -> float:
    """Share of the XORs of two steps ago that are right on a fresh stream."""
    X, y = make_delayed_xor(2000, 2, random_state=0)
    model = RNNSequenceRegressor(
        cells.FullyRecurrent(n_outputs=1), hidden_size=6, rule="rtrl", learning_rate=0.05, schedule="constant", max_epochs=40, batch_size=20,
        random_state=0,
    ).fit(pieces(X, 20), pieces(y, 20))  # fmt: skip
    X, y = make_delayed_xor(1000, 2, random_state=1000)
    return float(np.mean((model.predict(X) > 0.5)[2:] == y[2:]))


# -- pointing: Vinyals et al. (2015), Vinyals, Bengio & Kudlur (2016) ----------------------------------------------------------------------------


def numbers_and_order(n_sequences: int, n_numbers: int, seed: int) -> tuple[NDArray[np.float64], list[list[int]]]:
    """Uniform numbers, and their places from the least to the greatest."""
    X = np.random.default_rng(seed).random((n_sequences, n_numbers, 1))
    return X, X[..., 0].argsort(axis=1).tolist()


def points_and_hull(n_sequences: int, seed: int) -> tuple[list[NDArray[np.float64]], list[list[int]]]:
    """5 to 10 uniform points of the unit square, and the corners of their convex hull, counter-clockwise from the first in the sequence."""
    rng = np.random.default_rng(seed)
    X = [rng.random((n_points, 2)) for n_points in rng.integers(5, 11, size=n_sequences)]
    corners = [ConvexHull(points).vertices for points in X]
    return X, [np.roll(row, -row.argmin()).tolist() for row in corners]


def sorted_right(n_numbers: int, seed: int) -> float:
    """Share of 1,000 fresh sequences of numbers whose order is exactly right; of four epochs that with the least loss on 500 others."""
    X, y = numbers_and_order(20_000, n_numbers, seed)
    X_val, y_val = numbers_and_order(500, n_numbers, 100 + seed)
    model = PointerNetwork(max_epochs=4, batch_size=64, random_state=seed).fit(X, y, X_val=X_val, y_val=y_val)
    return float(model.score(*numbers_and_order(1000, n_numbers, 1000 + seed)))


def hulls_right(seed: int) -> float:
    """Share of 1,000 fresh sets of points of all sizes, in any order, whose hull is exactly right; one network for all."""
    X, y = points_and_hull(100_000, seed)
    X_val, y_val = points_and_hull(500, 100 + seed)
    model = PointerNetwork(hidden_size=128, learning_rate=0.005, max_epochs=8, batch_size=128, random_state=seed).fit(X, y, X_val=X_val, y_val=y_val)
    return float(model.score(*points_and_hull(1000, 1000 + seed)))


# -- memories: Hopfield (1982), Storkey (1997), Personnaz et al. (1985), Ramsauer et al. (2021) --------------------------------------------------


def overlap(rule: str, load: float, seed: int, flipped: float = 0.0, n_units: int = 500) -> float:
    """Mean overlap of random patterns with what a network recalls of them, from themselves or with a share of the bits flipped."""
    rng = np.random.default_rng(seed)
    patterns = rng.choice([-1, 1], size=(round(load * n_units), n_units))
    queries = np.where(rng.random(patterns.shape) < flipped, -patterns, patterns)
    return HopfieldNetwork(rule, random_state=seed).fit(patterns).score(queries, patterns)


def error_of_one_step(beta: float, seed: int) -> float:
    """Of 200 normal patterns of 64 numbers, from noise of half a standard deviation: the error of what is recalled beside the patterns themselves."""
    rng = np.random.default_rng(seed)
    patterns = rng.normal(size=(200, 64))
    found = ModernHopfield(beta).fit(patterns).predict(patterns + 0.5 * rng.normal(size=patterns.shape))
    return rms(found - patterns) / rms(patterns)


# -- what nobody names: Klapper-Rybicka, Schraudolph & Schmidhuber (2001) ------------------------------------------------------------------------


def rhythms_found(seed: int, algorithm: str = "local") -> tuple[float, float]:
    """Of 400 fresh pulse trains, after 400 others: normalised mutual information of clusters and kinds; and of bits and factors, the worse of two."""
    X, _ = make_pulse_trains(random_state=seed)
    model = BingoCluster(n_bits=2, algorithm=algorithm, random_state=seed).fit(X)
    X, factors = make_pulse_trains(random_state=1000 + seed)
    bits = model.transform(X) > 0.5
    told = [[normalized_mutual_info_score(factor, bit) for bit in bits.T] for factor in factors.T]
    return normalized_mutual_info_score(factors @ [2, 1], model.predict(X)), max(min(told[0][0], told[1][1]), min(told[0][1], told[1][0]))


def rhythms_crowd(seed: int) -> float:
    """Of 400 fresh pulse trains, after 400 others: normalised mutual information of kinds and of four groups of their features."""
    X, _ = make_pulse_trains(random_state=seed)
    model = NeoTransformer(random_state=seed).fit(X)
    groups = KMeans(4, n_init=10, random_state=seed).fit(model.transform(X))
    X, factors = make_pulse_trains(random_state=1000 + seed)
    return float(normalized_mutual_info_score(factors @ [2, 1], groups.predict(model.transform(X))))


# -- trees: Tai, Socher & Manning (2015) ---------------------------------------------------------------------------------------------------------


def formulas_right(seed: int, per_node: bool = False) -> list[float]:
    """Share of 1,000 fresh Boolean formulas each of depth 4 and 6 that are right at the root; learned from the roots, or all nodes, of 2,000."""
    X, y = make_boolean_trees(2000, per_node=per_node, random_state=seed)
    model = TreeClassifier("n_ary", hidden_size=32, max_epochs=6 if per_node else 20, random_state=seed).fit(X, y)
    return [float(np.mean([nodes[0] for nodes in model.predict_nodes(trees)] == values)) for trees, values in map(deep_formulas, (4, 6), [seed] * 2)]


def formulas_right_as_rows(seed: int) -> list[float]:
    """The same of an LSTM that reads formulas as rows of words with brackets, and has learned from the same roots for 15 epochs."""
    X, y = make_boolean_trees(2000, random_state=seed)
    model = RNNClassifier("lstm", hidden_size=64, max_epochs=15, random_state=seed).fit(bracketed(X), y)
    return [float(model.score(bracketed(trees), values)) for trees, values in map(deep_formulas, (4, 6), [seed] * 2)]


def deep_formulas(depth: int, seed: int) -> tuple[Trees, NDArray[np.int64]]:
    """1,000 of one depth, which were not learned from."""
    return make_boolean_trees(1000, min_depth=depth, max_depth=depth, random_state=1000 + seed)


def bracketed(trees: Trees) -> list[list[str]]:
    """Formulas as rows of words."""
    rows = []
    for tokens, parents in trees:
        parts: list[list[str]] = [[] for _ in tokens]
        for node in reversed(range(len(tokens))):
            words = ["(", tokens[node], *parts[node], ")"] if parts[node] else [tokens[node]]
            if node:
                parts[parents[node]] = words + parts[parents[node]]
        rows.append(words)
    return rows


def levels_beside_nodes() -> dict[str, float]:
    """How far the states of some 1,500 nodes, computed level by level, are from those node by node, and how much sooner they are there."""
    trees, _ = make_boolean_trees(80, min_depth=2, max_depth=6, random_state=0)
    trees = trees.with_tokens(np.random.default_rng(0).normal(size=(len(trees.parents), 16)))
    cell = NAryLSTM().build(16, 32, torch.Generator().manual_seed(0))
    source = Forests(trees, np.zeros(16), np.ones(16), torch.float32, torch.device("cpu"))
    seconds: dict[str, list[float]] = {"levels": [], "nodes": []}
    with torch.no_grad(), cells.in_torch():
        for _ in range(5):
            begin = process_time()
            forest = source.packed(np.arange(len(trees)))
            states = torch.cat([state.h for state in climb(cell, forest)])
            seconds["levels"].append(process_time() - begin)
            begin = process_time()
            alone = states_node_by_node(cell, trees)
            seconds["nodes"].append(process_time() - begin)
    apart = (states - alone[torch.from_numpy(source.rows(np.arange(len(trees))))]).abs().max()
    return {
        "nodes": len(alone),
        "largest difference in millionths": 1e6 * float(apart),
        "times as fast": min(seconds["nodes"]) / min(seconds["levels"]),
    }


def states_node_by_node(cell: NAryLSTM, trees: Trees) -> torch.Tensor:
    """Each node after its children, and nothing at once."""
    states: list[Any] = [None] * len(trees.parents)
    below = np.split(trees.below(), trees.child_offsets[1:-1])
    u = cell.project(torch.from_numpy(trees.tokens.astype(np.float32)))
    for node in np.argsort(-trees.depths, kind="stable"):
        parts = [states[child] for child in below[node]]
        state = cells.map_state(lambda *leaves: torch.cat(leaves), *parts) if parts else None
        states[node] = cell.step(u[node][None], Children(state, np.ones(len(parts), dtype=np.int64), torch.zeros(len(parts), dtype=torch.int64), 1))
    return torch.cat([state.h for state in states])
