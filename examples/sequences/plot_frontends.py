"""
Classify words, categories and pictures
=======================================

Recurrent layers read numbers. A *frontend* makes them: of the words of a
message, of a category beside a measurement, of the pictures of a film.
"""

# %%
# Words. Does a message complain? What counts is the last opinion in it.
# The embedding learns a vector for each word.
import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNClassifier
from skrnn.frontends import Conv1d, Embedding, PerFrame

rng = np.random.default_rng(0)
praise, blame = (
    ["great", "lovely", "fast", "kind"],
    ["late", "broken", "rude", "slow"],
)
others = ["the", "parcel", "was", "and", "then", "driver", "but", "very"]


def message():
    words = list(rng.choice(others, rng.integers(3, 7)))
    opinions = list(rng.choice(praise + blame, rng.integers(1, 4)))
    for opinion in opinions:
        words += [opinion, *rng.choice(others, rng.integers(0, 3))]
    return words, "complaint" if opinions[-1] in blame else "praise"


X, y = zip(*(message() for _ in range(600)), strict=True)
X, y = list(X), np.array(y)
words = RNNClassifier(
    frontend=Embedding(2),
    bidirectional=False,
    max_epochs=30,
    random_state=0,
).fit(X[:400], y[:400])
print(f"messages: accuracy {words.score(X[400:], y[400:]):.3f}")

# %%
# A category beside a number. Twelve degrees are too many in a fridge,
# right in a cellar, and few in a room.
normal = {"fridge": 5, "cellar": 12, "room": 20}
places = rng.choice(list(normal), 400)
hot = rng.random(400) < 0.5
X_places = []
for place, too_hot in zip(places, hot, strict=True):
    drift = (3 if too_hot else -3) * rng.random(rng.integers(5, 12))
    X_places.append(
        [[place, normal[place] + value + rng.normal()] for value in drift]
    )
readings = RNNClassifier(
    frontend=Embedding(3, channels=[0]), max_epochs=30, random_state=0
).fit(X_places[:300], hot[:300])
print(f"places: accuracy {readings.score(X_places[300:], hot[300:]):.3f}")


# %%
# Pictures. A ball rolls to the left or to the right; a small network of
# filters sees each frame, the recurrent layer the film.
def film(to_right):
    frames = rng.normal(scale=0.3, size=(rng.integers(5, 9), 12, 12))
    row, start = rng.integers(1, 10), rng.integers(0, 4)
    for t, frame in enumerate(frames):
        column = start + t if to_right else 11 - start - t
        frame[row : row + 2, column : column + 2] += 1.5
    return frames


right = rng.random(200) < 0.5
films = [film(to_right) for to_right in right]
seen = RNNClassifier(
    frontend=PerFrame(size=8, n_filters=4), max_epochs=15, random_state=0
).fit(films[:150], right[:150])
print(f"films: accuracy {seen.score(films[150:], right[150:]):.3f}")

# %%
# Long signals. A filter with a stride makes 400 steps into 25, which the
# recurrent layer reads fast.
fast = rng.random(200) < 0.5
waves = [
    np.sin(np.arange(400) * (0.55 if quick else 0.5) + rng.uniform(0, 6))[
        :, None
    ]
    + rng.normal(scale=0.5, size=(400, 1))
    for quick in fast
]
filtered = RNNClassifier(
    frontend=Conv1d(8, kernel_size=31, stride=16),
    max_epochs=30,
    random_state=0,
).fit(waves[:150], fast[:150])
print(f"waves: accuracy {filtered.score(waves[150:], fast[150:]):.3f}")

# %%
# What the embedding has learned: praise and blame stand apart, the other
# words between them.
vectors = words.network_.frontend.vectors.W.detach().numpy()
figure, (left, middle, end) = plt.subplots(
    1, 3, figsize=(13, 4), layout="constrained"
)
kinds = {"praise": praise, "blame": blame, "others": others}
for kind, members in kinds.items():
    rows = np.searchsorted(words.encoding_.categories_[0], members)
    left.scatter(*vectors[rows].T, label=kind)
    for word, (a, b) in zip(members, vectors[rows], strict=True):
        left.annotate(
            word,
            (a, b),
            fontsize=8,
            xytext=(3, 3),
            textcoords="offset points",
        )
left.set(
    title="A vector for each word",
    xlabel="first number",
    ylabel="second number",
)
left.legend()
middle.imshow(np.hstack(films[0][[0, 2, 4]]), cmap="Greys")
middle.set(
    title=f"Steps 1, 3, 5 of a film ({'right' if right[0] else 'left'})",
    xticks=[],
    yticks=[],
)
for weights in filtered.network_.frontend.W.detach().numpy()[:3]:
    end.plot(np.arange(-30, 1), weights)
end.set(
    title="Three of the filters along time",
    xlabel="steps before the end of a block",
)
figure.savefig("frontends.png", dpi=120)
