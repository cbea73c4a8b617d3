"""Diagrams in notebooks: cells and frontends are blocks, with their own tables."""

import re

import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import EchoStateClassifier, RNNClassifier, RNNForecaster, Seq2SeqRegressor, cells, frontends
from skrnn.cells import LSTM, Leaky, Parametrised, Reservoir
from skrnn.frontends import Conv1d


def labels(html):
    """The headings of the blocks."""
    return re.findall(r'class="sk-toggleable__label[^"]*"><div><div>([^<]+)<', html)


def rows(html, prefix):
    """The parameters in the table of the block with a prefix, and whether each was set."""
    (block,) = re.findall(rf'data-param-prefix="{prefix}">(.*?)</table>', html, re.DOTALL)
    return {name: kind for kind, name in re.findall(r'<tr class="([\w-]+)">.*?<td class="param">(\w+)</td>', block, re.DOTALL)}


PUBLIC = [getattr(room, name) for room in (cells, frontends) for name in room.__all__]
KINDS = [kind for kind in PUBLIC if isinstance(kind, type) and issubclass(kind, Parametrised)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_or_frontend_has_a_diagram(kind):
    thing = kind()
    html = thing._repr_html_()
    assert labels(html)[0] == type(thing).__name__
    assert set(rows(html, "")) == set(thing.get_params(deep=False))
    assert thing._repr_mimebundle_()["text/plain"] == repr(thing)


def test_a_cell_in_a_cell_in_an_estimator_is_a_block_in_a_block_in_a_block():
    model = RNNClassifier(Leaky(LSTM(peephole=True)), frontend=Conv1d(8), hidden_size=4)
    html = model._repr_html_()
    assert labels(html) == ["RNNClassifier", "cell: Leaky", "cell: LSTM", "LSTM", "frontend: Conv1d", "Conv1d"]
    assert set(rows(html, "")) == set(model.get_params(deep=False))
    of_lstm = rows(html, "cell__cell__")
    assert [name for name, kind in of_lstm.items() if kind == "user-set"] == ["peephole"]


def test_a_name_is_no_block():
    for model in (RNNClassifier(), RNNForecaster(), Seq2SeqRegressor(), EchoStateClassifier()):
        assert labels(model._repr_html_()) == [type(model).__name__]


def test_reservoirs_and_their_readouts_are_blocks():
    html = EchoStateClassifier(cell=Reservoir(density=0.2), readout=LogisticRegression())._repr_html_()
    assert {"cell: Reservoir", "readout: LogisticRegression"} <= set(labels(html))


def test_a_pipeline_shows_the_cell_of_its_last_step():
    html = make_pipeline(StandardScaler(), RNNClassifier(LSTM()))._repr_html_()
    assert "cell: LSTM" in labels(html)


def test_a_fitted_estimator_and_its_clone_are_told_apart():
    model = RNNClassifier(LSTM(), hidden_size=2, max_epochs=1).fit([[0.0, 1.0], [1.0, 0.0]], [0, 1])
    assert "<span>Fitted</span>" in model._repr_html_()
    assert "<span>Not fitted</span>" in clone(model)._repr_html_()


def test_text_is_shown_where_it_is_asked_for():
    with config_context(display="text"):
        assert not hasattr(LSTM(), "_repr_html_")
        assert set(LSTM()._repr_mimebundle_()) == {"text/plain"}
