"""What comes next in a text: probabilities, streams, writing."""

import pickle
import pickletools
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils import get_tags

from skrnn import RNNLanguageModel
from skrnn.cells import GRU, LSTM
from skrnn.engine import BPTT, TruncatedBPTT
from skrnn.inspection import GateDisplay, LossCurveDisplay
from skrnn.training import ActivationPenalty, AdditiveOutliers, WeightNoise

TEXT = "the cat sat on the mat. the dog sat on the log; the cat saw the dog. " * 6
NAMES = ["anna", "bo", "clara", "dan", "eva", "fritz", "gina", "h"] * 4
WORDS = [text.split() for text in ("the cat sat", "the dog sat on the log", "on the mat")] * 3
CODES = (np.arange(300) ** 2 % 7) + 100
FRAMES = (np.random.default_rng(0).random((120, 4)) < [0.1, 0.3, 0.5, 0.9]).astype(float)
DATA = {
    "char": ({}, TEXT),
    "texts": ({}, NAMES),
    "word": ({"level": "word"}, TEXT),
    "tokens": ({"level": "token"}, WORDS),
    "codes": ({"level": "token"}, CODES),
    "binary": ({"level": "binary"}, FRAMES),
    "pieces": ({"level": "binary"}, [FRAMES[:50], FRAMES[50:], FRAMES[:3]]),
}
WAYS = [
    {},
    {"cell": "lstm", "n_layers": 2, "dropout": 0.3, "embedding_dropout": 0.2},
    {"cell": LSTM(peephole=True), "tie_weights": True, "dtype": "float64"},
    {"cell": "elman", "softmax": "adaptive", "embedding_size": 5, "handle_unknown": "use"},
]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)
every_data = pytest.mark.parametrize("kind", DATA)


def make(**settings):
    return RNNLanguageModel(**{"hidden_size": 12, "max_epochs": 3, "bptt_steps": 16, "batch_size": 4, "random_state": 0} | settings)


def fitted(kind="char", **settings):
    level, X = DATA[kind]
    return make(**level | settings).fit(X)


@cache
def trained(kind):
    """A model that has learned its text, for tests that change nothing."""
    return fitted(kind, hidden_size=24, batch_size=2, dropout=0.0, learning_rate=0.03, max_epochs=25)


def several(kind):
    """Three texts or so of a kind."""
    X = DATA[kind][1]
    if kind == "word":
        return ["the cat sat on", "the dog saw the mat.", "log"]
    return X if isinstance(X, list) else [X[:30], X[5:18], X[40:41]]


# -- what is said ----------------------------------------------------------------------------------------------------------------------------------


@every_data
def test_texts_do_not_depend_on_their_company(kind):
    model, texts = fitted(kind), several(kind)
    together = model.log_likelihood(texts)
    vectors = model.transform(texts)
    for text, said, vector in zip(texts, together, vectors, strict=True):
        np.testing.assert_array_equal(model.log_likelihood([text])[0], said)
        np.testing.assert_array_equal(model.transform([text])[0], vector)
    assert model.score(texts) == np.concatenate(together).mean()


@every_way
def test_a_text_can_be_read_in_pieces(way):
    model = make(**way).fit(TEXT)
    whole, vectors = model.log_likelihood(TEXT), model.transform(TEXT)
    for cuts in ([1, 7, 100], [200], list(range(1, 40))):
        state, said, seen, other = None, [], [], None
        for piece in np.split(np.array(list(TEXT)), cuts):
            part, state = model.log_likelihood("".join(piece), state=state, return_state=True)
            vector, other = model.transform("".join(piece), state=other, return_state=True)
            said.append(part)
            seen.append(vector)
        np.testing.assert_array_equal(np.concatenate(said), whole)
        np.testing.assert_array_equal(np.concatenate(seen), vectors)


@every_data
def test_prefixes_are_told_what_the_text_is_told(kind):
    model, texts = fitted(kind), several(kind)
    for text, said in zip(texts, model.log_likelihood(texts), strict=True):
        pieces = text.split(" ") if kind == "word" else text  # no punctuation marks but at the end
        for k in range(1, min(len(pieces) - 1, 6)):
            p = model.predict_proba(" ".join(pieces[:k]) if kind == "word" else text[:k])
            if model.level == "binary":
                expected = np.log(np.where(text[k] > 0, p, 1 - p)).sum()
            else:
                expected = np.log(p[model.vocabulary_.tolist().index(pieces[k])])
            assert said[k] == pytest.approx(expected, abs=1e-5)


@every_way
def test_probabilities_sum_to_one(way):
    model = make(**way).fit(NAMES)
    p = model.predict_proba(["", "a", "clar"])
    assert p.shape == (3, len(model.vocabulary_) + 1 + (model.handle_unknown == "use"))
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert model.log_likelihood("clara")[-1] == pytest.approx(np.log(model.predict_proba("clara")[-1]), abs=1e-5)  # the end


@pytest.mark.parametrize(("text", "n"), [(TEXT, len(set(TEXT))), (NAMES, len(set("".join(NAMES))) + 1)], ids=["text", "ends"])
def test_a_uniform_model_is_as_unsure_as_there_are_tokens(text, n):
    model = make(max_epochs=1).fit(text)
    for weight in model.network_.head.parameters():
        torch.nn.init.zeros_(weight)
    assert model.perplexity(text) == pytest.approx(n, rel=1e-6)
    if text is TEXT:
        assert model.bits_per_char(text) == pytest.approx(np.log2(n), rel=1e-6)


def test_bits_are_counted_for_characters_whatever_the_tokens_are():
    model = fitted("word")
    assert model.bits_per_char(TEXT) == pytest.approx(-model.log_likelihood(TEXT).sum() / np.log(2) / len(TEXT))
    with pytest.raises(ValueError, match="bits_per_char is of texts"):
        fitted("codes").bits_per_char(CODES)


def test_vectors_are_what_the_next_token_is_told_from():
    model = fitted()
    head = model.network_.head
    z = model.transform("the d")[-1] @ head.W.detach().numpy().T + head.b.detach().numpy()
    np.testing.assert_allclose(model.predict_proba("the d"), np.exp(z) / np.exp(z).sum(), rtol=1e-5)


@pytest.mark.parametrize("steps", [1, 5, 16, 10_000])
def test_scores_do_not_depend_on_how_training_cuts(steps):
    model = fitted("texts")
    said = model.score(NAMES)
    assert model.set_params(bptt_steps=steps, batch_size=1).score(NAMES) == said


# -- learning --------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["char", "texts", "word", "tokens", "codes"])
def test_it_learns_what_is_there(kind):
    assert trained(kind).score(DATA[kind][1]) > 0.6 * make(**DATA[kind][0], max_epochs=1, learning_rate=1e-9).fit(DATA[kind][1]).score(DATA[kind][1])


@every_way
def test_the_seed_decides_all(way):
    first, again, other = (make(**way | {"random_state": seed}).fit(NAMES) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.predict_proba(NAMES), again.predict_proba(NAMES))
    assert not np.array_equal(first.predict_proba(NAMES), other.predict_proba(NAMES))


def test_a_fit_touches_no_global_random_state():
    before, there = torch.get_rng_state(), np.random.get_state()[1].copy()
    fitted("texts", softmax="adaptive", dropout=0.5, n_layers=2).generate("a", 5)
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], there)


def test_learning_goes_on():
    model = make(warm_start=True, max_epochs=2).fit(TEXT)
    model.fit(TEXT)
    assert len(model.loss_curve_) == model.n_iter_ == 4
    before = model.score(TEXT)
    for _ in range(5):
        model.partial_fit(TEXT)
    assert model.score(TEXT) > before
    assert model.n_iter_ == 9


def test_texts_may_come_one_after_the_other():
    model = make(vocabulary=sorted(set("".join(NAMES))))
    for name in iter(NAMES):
        model.partial_fit([name])
    assert model.vocabulary_.tolist() == sorted(set("".join(NAMES)))
    assert model.generate([""] * 3, 4, random_state=0) == model.generate([""] * 3, 4, random_state=0)


def test_another_vocabulary_is_refused():
    model = make().fit("abcabc" * 9)
    with pytest.raises(ValueError, match=r"X\[2\] is 'd', a token that was not seen in fit"):
        model.partial_fit("abdc")
    with pytest.raises(ValueError, match="vocabulary is not that of the first fit"):
        model.set_params(vocabulary="abcd").partial_fit("abc")
    assert model.n_iter_ == 3


def test_an_iterator_and_a_column_are_lists_of_texts():
    expected = fitted("texts").score(NAMES)
    assert make().fit(iter(NAMES)).score(pd.Series(NAMES)) == expected
    assert make().fit(pd.DataFrame({"name": NAMES})).score(np.array(NAMES)) == expected


def test_a_memory_mapped_file_is_an_array(tmp_path):
    CODES.astype(np.uint16).tofile(tmp_path / "codes")
    mapped = np.memmap(tmp_path / "codes", dtype=np.uint16, mode="r")
    model, plain = make(level="token").fit(mapped), fitted("codes")
    assert model.score(mapped) == plain.score(CODES)
    assert model.vocabulary_.tolist() == plain.vocabulary_.tolist()
    assert all(type(token) is int for token in model.vocabulary_)
    assert model.partial_fit(mapped[:100]).n_iter_ == 4


def test_held_out_text_tells_when_to_stop():
    model = make(max_epochs=30, n_iter_no_change=2, learning_rate=0.1, early_stopping=True).fit(NAMES)
    assert len(model.validation_scores_) == model.n_iter_ < 30
    assert model.best_epoch_ == int(np.argmax(model.validation_scores_)) + 1
    model = make(max_epochs=4, schedule="plateau").fit(TEXT[:200], X_val=TEXT[200:])
    assert len(model.validation_scores_) == 4
    assert model.score(TEXT[200:]) == pytest.approx(max(model.validation_scores_), rel=1e-6)
    assert len(make(early_stopping=True).fit(TEXT).validation_scores_) == 3
    with pytest.raises(ValueError, match="X_val is passed to fit while early_stopping=False"):
        make(early_stopping=False).fit(TEXT, X_val=TEXT)


def test_ties_save_weights_and_stay_tied():
    model, free = fitted(tie_weights=True), fitted()
    assert free.n_parameters_ - model.n_parameters_ == len(model.vocabulary_) * 12
    model = pickle.loads(pickle.dumps(model))
    model.partial_fit(TEXT)
    assert model.network_.head.W is None
    assert clone(model).fit(TEXT).score(TEXT) < 0


def test_rules_and_penalties_that_fit():
    assert fitted(rule=BPTT(grad_path="cell_only"), cell="lstm").loss_curve_ != fitted(cell="lstm").loss_curve_
    assert fitted(penalties=WeightNoise(0.05)).loss_curve_ != fitted().loss_curve_
    with pytest.raises(ValueError, match="LanguageNetwork knows no penalties but WeightNoise"):
        fitted(penalties=ActivationPenalty())
    with pytest.raises(ValueError, match="LanguageNetwork knows no penalties but WeightNoise"):
        fitted("binary", penalties=AdditiveOutliers())
    for rule in ("rtrl", "guessing", TruncatedBPTT()):
        with pytest.raises(ValueError, match=r"'rule' parameter .* 'bptt' or a skrnn.engine.BPTT"):
            fitted(rule=rule)


# -- writing ---------------------------------------------------------------------------------------------------------------------------------------


@every_data
def test_as_much_is_written_as_asked(kind):
    model = fitted(kind, end_of_text=False) if kind != "binary" and kind != "pieces" else fitted(kind)
    texts = several(kind)
    written = model.generate(texts, 7, random_state=0)
    assert len(written) == len(texts)
    for text in written:
        assert len(text.split(" ") if kind == "word" else text) == 7
    one = model.generate(texts[0], 7, random_state=0)
    assert type(one) is type(written[0])
    np.testing.assert_array_equal(one, written[0])
    assert len(model.generate(n=3, random_state=0)) > 0


@every_way
def test_the_likeliest_is_written_in_the_limit(way):
    model = make(**way).fit(TEXT)
    prompts = ["the ", "", "cat", "the dog sat o"]
    greedy = model.generate(prompts, 20, temperature=0)
    assert greedy == model.generate(prompts, 20, top_k=1, random_state=1) == model.generate(prompts, 20, temperature=1e-9, random_state=2)
    assert greedy == model.generate(prompts, 20, top_p=1e-9, random_state=3) == [model.generate(p, 20, temperature=0) for p in prompts]
    for prompt, text in zip(prompts, greedy, strict=True):
        p = model.predict_proba([prompt + text[:k] for k in range(20)])[:, : len(model.vocabulary_)]
        assert "".join(model.vocabulary_[p.argmax(axis=1)]) == text


def test_tokens_are_written_as_often_as_they_are_likely():
    model = trained("char")
    p = model.predict_proba("the ")
    drawn = np.array(list("".join(model.generate(["the "] * 20_000, 1, random_state=0))))
    shares = np.array([np.mean(drawn == token) for token in model.vocabulary_])
    np.testing.assert_allclose(shares, p, atol=5 * np.sqrt(0.25 / 20_000))
    few = set(model.generate(["the "] * 500, 1, top_k=3, random_state=0))
    assert few == set(model.vocabulary_[np.argsort(-p)[:3]])
    order = np.argsort(-p)
    nucleus = order[: int(np.searchsorted(np.cumsum(p[order]), 0.6)) + 1]
    assert set(model.generate(["the "] * 2000, 1, top_p=0.6, random_state=0)) == set(model.vocabulary_[nucleus])


def test_a_low_temperature_makes_likely_texts():
    model = trained("char")
    cold, warm, hot = (
        np.mean([model.score("the " + text) for text in model.generate(["the "] * 20, 30, temperature=t, random_state=0)]) for t in (0.3, 1.0, 3.0)
    )
    assert cold > warm > hot


def test_prompts_do_not_depend_on_those_behind_them():
    model = fitted("texts")
    many = model.generate(["a", "", "cl", "e"], 8, random_state=0)
    assert model.generate(["a", ""], 8, random_state=0) == many[:2]
    assert model.generate(["a", "", "cl", "e"], 8, random_state=1) != many


def test_many_prompts_are_written_in_lots(monkeypatch):
    model = fitted()
    whole = model.generate(["the ", "cat", "", "dog", "a"], 9, random_state=0)
    monkeypatch.setattr("skrnn.estimators.writing._generation._LOT", 2)
    assert model.generate(["the ", "cat", "", "dog", "a"], 9, random_state=0) == whole


def test_texts_end_by_themselves_where_ends_are_learned():
    model = trained("texts")
    written = model.generate([""] * 40, 50, random_state=0)
    assert np.mean([text in NAMES for text in written]) > 0.7
    assert model.generate("cl", 50, temperature=0) == "ara"
    assert np.isfinite(model.log_likelihood("anna")).all()
    assert len(model.log_likelihood("anna")) == 5
    assert len(fitted("texts", end_of_text=False).log_likelihood("anna")) == 4


def test_texts_end_before_a_stop():
    model = trained("char")
    whole = model.generate(["the cat", "the dog"], 60, random_state=0)
    for stop in (".", "the", ["on", ";"], ("t", ".")):
        stops = [stop] if isinstance(stop, str) else stop
        cut = [text[: min([text.find(s) for s in stops if s in text], default=60)] for text in whole]
        assert model.generate(["the cat", "the dog"], 60, stop=stop, random_state=0) == cut
    codes = fitted("codes")
    assert 102 not in codes.generate([100], 30, stop=102, random_state=0)
    assert fitted("tokens", end_of_text=False).generate(["the"], 30, stop=["cat", ["on", "the"]], temperature=0).count("cat") == 0


def test_nothing_is_computed_behind_the_last_end(monkeypatch):
    model, calls = trained("texts"), []
    from skrnn.estimators.writing import _generation

    plain = _generation.told_next
    monkeypatch.setattr(_generation, "told_next", lambda *given: calls.append(1) or plain(*given))
    written = model.generate(["a", "cl"], 1000, random_state=0)
    assert len(calls) == max(map(len, written)) + 1 < 1000


def test_writing_goes_on_from_a_state():
    model = fitted()
    _, state = model.log_likelihood("the cat sat", return_state=True)
    assert model.generate("", 10, state=state, temperature=0) == model.generate("the cat sat", 10, temperature=0)
    assert model.generate(" on", 10, state=state, temperature=0) == model.generate("the cat sat on", 10, temperature=0)
    np.testing.assert_array_equal(model.predict_proba("", state=state), model.predict_proba("the cat sat"))


def test_the_unknown_is_read_but_not_written():
    model = make(handle_unknown="use", min_frequency=2, max_epochs=10).fit(TEXT + "xyz" + "q")
    assert not set("xyzq") & set(model.vocabulary_)
    assert np.isfinite(model.score("the queer ox"))
    assert model.score("x") == model.score("!")
    assert set(model.generate("zebra?", 300, random_state=0)) <= set(model.vocabulary_)
    assert model.predict_proba("z").sum() == pytest.approx(1, rel=1e-5)


def test_words_are_joined_by_blanks_and_read_again():
    model = trained("word")
    text = model.generate("the cat", 12, random_state=0)
    assert len(model.log_likelihood(text)) == 12
    assert model.vocabulary_[0] == "the"


# -- a citizen -------------------------------------------------------------------------------------------------------------------------------------


@every_data
def test_a_copy_says_the_same(kind):
    model, texts = fitted(kind), several(kind)
    copied = pickle.loads(pickle.dumps(model))
    for one, other in zip(model.log_likelihood(texts), copied.log_likelihood(texts), strict=True):
        np.testing.assert_array_equal(one, other)
    assert clone(model).get_params() == model.get_params()
    names = {arg for _, arg, _ in pickletools.genops(pickle.dumps(fitted("texts", softmax="adaptive"))) if isinstance(arg, str)}
    assert not {name for name in names if name.startswith(("torch._utils", "torch.storage", "_rebuild"))}


def test_searches_choose_by_the_held_out_score():
    search = GridSearchCV(make(max_epochs=1), {"cell": ["elman", GRU()], "embedding_size": [3, 12]}, cv=2).fit(NAMES)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.score(NAMES) == search.score(NAMES)
    scores = cross_val_score(make(max_epochs=1).set_params(cell__layer_norm=True), NAMES, cv=2)
    assert (scores < 0).all()


def test_tags_tell_what_is_read():
    assert get_tags(RNNLanguageModel()).input_tags.string
    assert not get_tags(RNNLanguageModel()).target_tags.required
    assert get_tags(RNNLanguageModel(level="binary")).input_tags.three_d_array


def test_displays_show_what_they_can():
    model = fitted()
    assert LossCurveDisplay.from_estimator(model).ax_.lines
    with pytest.raises(TypeError, match="RNNLanguageModel tells the next token of a text; this display draws"):
        GateDisplay.from_estimator(model, TEXT)


# -- what is refused -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "X", "error", "message"),
    [
        ({}, "", ValueError, "X is empty: a text needs at least one token"),
        ({}, [], ValueError, "X holds no text"),
        ({}, ["ab", ""], ValueError, r"X\[1\] is empty"),
        ({"level": "word"}, "  \n", ValueError, "X is empty"),
        ({}, ["ab", 3], TypeError, r"X\[1\] must be a text, a string, with level='char'; got int"),
        ({}, [["a", "b"]], TypeError, "level='token' reads lists of tokens"),
        ({}, b"abc", TypeError, "X must be"),
        ({}, 5, TypeError, "X must be"),
        ({}, list("abcabc"), ValueError, "6 texts of one character.*cut it into a list of texts"),
        ({"level": "token"}, "abc", TypeError, "got a string, for level='char' or 'word'"),
        ({"level": "token"}, [1, "a", 2], TypeError, r"X\[1\] is 'a' beside tokens of another kind"),
        ({"level": "token"}, [["a"], ["b", 1]], TypeError, r"X\[1\]\[1\] is 1 beside tokens of another kind"),
        ({"level": "token"}, [1, [2, 3]], TypeError, "mixes tokens and lists of tokens"),
        ({"level": "token"}, [1.5, 2.0], TypeError, r"X\[0\] is 1.5; tokens must be strings, or whole numbers"),
        ({"level": "token"}, np.array([1.0, np.nan]), TypeError, "tokens must be strings, or whole numbers"),
        ({"level": "token"}, [None, 1], TypeError, r"X\[0\] is None"),
        ({"level": "token"}, [True, False], TypeError, r"X\[0\] is True"),
        ({"level": "token"}, [[]], ValueError, r"X\[0\] is empty"),
        ({"level": "binary"}, np.full((5, 2), 0.5), ValueError, "X must hold 0 and 1 alone with level='binary'; got 0.5"),
        ({"level": "binary"}, np.full((5, 2), np.nan), ValueError, "NaN"),
        ({"level": "binary", "tie_weights": True}, FRAMES, ValueError, "'tie_weights' parameter .* False with level='binary'"),
        ({"level": "binary", "embedding_size": 3}, FRAMES, ValueError, "'embedding_size' parameter"),
        ({"level": "binary", "vocabulary": [0, 1]}, FRAMES, ValueError, "'vocabulary' parameter"),
        ({"level": "binary", "end_of_text": True}, FRAMES, ValueError, "'end_of_text' parameter"),
        ({"min_frequency": 2}, TEXT, ValueError, "'min_frequency' parameter .* 1 with handle_unknown='error'"),
        ({"min_frequency": 10**6, "handle_unknown": "use"}, TEXT, ValueError, "the vocabulary would be empty"),
        ({"tie_weights": True, "embedding_size": 5}, TEXT, ValueError, "'embedding_size' parameter .* None or hidden_size=12"),
        ({"tie_weights": True, "softmax": "adaptive"}, TEXT, ValueError, "'softmax' parameter"),
        ({"vocabulary": "abca"}, TEXT, ValueError, "each once; got 'a' twice"),
        ({"vocabulary": []}, TEXT, ValueError, "at least one token, and each once; got none"),
        ({"vocabulary": ["ab"]}, TEXT, ValueError, "vocabulary must hold characters; got 'ab'"),
        ({"vocabulary": "abc"}, TEXT, ValueError, r"X\[0\] is 't', a token that was not seen in fit"),
        ({"batch_size": None}, TEXT, ValueError, "'batch_size' parameter"),
        ({"level": "letter"}, TEXT, ValueError, "'level' parameter"),
        ({"bptt_steps": 0}, TEXT, ValueError, "'bptt_steps' parameter"),
    ],
)
def test_what_cannot_be_read_is_refused(settings, X, error, message):
    model = make(**settings)
    with pytest.raises(error, match=message):
        model.fit(X)
    assert not model.__sklearn_is_fitted__()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"prompt": "thé"}, ValueError, r"prompt\[2\] is 'é', a token that was not seen in fit"),
        ({"prompt": ["the", "dög"]}, ValueError, r"prompt\[1\]\[1\] is 'ö'"),
        ({"prompt": 5}, TypeError, "prompt must be"),
        ({"top_p": 0}, ValueError, "'top_p' parameter of generate"),
        ({"top_p": 1.5}, ValueError, "'top_p' parameter of generate"),
        ({"top_k": 0}, ValueError, "'top_k' parameter of generate"),
        ({"temperature": -1}, ValueError, "'temperature' parameter of generate"),
        ({"temperature": np.nan}, ValueError, "'temperature' parameter of generate"),
        ({"n": 0}, ValueError, "n == 0, must be >= 1"),
        ({"n": 2.5}, TypeError, "n must be an instance of"),
        ({"stop": ""}, ValueError, r"stop\[0\] is empty"),
        ({"stop": "é"}, ValueError, "'é', a token that was not seen in fit"),
        ({"state": 3}, TypeError, "state must be what an earlier call with return_state=True gave"),
    ],
)
def test_what_cannot_be_written_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        fitted().generate(**given)


def test_a_state_of_other_texts_is_refused():
    model = fitted()
    _, state = model.log_likelihood(["the", "cat"], return_state=True)
    with pytest.raises(ValueError, match="state is of 2 texts; X holds 1"):
        model.log_likelihood("dog", state=state)
    other = fitted(hidden_size=5)
    with pytest.raises(ValueError, match="state does not fit"):
        other.log_likelihood(["the", "cat"], state=state)


def test_frames_are_drawn_each_by_itself():
    with pytest.raises(ValueError, match="top_k and top_p are for texts of tokens"):
        fitted("binary").generate(FRAMES, 3, top_k=1)
    with pytest.raises(ValueError, match="stop is for texts of tokens"):
        fitted("binary").generate(FRAMES, 3, stop="a")
    with pytest.raises(AttributeError, match="no vocabulary"):
        _ = fitted("binary").vocabulary_
    with pytest.raises(ValueError, match="features"):
        fitted("binary").score(FRAMES[:, :2])


def test_nothing_is_told_before_a_fit():
    for ask in (
        lambda m: m.score(TEXT),
        lambda m: m.generate("a"),
        lambda m: m.vocabulary_,
        lambda m: m.transform(TEXT),
        lambda m: m.predict_proba("a"),
    ):
        with pytest.raises(NotFittedError):
            ask(RNNLanguageModel())


def test_a_failed_fit_changes_nothing():
    model = fitted()
    before = model.score(TEXT)
    with pytest.raises(ValueError, match="empty"):
        model.fit("")
    with pytest.raises(ValueError, match="not seen"):
        model.partial_fit("é")
    assert model.score(TEXT) == before


def test_one_token_is_a_text():
    model = make().fit("a")
    assert model.score("a") <= 0
    assert model.generate("a", 3, random_state=0) == "aaa"
    assert len(make().fit(["a"]).generate("", 3, random_state=0)) <= 3


@pytest.mark.parametrize("text", ["naïve 😀 \ud800 \x00\n", "x" * 500, "𝔘𝔫𝔦" * 3], ids=["odd", "same", "astral"])
def test_every_character_is_a_token(text):
    model = make().fit(text)
    assert set(model.vocabulary_) == set(text)
    assert len(model.log_likelihood(text)) == len(text)
    assert len(model.generate(text[:3], 5, random_state=0)) == 5


def test_of_stops_that_overlap_the_first_to_be_complete_counts():
    """Whoever writes alone stops then, and must not look for others that would have come if it had gone on beside somebody."""
    model, stops = trained("char"), ["sat on", "t o"]
    whole = model.generate(["the cat", "mat"], 20, temperature=0)
    assert (whole[0].find("sat on"), whole[0].find("t o")) == (1, 3)
    assert whole[1].find("t o") > 7
    assert model.generate("the cat", 20, temperature=0, stop=stops) == " sa"
    assert model.generate(["the cat", "mat"], 20, temperature=0, stop=stops)[0] == " sa"
    assert model.generate("the cat", 20, temperature=0, stop=["t o", "sat o"]) == " "


@pytest.mark.parametrize("temperature", [1e-5, 1e-300, 1e-310])
def test_the_lower_the_temperature_the_likelier_what_is_written(temperature):
    model = fitted("char")
    assert model.generate("the c", 20, temperature=temperature, random_state=0) == model.generate("the c", 20, temperature=0)


def test_numbers_that_are_too_large_are_refused():
    with pytest.raises(ValueError, match=f"X holds whole numbers up to {2**70}"):
        make(level="token").fit([2**70, 3])
