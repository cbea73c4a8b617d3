"""
Copy with a memory that is read and written
===========================================

A neural Turing machine reads vectors of bits, and gives them out again
when an end is marked. It is trained on one to six vectors, and asked
for ten.
"""

# %%
# 16,000 sequences, each seen once. The LSTM has as many weights, and has
# to keep the bits in its units.
import matplotlib.pyplot as plt
import numpy as np

from skrnn import NeuralTuringMachine
from skrnn.cells import NTM
from skrnn.datasets import make_copy_memory
from skrnn.inspection import MemoryDisplay

X, y, _ = make_copy_memory(16_000, random_state=0)
machine = NeuralTuringMachine(
    cell=NTM(controller="feedforward"), max_epochs=1, random_state=0
).fit(X, y)
lstm = NeuralTuringMachine(
    cell="lstm", hidden_size=20, max_epochs=1, random_state=0
).fit(X, y)

# %%
# Bits that are wrong, at lengths that were and were not trained on.
for length in (5, 8, 10):
    X_long, y_long, scored = make_copy_memory(
        100, min_length=length, max_length=length, random_state=1
    )
    there = np.concatenate(scored)
    wanted = np.concatenate(y_long)[there]
    wrong = {}
    for name, model in {"machine": machine, "LSTM": lstm}.items():
        answers = np.concatenate(model.predict(X_long))[there]
        wrong[name] = np.mean(answers != wanted)
    print(
        f"{length:2} vectors, bits that are wrong: "
        + ", ".join(f"{name} {share:.1%}" for name, share in wrong.items())
    )

# %%
# Where the heads are while the last of these is read and given out: each
# vector is written into a slot of its own, and read from there.
MemoryDisplay.from_estimator(machine, X_long, sequence=0)
plt.savefig("copy_memory.png", dpi=120)
