"""
Read lines of text from pictures
================================

A line of text is a sequence of columns of pixels. Letters are of
different widths, and stand close: to cut them apart one would have to know
them already. A transcriber reads the line as a whole, and learns from
lines and what they say.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np

from skrnn import SequenceTranscriber
from skrnn.datasets import make_text_lines
from skrnn.frontends import Conv1d

X, y = make_text_lines(700, max_words=2, random_state=0)
X_train, X_test, y_train, y_test = X[:600], X[600:], y[:600], y[600:]

# %%
# Filters see five columns of eight pixels, and lines lie higher or lower.
model = SequenceTranscriber(
    hidden_size=48,
    frontend=Conv1d(32, kernel_size=5, causal=False),
    max_epochs=15,
    random_state=0,
).fit(X_train, y_train)
read = model.predict(X_test)
exact = np.mean([a == b for a, b in zip(read, y_test, strict=True)])
print(f"lines without an error {exact:.2f}")

# %%
# Where the letters are nobody has said. The network has found out.
figure, axes = plt.subplots(3, figsize=(9, 4), layout="constrained")
for ax, line, text, spans in zip(
    axes, X_test, read, model.predict_alignment(X_test[:3]), strict=False
):
    ax.imshow(line.T, cmap="Greys")
    for letter, (start, stop) in zip(text, spans, strict=True):
        ax.text((start + stop - 1) / 2, -1, letter, ha="center")
    ax.set(xlim=(-1, 76), anchor="W")
    ax.set_axis_off()
figure.savefig("text_lines.png", dpi=120)
