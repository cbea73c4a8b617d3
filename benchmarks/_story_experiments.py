"""Questions about stories: what tests of learning hold to a floor, and what ``reproductions`` prints."""

from __future__ import annotations

import re
from typing import Any

from skrnn import MemoryNetworkClassifier, RNNClassifier
from skrnn.datasets import make_stories


def story_error(task: str, seed: int, *, supervised: bool = False, **settings: Any) -> float:
    """Share of 1,000 questions about other stories that are answered wrongly after 1,000 were learned from; the facts may be told there."""
    X, y, facts = make_stories(task, return_facts=True, random_state=seed)
    model = MemoryNetworkClassifier(random_state=seed, **settings).fit(X, y, facts=facts if supervised else None)
    return 1.0 - float(model.score(*make_stories(task, random_state=1000 + seed)))


def flat_story_error(task: str, seed: int) -> float:
    """The same by an LSTM that reads story and question as one text, and answers at its end."""
    model = RNNClassifier("lstm", hidden_size=32, bidirectional=False, pooling="last", max_epochs=40, random_state=seed)
    (X, y), (X_test, y_test) = (make_stories(task, random_state=start + seed) for start in (0, 1000))
    return 1.0 - float(model.fit(_flat(X), y).score(_flat(X_test), y_test))


def _flat(X: list[tuple[list[str], str]]) -> list[list[str]]:
    return [re.findall(r"\w+", " ".join([*story, question])) for story, question in X]
