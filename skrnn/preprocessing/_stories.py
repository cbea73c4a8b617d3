"""StoryVectorizer: stories and questions become tables of ids."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from .._constraints import COUNT
from ..data._ids import HANDLE_UNKNOWN, Ids
from ..data._sequences import Array
from ..data._stories import STORY_WORD, Story, StoryWords, encode_stories, known_words, read_stories
from ._transformer import SequenceTransformer


class StoryVectorizer(SequenceTransformer):
    """Cut stories and questions about them into words, and give each word an id, for :class:`skrnn.MemoryNetworkClassifier`.

    The estimator reads texts by itself; choose this in front of it where words are to be found in another way, or rare ones left out, and to search
    over that.

    Parameters
    ----------
    lowercase : bool, default=True
        Whether strings are turned to lower case before.
    token_pattern : str, default=r"\\w+(?:['’]\\w+)*"
        Regular expression of a word; what is not matched is left out, as punctuation marks are. Sentences that are lists of tokens already are
        taken as they are.
    min_frequency : int, default=1
        How often a word must occur in ``fit`` to have an id of its own.
    max_features : int or None, default=None
        The most words that are learnt.
    handle_unknown : {"use_encoded_value", "error"}, default="use_encoded_value"
        What happens with words that have no id: they get the id 0, which says nothing, or are refused with their place.

    Attributes
    ----------
    vocabulary_ : ndarray of shape (n_words,)
        The words, the most frequent first; the id of ``vocabulary_[k]`` is k + 1.
    n_features_in_ : int
        2: a story and a question.

    Raises
    ------
    ValueError
        A parameter other than those above; no story; a story without sentences; a sentence or a question without words; no word that occurs often
        enough; an unknown word where it is an error.
    TypeError
        If `X` holds no pairs of a story and a question.

    Notes
    -----
    What comes back is a list of arrays of shape (1 + n_sentences, n_words) of whole numbers, one for each story: the question is the first row, the
    sentences follow, and short ones are filled up with 0. ``transform`` warns of questions in which no word is known, if all words of ``fit`` were.

    Examples
    --------
    >>> from skrnn.preprocessing import StoryVectorizer
    >>> story = ["Ada went to the attic.", "Ben followed her."]
    >>> encoder = StoryVectorizer().fit([(story, "Where is Ada?")])
    >>> encoder.vocabulary_[:4].tolist()
    ['ada', 'attic', 'ben', 'followed']
    >>> encoder.transform([(["Ben is there."], "Where is Ben?")])[0].tolist()
    [[10, 6, 3], [3, 6, 0]]
    """

    _takes_3d = False
    _parameter_constraints = {
        "lowercase": ["boolean"],
        "token_pattern": [str],
        "min_frequency": [COUNT],
        "max_features": [COUNT, None],
        "handle_unknown": [StrOptions({*HANDLE_UNKNOWN})],
    }

    def __init__(
        self,
        *,
        lowercase: bool = True,
        token_pattern: str = STORY_WORD,
        min_frequency: int = 1,
        max_features: int | None = None,
        handle_unknown: str = "use_encoded_value",
    ) -> None:
        self.lowercase = lowercase
        self.token_pattern = token_pattern
        self.min_frequency = min_frequency
        self.max_features = max_features
        self.handle_unknown = handle_unknown

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags._skip_test = True  # scikit-learn's checks bring numbers
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags

    def _read(self, X: Any, *, reset: bool) -> tuple[list[Story], str]:
        stories = read_stories(X, StoryWords(self.lowercase, self.token_pattern))
        if reset:
            self.n_features_in_ = 2
        return stories, ""

    def _learn(self, stories: list[Story], y: Any) -> None:
        self._known = known_words(stories, self.min_frequency, self.max_features)

    def _change(self, stories: list[Story], layout: str) -> list[npt.NDArray[np.int64]]:
        learnt_all = self.min_frequency == 1 and self.max_features is None
        sequences = encode_stories(stories, self._known, strict=self.handle_unknown == "error", warn=learnt_all)
        tables = np.split(sequences.values.astype(np.int64).view(Ids), sequences.offsets[1:-1])
        return [table[:, : max(map(len, story.rows))] for table, story in zip(tables, stories, strict=True)]

    def inverse_transform(self, X: Any) -> list[tuple[list[list[Any]], list[Any]]]:
        """The words of ids.

        Parameters
        ----------
        X : iterable of array-like of shape (1 + n_sentences, n_words)
            What ``transform`` gives.

        Returns
        -------
        list of (story, question)
            Sentences and questions as lists of words; None stands for what is unknown.
        """
        check_is_fitted(self)
        stories = read_stories([np.asarray(ids) for ids in X], StoryWords())
        told = [[self._words(row) for row in story.rows] for story in stories]
        return [(rows[1:], rows[0]) for rows in told]

    def _words(self, ids: tuple[Any, ...]) -> list[Any]:
        return self._known.decode([0 if word is None else word for word in ids])

    @property
    def vocabulary_(self) -> Array:
        """The words that have an id of their own."""
        check_is_fitted(self)
        return self._known.as_objects()

    def _names(self, names: Array) -> Any:
        return ["words"]
