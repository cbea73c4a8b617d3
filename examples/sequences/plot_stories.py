"""
Answer questions about a story, and see which sentences it takes
================================================================

Where the book is follows from who took it, and from where they went
then: one fact leads to the next. A memory network keeps the sentences of
the story apart and looks at them three times; what it finds the first
time decides what it looks for the second time. The picture shows where
it looks.
"""

# %%
import matplotlib.pyplot as plt

from skrnn import MemoryNetworkClassifier
from skrnn.datasets import make_stories

X, y = make_stories("two_facts", 1000, random_state=0)
story, question = X[2]
print(*story, question, y[2], sep="\n")

# %%
# Other stories are for the test: neighbours in a set of questions are
# about the same one. Guessing a place is right once in six times.
model = MemoryNetworkClassifier(max_epochs=60, random_state=0).fit(X, y)
X_test, y_test, facts = make_stories(
    "two_facts", 200, return_facts=True, random_state=1
)
print(f"right {model.score(X_test, y_test):.3f}")

# %%
# Two stories that are answered rightly, the facts in bold: the weights of
# the sentences in each hop.
right = model.predict(X_test) == y_test
chosen = [
    i
    for i, (told, _) in enumerate(X_test)
    if right[i]
    and 8 <= len(told) <= 12
    and abs(facts[i][0] - facts[i][1]) > 1
][:2]
looks = model.attention(X_test)
figure, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
for ax, i in zip(axes, chosen, strict=True):
    told, asked = X_test[i]
    image = ax.imshow(
        looks[i, :, : len(told)].T, vmin=0, vmax=1, cmap="Blues"
    )
    ax.set_aspect("auto")
    ax.set_xticks(range(3), ["hop 1", "hop 2", "hop 3"])
    ax.set_yticks(range(len(told)), told)
    for k in facts[i]:
        ax.get_yticklabels()[k].set_fontweight("bold")
    ax.set_title(f"{asked} — {model.predict([X_test[i]])[0]}")
figure.colorbar(image, ax=axes, label="weight of the sentence")
figure.savefig("stories.png", dpi=120)
