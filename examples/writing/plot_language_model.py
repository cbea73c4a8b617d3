"""
Write like the texts that were read
===================================

A language model tells the next character of a text from all before it.
What it tells can be written, character by character. The temperature
decides how much it dares: a cold one repeats what is likeliest, a hot one
invents words. The number is how many bits a character of other texts has
left, once the network has read them up to there.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from skrnn import RNNLanguageModel
from skrnn.datasets import make_reviews

reviews, _ = make_reviews(600, random_state=0)
train, test = "\n".join(reviews[:400]), "\n".join(reviews[400:])
print(train[:70])

# %%
# An LSTM of 64 units reads the reviews as one long text, in several
# streams side by side.
model = RNNLanguageModel(hidden_size=64, max_epochs=8, random_state=0).fit(
    train
)
temperatures = [0.2, 0.7, 1.0, 1.5]
for temperature in temperatures:
    text = model.generate(
        "The ", 60, temperature=temperature, random_state=0
    )
    print(f"{temperature}: The {text!r}")

# %%
# The hotter it writes, the fewer of its words are words of the reviews.
words, shares = set(train.split()), []
for temperature in temperatures:
    texts = model.generate(
        ["\n"] * 50, 100, temperature=temperature, random_state=0
    )
    written = [word for text in texts for word in text.split()[:-1]]
    shares.append(np.mean([word in words for word in written]))
print(f"bits per character {model.bits_per_char(test):.3f}")

# %%
# Most characters can be told from those before; at the beginning of a word
# several may follow.
said = -model.log_likelihood(test[:60]) / np.log(2)
figure, (left, right) = plt.subplots(
    1,
    2,
    figsize=(12, 4),
    width_ratios=[3, 1],
    layout="constrained",
)
left.bar(range(60), said)
left.set_xticks(range(60), [repr(c)[1:-1] for c in test[:60]])
left.set(ylabel="bits", title="What a character adds")
right.plot(temperatures, shares, marker="o")
right.set(xlabel="temperature", title="Words that are in the reviews")
right.set_ylim(0, 1.05)
figure.savefig("language_model.png", dpi=120)
