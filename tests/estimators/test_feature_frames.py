"""Features of the sequences of a long frame come as a frame with a row for each sequence, where frames are asked for."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from skrnn import EchoStateTransformer, LiquidStateTransformer, RNNClassifier, RNNRegressor

TINY = {"hidden_size": 4, "random_state": 0}
RNG = np.random.default_rng(0)
LENGTHS = [5, 3, 6, 4]
INDEX = pd.MultiIndex.from_tuples([(name, t) for name, n in zip("dbca", LENGTHS, strict=True) for t in range(n)], names=["patient", "time"])
LONG = pd.DataFrame(RNG.normal(size=(len(INDEX), 2)), INDEX, ["pulse", "temp"])
MIXED = LONG.sort_index(level="time", sort_remaining=False)
TRANSFORMERS = {
    "classifier": RNNClassifier(max_epochs=1, **TINY),
    "regressor": RNNRegressor(max_epochs=1, **TINY),
    "reservoir": EchoStateTransformer(**TINY),
    "liquid": LiquidStateTransformer(random_state=0),
}
every_transformer = pytest.mark.parametrize("transformer", TRANSFORMERS.values(), ids=TRANSFORMERS)


@every_transformer
@pytest.mark.parametrize("X", [LONG, MIXED, LONG["pulse"]], ids=["sorted", "mixed", "one channel"])
def test_instances_are_the_rows(transformer, X):
    plain = transformer.set_output(transform="default").fit(X, [0, 1, 0, 1]).transform(X)
    assert type(plain) is np.ndarray
    transformer.set_output(transform="pandas")
    for frame in (transformer.transform(X), transformer.fit_transform(X, [0, 1, 0, 1])):
        pd.testing.assert_index_equal(frame.index, X.index.unique("patient"))
        assert frame.columns.tolist() == transformer.get_feature_names_out().tolist()
        np.testing.assert_array_equal(frame, plain)
    assert transformer.set_output(transform="polars").transform(X).shape == plain.shape
    transformer.set_output(transform="default")


def test_pipelines_and_unions_keep_the_instances():
    reservoirs = make_union(EchoStateTransformer(**TINY), EchoStateTransformer(hidden_size=3, random_state=1))
    with config_context(transform_output="pandas"):
        frame = make_pipeline(reservoirs, StandardScaler()).fit_transform(LONG)
    assert frame.index.tolist() == list("dbca")
    assert frame.index.name == "patient"


def test_states_of_all_steps_keep_the_rows():
    frame = EchoStateTransformer(pooling=None, **TINY).set_output(transform="pandas").fit_transform(LONG)
    pd.testing.assert_index_equal(frame.index, INDEX)
