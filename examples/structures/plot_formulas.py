"""
Say what a formula comes to, node by node
=========================================

A tree is read from its leaves to its root, and any node may have an
answer. Here trees are Boolean formulas of up to four levels, and each part
of them is true or false. What was learned holds for formulas that are
deeper than any that were seen: the same cell stands at every node.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNClassifier, TreeClassifier
from skrnn.datasets import make_boolean_trees

X, y = make_boolean_trees(1000, per_node=True, random_state=0)
print(X)
print(X[0])

# %%
# Two children of an operator have places, first and second: the cell
# "n_ary" knows them. ``y`` is a list with a target for every node.
model = TreeClassifier(
    "n_ary", hidden_size=32, max_epochs=6, random_state=0
)
model.fit(X, y)

# %%
# A network that reads the formula as a row of words, with its brackets,
# learns from the same formulas, and has to find out what belongs together.


def written(tree):
    """The words of a formula, with brackets."""
    tokens, parents = tree
    parts = [[] for _ in tokens]
    for node in reversed(range(len(tokens))):
        words = [tokens[node], *parts[node]]
        if parts[node]:
            words = ["(", *words, ")"]
        if node:
            up = parents[node]
            parts[up] = words + parts[up]
    return words


row = RNNClassifier("lstm", hidden_size=32, max_epochs=6, random_state=0)
row.fit([written(tree) for tree in X], [values[0] for values in y])

# %%
depths = [3, 4, 5, 6, 7]
of_trees, of_rows = [], []
for depth in depths:
    trees, values = make_boolean_trees(
        300, min_depth=depth, max_depth=depth, random_state=depth
    )
    said = [nodes[0] for nodes in model.predict(trees)]
    of_trees.append(np.mean(said == values))
    of_rows.append(row.score([written(tree) for tree in trees], values))
print(
    f"right at depth 6: {of_trees[3]:.3f} by trees, {of_rows[3]:.3f} not"
)

# %%
# One formula, with what the network says of each of its nodes.
tree, truth = make_boolean_trees(
    1, min_depth=5, max_depth=5, per_node=True, random_state=6
)
tokens, parents = tree[0]
said = model.predict(tree)[0]
place = np.zeros(len(tokens))
leaves = [k for k in range(len(tokens)) if k not in parents]
place[leaves] = np.arange(len(leaves))
for node in reversed(range(len(tokens))):
    if node not in leaves:
        place[node] = place[
            [k for k, p in enumerate(parents) if p == node]
        ].mean()

figure, (left, right) = plt.subplots(
    1,
    2,
    figsize=(12, 4),
    width_ratios=[2, 1],
    layout="constrained",
)
height = -tree.depths
for node, parent in enumerate(parents[1:], 1):
    left.plot(place[[node, parent]], height[[node, parent]], color="0.7")
for node, token in enumerate(tokens):
    left.text(
        place[node],
        height[node],
        token,
        ha="center",
        va="center",
        color="white",
        bbox={
            "boxstyle": "round",
            "edgecolor": "black" if said[node] == truth[0][node] else "C3",
            "facecolor": "C0" if said[node] else "0.35",
        },
    )
left.set(
    title="Blue: said to be true; grey: false; red frame: wrong",
    xlim=(-1, len(leaves)),
)
left.axis("off")
right.plot(depths, of_trees, marker="o", label="TreeClassifier")
right.plot(depths, of_rows, marker="o", label="RNNClassifier, LSTM")
right.axvspan(2.5, 4.5, color="0.93")
right.text(3.5, 0.42, "depths in fit", ha="center")
right.set(
    xlabel="depth", title="Formulas that are right", ylim=(0.4, 1.02)
)
right.set_xticks(depths)
right.legend()
figure.savefig("formulas.png", dpi=120)
