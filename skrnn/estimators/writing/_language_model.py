"""What comes next in a text."""

from __future__ import annotations

from dataclasses import field, replace
from math import exp, log
from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted, check_scalar

from ..._bases import _fit_context
from ..._constraints import COUNT
from ...cells import Cell
from ...networks import LanguageNetwork
from ...training import PassageExamples, Passages
from ..face._declared import parameters
from ..face._guards import device_of, learning, predicting, seed_of
from ..face._noted import as_fitted
from ..face._settings import Decayed, Recurrence, Stacked
from ..face._trained import Lesson, Trained, refuse_other_network
from ._following import TextState, continued, followed, on_device, primed
from ._generation import generated, lots, next_probabilities, told_next
from ._language_network import language_network
from ._languages import Language, Reading, VocabularyState, begun, gone_on, language_of
from ._sampling import Endings, Sampling
from ._settings import LanguageSettings


@parameters
class RNNLanguageModel(LanguageSettings, Decayed, Trained, Stacked, Recurrence, VocabularyState):
    """Tell what comes next in a text from all that came before, and write texts (Mikolov et al., 2010; Graves, 2013).

    For characters, words, music, molecules: sequences of symbols that no target is known for but themselves. It says how likely a text is, writes
    on from a beginning, and makes features of texts.

    Parameters
    ----------
    cell : str or Cell, default="lstm"
        What happens in one time step: a name of :mod:`skrnn.cells` in lower case, or a cell with its own settings, whose parameters can be
        searched as ``cell__…``.
    hidden_size : int, default=128
        Units of each layer; more can represent more and cost quadratically more.
    dropout : float, default=0.2
        Share of the features set to zero while training, between layers and before the next token is told (Zaremba et al., 2014).
    batch_size : int, default=32
        Streams that are read side by side: the texts of a training set, end to end in random order, are cut into so many streams of the same
        length, less if the texts are short.
    rule : {"bptt"} or Rule, default="bptt"
        How the network learns from each piece: back-propagation through its steps, or :class:`skrnn.engine.BPTT` with its own settings.

    penalties : penalty, tuple or list of penalties, or None, default=None
        What the network is trained against beside its loss: :class:`skrnn.training.WeightNoise`, whose parameters can be searched as
        ``penalties__…``.
    early_stopping : "auto" or bool, default="auto"
        Stop when the held-out loss has not fallen for a while, and keep the best weights. "auto" does if ``X_val`` is passed to ``fit``; ``True``
        sets some texts of a list aside, drawn at random, or the end of a single text.
    validation_fraction : float, default=0.1
        Share of the texts, or of a single text, that is set aside.

    Notes
    -----
    ::

        y(t) = layers of cells over W[x(1)], …, W[x(t)]                   x(0) is the begin of a text
        P(x(t+1) | x(1), …, x(t)) = softmax(V y(t) + d)[x(t+1)]           of frames: σ(V y(t) + d), for each feature

    V starts at zero and d at the log shares of the tokens. The first token is told, too, from nothing but the begin. A state begins anew with each
    text, and where a stream does; otherwise it goes on from piece to piece, so that ``bptt_steps`` bounds the gradient alone. What is learned does
    not depend on how texts are cut when they are scored: they are read from their beginning to their end.

    A text that is larger than memory is an array of whole numbers in a file (``numpy.memmap``, ``level="token"``), of which only what is read is
    looked at, or an iterator of texts, each for a call of ``partial_fit``, with a ``vocabulary``.

    References
    ----------
    T. Mikolov, M. Karafiát, L. Burget, J. Černocký, S. Khudanpur, "Recurrent neural network based language model", Interspeech 2010.
    A. Graves, "Generating sequences with recurrent neural networks", arXiv:1308.0850, 2013.
    W. Zaremba, I. Sutskever, O. Vinyals, "Recurrent neural network regularization", arXiv:1409.2329, 2014.
    Y. Gal, Z. Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", NIPS 2016, for ``embedding_dropout``.
    O. Press, L. Wolf, "Using the output embedding to improve language models", EACL 2017.
    N. Boulanger-Lewandowski, Y. Bengio, P. Vincent, "Modeling temporal dependencies in high-dimensional sequences", ICML 2012, for frames.

    Examples
    --------
    >>> from skrnn import RNNLanguageModel
    >>> text = "one two three four five six seven eight nine ten " * 100
    >>> model = RNNLanguageModel(hidden_size=32, random_state=0).fit(text)
    >>> model.generate("four ", 13, temperature=0)
    'five six seve'
    >>> model.perplexity(text) < 1.1
    True
    """

    cell: str | Cell = field(default="lstm", kw_only=False)
    hidden_size: int = 128
    dropout: float = 0.2
    max_epochs: int = 20
    batch_size: int = 32

    _parameter_constraints = {"batch_size": [COUNT]}

    __metadata_request__fit = {"X_val": True}

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> LanguageNetwork:
        return language_network(self, bias, generator)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, X_val: Any = None) -> Self:
        """Learn from texts.

        Parameters
        ----------
        X : str, or list of n_texts; array of whole numbers; array of shape (n_steps, n_features)
            With "char" and "word" one text, or texts in a list, a column or an iterator. With "token" a list or an array of tokens, or a list of
            such, each a text of its own. With "binary" frames of zeros and ones in whatever holds sequences; a table is one, whose rows are frames.
        y : None
            Ignored.
        X_val : as X, default=None
            Texts for early stopping.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X holds no texts of this level, or tokens of several kinds.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        with learning(self):
            lesson = self._lesson(X, X_val, going_on=going_on)
            self._train(lesson, self._trainer(lesson, self.alpha))
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Learn from more texts in one pass, at the constant learning rate; the first call fixes the vocabulary.

        Parameters
        ----------
        X : as in ``fit``
        y : None
            Ignored.

        Returns
        -------
        self
        """
        with learning(self):
            lesson = self._lesson(X, None, going_on=self.__sklearn_is_fitted__())
            trainer = replace(self._trainer(lesson, self.alpha), schedule="constant", max_epochs=1)
            self._train(lesson, trainer, optimizer=vars(self).get("_optimizer"))
        return self

    def _lesson(self, X: Any, X_val: Any, *, going_on: bool) -> Lesson:
        """Learn what there is to tell, and cut what is to be learned from into streams."""
        if X_val is not None and self.early_stopping is False:
            raise ValueError("X_val is passed to fit while early_stopping=False; use early_stopping=True or 'auto'.")
        if going_on:
            refuse_other_network(self)
        else:
            vars(self).pop("network_", None)
        reading = gone_on(self, X) if going_on else begun(self, X)
        language, seed = language_of(self), seed_of(self.random_state)
        train, held = reading.corpus, None
        if X_val is not None:
            held = language.read(X_val, "X_val", ends=True).corpus
        elif self.early_stopping is True:
            train, held = train.cut(self.validation_fraction, np.random.default_rng(seed))
        place = getattr(torch, self.dtype), device_of(self)
        data = PassageExamples(Passages(train, place, language.n_outputs, self.bptt_steps, self.batch_size))
        rest = None if held is None else PassageExamples(Passages(held, place, language.n_outputs))
        return Lesson(data, rest, language.objective(train), torch.Generator().manual_seed(seed), (X, None), going_on)

    # -- what is said of texts -----------------------------------------------------------------------------------------------------------------------

    def _language(self) -> Language:
        """What was learned to be read and told."""
        check_is_fitted(self)
        return language_of(as_fitted(self))

    def _told(self, X: Any, state: Any = None, *, ends: bool = True) -> tuple[Reading, NDArray[np.float64], TextState]:
        """The logarithm of the probability of each token, and where the texts then stand."""
        language = self._language()
        reading = language.from_state(language.read(X, ends=ends), state)
        network = self.network_
        with predicting(self):
            states = continued(network, reading.corpus, state)
            rows, after = followed(network, reading.corpus, states, lambda y, x: network.head.log_likelihoods(y, x, network.weights), ())
        return reading, rows, TextState(reading.corpus.ids(reading.corpus.offsets[1:] - 1), after)

    def log_likelihood(self, X: Any, *, state: Any = None, return_state: bool = False) -> Any:
        """Natural logarithm of the probability of each token, given all before it.

        Parameters
        ----------
        X : as in ``fit``
        state : object, default=None
            What an earlier call with ``return_state=True`` gave for as many texts: these go on from there. ``None``: they begin.
        return_state : bool, default=False
            Whether to return where the texts stand, for the next piece of each. Then they have no end yet.

        Returns
        -------
        ndarray of shape (n_tokens,), or a list of them
            A list if X is a list of texts. There is one number more, the last, where ends are learned and the text ends. Of a frame it is the sum
            over its features.
        state : object
            Only if ``return_state``.
        """
        reading, rows, after = self._told(X, state, ends=not return_state)
        return (reading.give(rows), after) if return_state else reading.give(rows)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean of the log-likelihood of the tokens, in nats for each: minus the cross entropy, the higher the better.

        Parameters
        ----------
        X : as in ``fit``
        y : None
            Ignored.

        Returns
        -------
        float
        """
        return float(self._told(X)[1].mean())

    def perplexity(self, X: Any) -> float:
        """Among how many equally likely tokens the model would be as unsure: the exponential of the cross entropy.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        float
        """
        return exp(-self.score(X))

    def bits_per_char(self, X: Any) -> float:
        """Bits for each character of texts: minus the log-likelihood of all tokens to the base 2, divided by the number of characters.

        Parameters
        ----------
        X : as in ``fit``
            Texts that are strings.

        Returns
        -------
        float
        """
        reading, rows, _ = self._told(X)
        if not reading.n_chars:
            raise ValueError(f"bits_per_char is of texts, level='char' or 'word'; got level={as_fitted(self).level!r}")
        return float(-rows.sum() / log(2) / reading.n_chars)

    def _reading(self, X: Any, name: str, state: Any) -> Reading:
        """Prompts, which may have no token."""
        language = self._language()
        return language.from_state(language.nothing() if X is None else language.read(X, name, empty=True), state)

    def predict_proba(self, X: Any, *, state: Any = None) -> NDArray[np.float64]:
        """Probabilities of the next token.

        Parameters
        ----------
        X : as in ``fit``
            What comes before it; a text may have no token, and then is asked for its first.
        state : object, default=None
            As in ``log_likelihood``.

        Returns
        -------
        ndarray of shape (n_texts, n_tokens), or (n_tokens,) of a single text
            In the order of ``vocabulary_``; behind it a column for the unknown token with ``handle_unknown="use"``, and one for the end of the text
            where ends are learned. Of frames, that of a one in each feature.
        """
        check_is_fitted(self)
        with predicting(self):
            reading = self._reading(X, "X", state)
            p = next_probabilities(self.network_, primed(self.network_, reading.corpus, continued(self.network_, reading.corpus, state)))
        return p[0] if reading.single else p

    def transform(self, X: Any, *, state: Any = None, return_state: bool = False) -> Any:
        """Hidden states of the last layer after each token.

        Parameters
        ----------
        X, state, return_state : as in ``log_likelihood``

        Returns
        -------
        ndarray of shape (n_tokens, hidden_size), or a list of them
            A list if X is a list of texts.
        state : object
            Only if ``return_state``.
        """
        language, network = self._language(), self.network_
        reading = language.from_state(language.read(X), state)
        corpus, ends = reading.corpus, reading.corpus.offsets[1:] - 1
        with predicting(self):
            states = continued(network, corpus, state)
            rows, after = followed(network, corpus, states, lambda y, target: y, (network.recurrent.output_size,))
            standing = TextState(corpus.ids(ends), after)
            rows[:-1] = rows[1:]  # each was told before its token was read
            rows[ends] = told_next(network, on_device(network, standing))[0].double().cpu().numpy()
        return (reading.give(rows), standing) if return_state else reading.give(rows)

    def generate(
        self,
        prompt: Any = None,
        n: int = 100,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Any = None,
        random_state: Any = None,
        state: Any = None,
    ) -> Any:
        """Write on from a prompt, or from many side by side.

        Parameters
        ----------
        prompt : as X in ``fit``, default=None
            What the text begins with; it may have no token, and then is the beginning of a text, as ``None`` is.
        n : int, default=100
            The most tokens that are written.
        temperature : float, default=1.0
            What the logarithms of the probabilities are divided by: below 1 the likely tokens become likelier; at 0 the likeliest is written.
        top_k : int or None, default=None
            How many of the likeliest tokens are drawn from; 1 is the likeliest.
        top_p : float or None, default=None
            Share of the probability, in (0, 1], of the likeliest tokens that are drawn from: as few as reach it (nucleus sampling).
        stop : str, token, or list of them, default=None
            What a text ends before, beside its end if that is learned: a string of any length of "char" and "word", a token or a list of tokens of
            "token", or a list of such.
        random_state : int, RandomState instance or None, default=None
            Source of what is drawn; ``None`` is new every time. The texts of some prompts do not depend on those behind them.
        state : object, default=None
            As in ``log_likelihood``: what the prompts go on from.

        Returns
        -------
        str, list of tokens, ndarray of shape (n, n_features), or a list of them
            What is written behind each prompt, without it; a list if there is a list of prompts.
        """
        language, network = self._language(), self.network_
        sampling = Sampling(temperature, top_k, top_p)
        check_scalar(n, "n", Integral, min_val=1)
        if language.of_frames and not (top_k is None and top_p is None):
            raise ValueError("top_k and top_p are for texts of tokens; the features of a frame (level='binary') are drawn each by itself")
        stops, generator, parts = language.stops(stop), torch.Generator().manual_seed(seed_of(random_state)), []
        reading, width = self._reading(prompt, "prompt", state), language.n_outputs if language.of_frames else 1
        with predicting(self):
            standing = primed(network, reading.corpus, continued(network, reading.corpus, state))
            for some in lots(standing):
                draws = torch.rand(len(some.before), n, width, dtype=torch.float64, generator=generator)
                endings = Endings(len(some.before), stops)
                parts += language.written(generated(network, some, draws, sampling, endings, language.unknown), endings.cut)
        return parts[0] if reading.single else parts

    @property
    def vocabulary_(self) -> NDArray[Any]:
        """The tokens that are known, the most frequent first."""
        check_is_fitted(self)
        if as_fitted(self).level == "binary":
            raise AttributeError("There is no vocabulary with level='binary'")
        return self._vocabulary.as_objects()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags._skip_test = True  # scikit-learn's checks bring numbers, and no texts
        tags.target_tags.required = False
        tags.input_tags.two_d_array = self.level == "binary"
        tags.input_tags.three_d_array = self.level == "binary"
        tags.input_tags.string = self.level != "binary"
        return tags
