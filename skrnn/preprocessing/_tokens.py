"""TokenEncoder: texts become sequences of ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from .._constraints import COUNT
from ..data._ids import HANDLE_UNKNOWN, Ids
from ..data._sequences import Array, Sequences
from ..data._vocabulary import UNKNOWN, WORD, TokenRow, Vocabulary, read_tokens, rows_of_texts, warn_of_strangers
from ._transformer import SequenceTransformer


class TokenEncoder(SequenceTransformer):
    """Cut texts into tokens, and give each token an id, which estimators that read sequences embed.

    Choose it in front of an estimator that reads texts. It is to sequences what scikit-learn's ``CountVectorizer`` is to bags of words: the order
    of the tokens is kept. Lists of tokens need no encoder, as the estimators read them; it is still useful for them where the vocabulary is to be
    limited or given.

    Parameters
    ----------
    analyzer : {"word", "char"} or callable, default="word"
        What the tokens of a string are: words and punctuation marks, characters, or what a function gives for it. Rows that are lists of tokens
        already are taken as they are, unless it is a function, which gets every row as it came.
    lowercase : bool, default=True
        Whether strings are turned to lower case before.
    token_pattern : str, default=r"\\w+(?:['’]\\w+)*|[^\\w\\s]"
        Regular expression of a word; what is not matched is left out. The default also finds words of one letter and punctuation marks, which
        scikit-learn's leaves out: they matter where order does.
    vocabulary : iterable of tokens, dict or None, default=None
        The tokens that have an id, in order (of a dict, as scikit-learn's vectorizers have, in that of its values); ``None`` learns them in ``fit``,
        the most frequent first.
    min_frequency : int, default=1
        How often a token must occur in ``fit`` to have an id of its own. From 2 on, the rare tokens teach the network what an unknown one means.
    max_features : int or None, default=None
        The most tokens that are learnt.
    handle_unknown : {"use_encoded_value", "error"}, default="use_encoded_value"
        What happens with tokens that have no id: they get the id 0, or are refused with their place.
    max_length : int or None, default=None
        The most tokens of a row; ``None`` keeps all.
    truncate : {"post", "pre"}, default="post"
        The end at which longer rows are cut: "post" keeps the first `max_length` tokens, "pre" the last ones.

    Attributes
    ----------
    vocabulary_ : ndarray of shape (n_tokens,)
        The tokens; the id of ``vocabulary_[k]`` is k + 1.
    n_features_in_ : int
        1: a text for each row.

    Raises
    ------
    ValueError
        A parameter other than those above; no row; no token that occurs often enough; an unknown token where it is an error.
    TypeError
        If `X` holds no texts and no token lists.

    Notes
    -----
    What comes back is a list of arrays (n_tokens,) of whole numbers, one for each row, of any lengths. They are of a type of their own, which
    says that they are no quantities: estimators with ``frontend="auto"`` embed them. Copies of another type are numbers as others, which
    ``frontend=Embedding()`` embeds. A row without any token is one unknown token.
    ``transform`` warns of rows in which every token is unknown, if nothing has been learnt of the unknown.

    Examples
    --------
    >>> from skrnn.preprocessing import TokenEncoder
    >>> encoder = TokenEncoder().fit(["Not bad, not bad at all!", "Bad."])
    >>> encoder.vocabulary_.tolist()
    ['bad', 'not', '!', ',', '.', 'all', 'at']
    >>> [ids.tolist() for ids in encoder.transform(["not so bad"])]
    [[2, 0, 1]]
    """

    _takes_3d = False
    _parameter_constraints = {
        "analyzer": [StrOptions({"word", "char"}), callable],
        "lowercase": ["boolean"],
        "token_pattern": [str],
        "vocabulary": ["array-like", set, None],
        "min_frequency": [COUNT],
        "max_features": [COUNT, None],
        "handle_unknown": [StrOptions({*HANDLE_UNKNOWN})],
        "max_length": [COUNT, None],
        "truncate": [StrOptions({"post", "pre"})],
    }

    def __init__(
        self,
        analyzer: str | Callable[[Any], Iterable[Any]] = "word",
        *,
        lowercase: bool = True,
        token_pattern: str = WORD,
        vocabulary: Iterable[Any] | None = None,
        min_frequency: int = 1,
        max_features: int | None = None,
        handle_unknown: str = "use_encoded_value",
        max_length: int | None = None,
        truncate: str = "post",
    ) -> None:
        self.analyzer = analyzer
        self.lowercase = lowercase
        self.token_pattern = token_pattern
        self.vocabulary = vocabulary
        self.min_frequency = min_frequency
        self.max_features = max_features
        self.handle_unknown = handle_unknown
        self.max_length = max_length
        self.truncate = truncate

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags._skip_test = True  # scikit-learn's checks bring numbers
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags

    def _read(self, X: Any, *, reset: bool) -> tuple[list[TokenRow], str]:
        rows = read_tokens([self._tokens_of(row) for row in rows_of_texts(X, "X")], "X")
        if reset:
            self.n_features_in_ = 1
        if self.max_length is not None:
            kept = slice(self.max_length) if self.truncate == "post" else slice(-self.max_length, None)
            rows = [row[kept] for row in rows]
        return rows, ""

    def _tokens_of(self, row: Any) -> Any:
        if callable(self.analyzer):
            tokens = self.analyzer(row)
            return tokens if isinstance(tokens, str) else [*tokens]
        if not isinstance(row, str):
            return row
        text = row.lower() if self.lowercase else row
        return text if self.analyzer == "char" else [match[0] for match in re.finditer(self.token_pattern, text)]

    def _learn(self, rows: list[TokenRow], y: Any) -> None:
        if self.vocabulary is None:
            self._known = Vocabulary.of(rows, self.min_frequency, most=self.max_features)
            return
        given = self.vocabulary
        tokens = tuple(sorted(given, key=given.__getitem__) if isinstance(given, Mapping) else sorted(given) if isinstance(given, set) else given)
        if not tokens or len(set(tokens)) < len(tokens):
            twice = next((token for k, token in enumerate(tokens) if token in tokens[:k]), None)
            raise ValueError(f"vocabulary must hold at least one token, and each once; got {f'{twice!r} twice' if tokens else 'none'}")
        self._known = Vocabulary(tokens)

    def _change(self, rows: list[TokenRow], layout: str) -> list[npt.NDArray[np.int64]]:
        strict = self.handle_unknown == "error"
        if strict and () in rows:
            raise ValueError(f"X[{rows.index(())}] has no token (handle_unknown='error')")
        sequences = self._known.encode([row or (None,) for row in rows], "X", strict=strict)
        return self._ids(sequences)

    def _ids(self, sequences: Sequences) -> list[npt.NDArray[np.int64]]:
        ids = sequences.values[:, 0].astype(np.int64).view(Ids)
        if self.vocabulary is None and self.min_frequency == 1 and self.max_features is None:
            warn_of_strangers(ids == UNKNOWN, sequences.offsets, "X")
        return np.split(ids, sequences.offsets[1:-1])

    def inverse_transform(self, X: Iterable[npt.ArrayLike]) -> list[list[Any]]:
        """The tokens of ids.

        Parameters
        ----------
        X : iterable of array-like of shape (n_tokens,)
            What ``transform`` gives.

        Returns
        -------
        list of list of tokens
            None stands for what is unknown.
        """
        check_is_fitted(self)
        return [self._known.decode(np.ravel(ids).astype(int).tolist()) for ids in X]

    @property
    def vocabulary_(self) -> Array:
        """The tokens that have an id of their own."""
        check_is_fitted(self)
        return self._known.as_objects()

    def _names(self, names: Array) -> Any:
        return ["token"]
