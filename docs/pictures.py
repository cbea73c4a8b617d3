"""Draw the pictures of the pages: ``python docs/pictures.py`` writes them all, ``python docs/pictures.py tuning`` one.

They are kept in the repository, so that a build of the pages trains nothing.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

HERE = Path(__file__).parent
FOLDER = HERE / "pictures"
STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.figsize": (9, 2.8),
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "skrnn",  # the same picture has the same bytes
}


def quickstart() -> Figure:
    from matplotlib.pyplot import subplots
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    from skrnn import RNNClassifier

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, _ = train_test_split(X.reshape(-1, 8, 8), y, random_state=0)
    model = RNNClassifier(max_epochs=10, random_state=0).fit(X_train, y_train)
    figure, (left, rows, loss, right) = subplots(1, 4, layout="constrained", width_ratios=[1, 1.4, 1.4, 1.4])
    left.imshow(X_test[0], cmap="Greys")
    left.set(title="a digit", xticks=[], ylabel="step")
    for step, row in enumerate(X_test[0]):
        rows.step(np.arange(8), row / 20 - step, where="mid", color="C0")
    rows.set(title="its eight rows", xlabel="channel", yticks=[])
    loss.plot(np.arange(1, model.n_iter_ + 1), model.loss_curve_)
    loss.set(title="training", xlabel="epoch", ylabel="loss")
    right.bar(np.arange(10), model.predict_proba(X_test[:1])[0])
    right.set(title="answer", xlabel="class", ylabel="probability", xticks=np.arange(10))
    return figure


def user_guide() -> Figure:
    from matplotlib.pyplot import subplots

    tasks = {
        "one answer": ([0, 1, 2, 3, 4], [4]),
        "one at each step": ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
        "another sequence": ([0, 1, 2], [3, 4, 5, 6]),
        "from a vector": ([0], [1, 2, 3, 4]),
        "what follows": ([0, 1, 2, 3], [4, 5, 6]),
    }
    figure, axes = subplots(1, len(tasks), figsize=(9, 1.6), layout="constrained", sharex=True, sharey=True)
    for ax, (title, (read, written)) in zip(axes, tasks.items(), strict=True):
        last = max(read + written)
        ax.plot([0, last], [0, 0], color="0.6", zorder=0)
        for step in range(last + 1):
            ax.plot(step, 0, "o", color="white", markeredgecolor="0.4", markersize=9)
        for step in read:
            ax.annotate("", (step, -0.12), (step, -0.75), arrowprops={"arrowstyle": "->", "color": "C0"})
        for step in written:
            ax.annotate("", (step, 0.75), (step, 0.12), arrowprops={"arrowstyle": "->", "color": "C1"})
        ax.set(title=title, xlim=(-0.6, 6.6), ylim=(-1, 1))
        ax.axis("off")
    return figure


def pandas() -> Figure:
    from matplotlib.pyplot import subplots

    from skrnn import RNNClassifier

    rng = np.random.default_rng(0)
    pulse = [70 + 3 * rng.normal(size=n) + (i % 2) * np.arange(n) for i, n in enumerate(rng.integers(8, 20, size=66))]
    X, y = [p[:, None] for p in pulse], np.array(["stable", "worse"] * 33)
    model = RNNClassifier(hidden_size=8, max_epochs=20, random_state=0).fit(X[:60], y[:60])
    figure, ax = subplots(layout="constrained")
    for i, (values, answer) in enumerate(zip(pulse[60:], model.predict(X[60:]), strict=True)):
        hours = np.arange(len(values)) + 24 * i
        ax.plot(hours, values, marker=".", color={"stable": "C0", "worse": "C3"}[answer])
        ax.text(hours[0], 62, f"p{60 + i}: {answer}")
    ax.set(xlabel="hours, one patient after another", ylabel="pulse", xticks=[], ylim=(60, None), title="Six patients that were not in fit")
    return figure


def forecasting() -> Figure:
    from matplotlib.pyplot import subplots

    from skrnn import RNNForecaster
    from skrnn.inspection import ForecastDisplay

    month = np.arange(108)
    sales = (50 + month) * (1 + 0.2 * np.sin(2 * np.pi * month / 12)) * np.exp(0.03 * np.random.default_rng(0).normal(size=108))
    figure, ax = subplots(layout="constrained")
    model = RNNForecaster(horizon=12, random_state=0).fit(None, sales[:96])
    ForecastDisplay.from_estimator(model, sales[:96], ax=ax)
    ax.plot(month[96:], sales[96:], "k.", label="what came")
    ax.set(title="Twelve months ahead", xlabel="month", ylabel="sales")
    ax.legend(loc="upper left")
    return figure


def anomalies() -> Figure:
    from matplotlib.pyplot import subplots

    from skrnn import RNNAnomalyDetector

    steps = np.arange(900)
    X = np.column_stack([np.sin(0.26 * steps), steps % 24 / 24]) + 0.05 * np.random.default_rng(0).normal(size=(900, 2))
    detector = RNNAnomalyDetector(covariates=[1], hidden_size=16, max_epochs=20, random_state=0).fit(X[:700])
    X[800, 0] += 1.5
    figure, (above, below) = subplots(2, 1, sharex=True, layout="constrained")
    above.plot(steps[700:], X[700:, 0])
    above.plot(800, X[800, 0], "o", color="C3", fillstyle="none")
    above.set(ylabel="value", title="One value is off, and scores lowest")
    below.plot(steps[700:], detector.score_samples(X[700:]), color="C1")
    below.axhline(detector.offset_, color="0.5", linestyle=":")
    below.set(xlabel="step", ylabel="score")
    return figure


def reservoirs() -> Figure:
    from matplotlib.pyplot import subplots

    from skrnn import EchoStateRegressor
    from skrnn.datasets import make_mackey_glass

    series = make_mackey_glass(3300, random_state=0)
    model = EchoStateRegressor(alpha="closed_loop", dtype="float64", random_state=0).fit(series[:2999], series[1:3000, 0])
    figure, ax = subplots(layout="constrained")
    ax.plot(np.arange(-100, 300), series[2900:, 0], label="Mackey-Glass")
    ax.plot(np.arange(300), np.ravel(model.forecast(300)), "--", label="the reservoir, on its own output")
    ax.axvline(0, color="0.5", linewidth=0.8)
    ax.set(xlabel="steps after the end of the training data", title="A reservoir goes on by itself")
    ax.legend()
    return figure


def tuning() -> Figure:
    from matplotlib.pyplot import subplots

    from skrnn import RNNRegressor

    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 15, 2))
    y = X[:, :, 0].max(axis=1) + 0.5 * rng.normal(size=160)
    model = RNNRegressor(hidden_size=32, max_epochs=100, early_stopping=True, n_iter_no_change=100, validation_fraction=0.3, random_state=0)
    model.fit(X, y)
    held_out = -np.array(model.validation_scores_)
    figure, ax = subplots(layout="constrained")
    ax.plot(np.arange(1, model.n_iter_ + 1), model.loss_curve_, label="training sequences")
    ax.plot(np.arange(1, model.n_iter_ + 1), held_out, label="held-out sequences")
    ax.axvline(1 + held_out.argmin(), color="0.5", linestyle=":", label="weights that are kept")
    ax.set(xlabel="epoch", ylabel="squared error", title="What early stopping sees")
    ax.legend()
    return figure


def inspection() -> Figure:
    from matplotlib.pyplot import subplots

    from skrnn import RNNClassifier
    from skrnn.inspection import GateDisplay, permutation_importance

    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 12, 3))
    y = X[:, :, 0].max(axis=1) > 1.6
    model = RNNClassifier(hidden_size=8, max_epochs=30, random_state=0).fit(X[:200], y[:200])
    update = GateDisplay.from_estimator(model, X, sequence=3).gates["z"]
    drop = permutation_importance(model, X[200:], y[200:], random_state=0)
    figure, (left, middle, right) = subplots(1, 3, layout="constrained")
    left.plot(X[3])
    left.set(title="a sequence of three channels", xlabel="step")
    middle.imshow(update.T, aspect="auto", cmap="Blues", vmin=0, vmax=1)
    middle.set(title="the update gate of a GRU", xlabel="step", ylabel="unit")
    right.bar(["0", "1", "2"], drop.importances_mean)
    right.set(title="what each channel counts", xlabel="channel", ylabel="accuracy lost")
    return figure


def deployment() -> Figure:
    from matplotlib.pyplot import subplots

    from skrnn import RNNTagger

    rng = np.random.default_rng(0)
    X = [rng.normal(size=(40, 1)) for _ in range(100)]
    y = [np.cumsum(x) > 0 for x in X]
    model = RNNTagger(hidden_size=8, max_epochs=20, random_state=0).fit(X[:90], y[:90])
    # Of the streams that were not learned from, the one that crosses 0 most often.
    stream = max(X[90:], key=lambda x: np.count_nonzero(np.diff(np.sign(np.cumsum(x)))))
    below = np.cumsum(stream).min() - 1
    state, pieces = None, np.split(stream, 8)
    figure, ax = subplots(layout="constrained")
    ax.plot(np.cumsum(stream), color="0.4", label="sum of what came in")
    for i, piece in enumerate(pieces):
        tags, state = model.predict([piece], state=state, return_state=True)
        for value, color in ((True, "C0"), (False, "C1")):
            steps = 5 * i + np.flatnonzero(tags[0] == value)
            ax.plot(steps, np.full(len(steps), below), "s", color=color, label=f"tag: {'above' if value else 'below'} 0" if i == 0 else None)
        ax.axvline(5 * i - 0.5, color="0.8", linewidth=0.8, zorder=0)
    ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    ax.set(xlabel="step", title="A stream in pieces of five steps: the state goes from call to call")
    ax.legend()
    return figure


def text() -> Figure:
    from matplotlib.pyplot import subplots

    from skrnn import RNNTagger
    from skrnn.frontends import Embedding

    rng = np.random.default_rng(0)
    words = ["the", "film", "is", "very", "not", "good", "bad"]
    sentences, moods = [], []
    for _ in range(2000):
        sentence, mood, turn = [], 0, 1
        for word in rng.choice(words, size=rng.integers(3, 9)):
            turn = -turn if word == "not" else turn
            if word in ("good", "bad"):
                mood, turn = turn * (1 if word == "good" else -1), 1
            sentence.append(str(word))
            moods.append(mood)
        sentences.append(sentence)
    ends = np.cumsum([len(s) for s in sentences])
    targets = np.split(np.array(moods), ends[:-1])
    model = RNNTagger(frontend=Embedding(4), hidden_size=32, max_epochs=40, random_state=0).fit(sentences, targets)
    sentence = ["the", "film", "is", "not", "good", "the", "film", "is", "good", "not", "bad", "not", "very", "good"]
    proba = model.predict_proba([sentence])[0]
    figure, ax = subplots(layout="constrained")
    ax.bar(np.arange(len(sentence)), proba[:, -1] - proba[:, 0], color=np.where(proba[:, -1] > proba[:, 0], "C2", "C3"))
    ax.axhline(0, color="0.5", linewidth=0.8)
    ax.set(xticks=np.arange(len(sentence)), xticklabels=sentence, ylabel="P(praise) - P(blame)", title="What has been said so far, word by word")
    return figure


def writing() -> Figure:
    from matplotlib.pyplot import subplots

    from skrnn import Seq2SeqTranslator
    from skrnn.datasets import make_date_strings
    from skrnn.inspection import AttentionDisplay

    X, y = make_date_strings(1500, random_state=0)
    model = Seq2SeqTranslator(hidden_size=32, max_epochs=20, random_state=0).fit(X, y)
    figure, axes = subplots(1, 2, layout="constrained", figsize=(9, 3.4))
    for ax, text in zip(axes, ["friday 1 may 1998", "December 24, 2031"], strict=True):
        AttentionDisplay.from_estimator(model, [text], ax=ax)
    return figure


def trees() -> Figure:
    from matplotlib.pyplot import subplots

    from skrnn import TreeClassifier

    rng = np.random.default_rng(0)
    figure, ax = subplots(layout="constrained", figsize=(9, 2.6))
    feelings = {"dull": 0, "slow": 0, "flat": 0, "fine": 1, "warm": 1, "clever": 1}
    words = {0: ["dull", "slow", "flat"], 1: ["fine", "warm", "clever"]}

    def phrase(depth: int) -> tuple:
        """A phrase, and whether each of its nodes praises: "not" turns what stands beside it, "but" takes what comes last."""
        kind = "word" if depth == 0 else rng.choice(["not", "but", "word"])
        if kind == "word":
            word = str(rng.choice([*feelings]))
            return (word,), [feelings[word]]
        (right, praise) = phrase(depth - 1)
        if kind == "not":
            return (None, ("not",), right), [1 - praise[0], None, *praise]
        (left, before), after = phrase(depth - 1), praise
        return (None, left, (None, ("but",), right)), [after[0], *before, after[0], None, *after]

    phrases, praise = zip(*(phrase(int(rng.integers(1, 5))) for _ in range(600)), strict=True)
    model = TreeClassifier("n_ary", hidden_size=16, max_epochs=10, random_state=0).fit([*phrases], [*praise])
    shown = (None, (words[1][2],), (None, ("but",), (None, ("not",), (None, (words[1][1],), (None, ("but",), (words[0][1],))))))
    (said,) = model.predict_proba([shown])
    draw_tree(ax, shown, said[:, 1])
    return figure


def draw_tree(ax: Any, tree: tuple, shares: np.ndarray) -> None:
    """Nodes from the left to the right, coloured by shares from blame to praise."""
    from matplotlib import colormaps

    from skrnn import as_trees

    ((tokens, parents),) = trees = as_trees([tree])
    place = np.zeros(len(tokens))
    children = [[k for k, parent in enumerate(parents) if parent == node] for node in range(len(tokens))]
    place[[node for node, below in enumerate(children) if not below]] = np.arange(sum(not below for below in children))
    for node in reversed(range(len(tokens))):
        if children[node]:
            place[node] = place[children[node]].mean()
    for node, parent in enumerate(parents[1:], 1):
        ax.plot(place[[node, parent]], -trees.depths[[node, parent]], color="0.7", linewidth=1)
    for node, token in enumerate(tokens):
        box = {"boxstyle": "round", "edgecolor": "0.4", "facecolor": colormaps["RdYlGn"](0.1 + 0.8 * shares[node])}
        ax.text(place[node], -trees.depths[node], token or f"{shares[node]:.2f}", ha="center", va="center", bbox=box)
    ax.set(xlim=(-0.7, place.max() + 0.7), ylim=(-trees.depths.max() - 0.6, 0.6), title="Probability of praise, for each part of a sentence")
    ax.axis("off")


def other_libraries() -> Figure:
    import pandas as pd
    from matplotlib.pyplot import subplots

    from skrnn import RNNForecaster
    from skrnn.adapters import NixtlaForecaster

    months = pd.date_range("2020-01-01", periods=60, freq="MS")
    season, rng = np.sin(np.arange(60) * np.pi / 6), np.random.default_rng(0)
    levels = {"a": 5.0, "b": 9.0}
    parts = [pd.DataFrame({"unique_id": name, "ds": months, "y": x + season + 0.1 * rng.normal(size=60)}) for name, x in levels.items()]
    model = NixtlaForecaster(RNNForecaster(horizon=12, random_state=0)).fit(pd.concat(parts))
    ahead = model.predict(12, level=[80])
    figure, ax = subplots(layout="constrained")
    for i, (name, part) in enumerate(zip(levels, parts, strict=True)):
        rows = ahead[ahead["unique_id"] == name]
        value, lower, upper = (rows[c] for c in ("RNNForecaster", "RNNForecaster-lo-80", "RNNForecaster-hi-80"))
        ax.plot(part["ds"], part["y"], color=f"C{i}", label=f"series {name}")
        ax.plot(rows["ds"], value, "--", color=f"C{i}")
        ax.fill_between(rows["ds"], lower, upper, color=f"C{i}", alpha=0.2)
    ax.set(title="Series of a long frame, forecast by one model")
    ax.legend(loc="center left")
    return figure


def own_cell() -> Figure:
    import torch
    from matplotlib.pyplot import subplots
    from torch import nn

    from skrnn.cells import Cell
    from skrnn.engine import pack, scan, unpack

    class Average(Cell):
        def __init__(self, rate=0.1):
            super().__init__()
            self.rate = rate

        def _build(self, generator):
            self.W = nn.Parameter(torch.ones(self.hidden_size, self.input_size))

        def project(self, x):
            return x @ self.W.T

        def step(self, u, state):
            h = state + self.rate * (u - state)
            return h, h

    from skrnn import as_sequences

    x = np.where(np.arange(120) % 60 < 30, 1.0, -1.0) + 0.4 * np.random.default_rng(0).normal(size=120)
    packed = pack(as_sequences([x[:, None]], dtype="float32"))
    figure, ax = subplots(layout="constrained")
    ax.plot(x, color="0.7", label="input")
    for rate in (0.05, 0.2):
        with torch.no_grad():
            outputs, _ = scan(Average(rate).build(1, 1), packed)
        ax.plot(np.ravel(unpack(outputs).values), label=f"h, rate={rate}")
    ax.set(xlabel="step", title="The state of a cell that averages")
    ax.legend()
    return figure


def compiler() -> Figure:
    wrapped = {name: time for name, time in measured_times().items() if name.endswith((" GRU", " LSTM", " user")) and time < 5}
    return bars(wrapped)


def benchmarks() -> Figure:
    return bars({name.removesuffix(" default"): time for name, time in measured_times().items() if name.endswith(" default")})


def choosing_a_cell() -> Figure:
    import torch
    from matplotlib.pyplot import subplots

    from skrnn import cells

    figure, ax = subplots(figsize=(9, 4.5), layout="constrained")
    for name in cells.__all__:
        time = measured_times().get(f"{name} default")
        built = getattr(cells, name)().build(8, 64, torch.Generator().manual_seed(0))
        weights = sum(w.numel() for w in built.parameters())
        if time is not None and weights and not isinstance(built, cells.Wrapper):  # reservoirs have none, wrappers those of their cell
            ax.plot(weights, time, "o", color="C0")
            side = {"xytext": (-5, -3), "ha": "right"} if name in ("Antisymmetric", "CoRNN", "SLSTM") else {"xytext": (5, -3)}
            ax.annotate(name, (weights, time), textcoords="offset points", **side)
    ax.set(xlabel="weights of a layer of 64 units on 8 channels", ylabel="time / torch.nn.LSTM", xscale="log", xlim=(500, 100_000), ylim=(0.3, None))
    return figure


def measured_times() -> dict[str, float]:
    return json.loads((HERE / "cell_times.json").read_text(encoding="utf-8"))


def bars(times: dict[str, float]) -> Figure:
    from matplotlib.pyplot import subplots

    names = sorted(times, key=times.__getitem__, reverse=True)
    figure, ax = subplots(figsize=(9, 0.6 + 0.2 * len(names)), layout="constrained")
    ax.barh(names, [min(times[name], 3.5) for name in names])
    for i, name in enumerate(names):
        ax.text(min(times[name], 3.5) + 0.02, i, f"{times[name]:g}", va="center", fontsize=8)
    ax.axvline(1, color="C3", linewidth=0.8)
    ax.margins(y=0.01)
    ax.set(xlabel="time of a training step / torch.nn.LSTM", xlim=(0, 3.7))
    return figure


DRAWN: tuple[Callable[[], Figure], ...] = (
    anomalies,
    benchmarks,
    choosing_a_cell,
    compiler,
    deployment,
    forecasting,
    inspection,
    other_libraries,
    own_cell,
    pandas,
    quickstart,
    reservoirs,
    text,
    writing,
    trees,
    tuning,
    user_guide,
)


def main(names: list[str], folder: Path = FOLDER) -> None:
    with matplotlib.rc_context(STYLE):
        for draw in DRAWN:
            if not names or draw.__name__ in names:
                draw().savefig(folder / f"{draw.__name__}.svg", metadata={"Date": None})


if __name__ == "__main__":
    matplotlib.use("Agg")
    main(sys.argv[1:])
