"""Categories as vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import count
from ..data import Categories, Encoding
from ._base import Frontend
from ._tokens import TokenVectors


class Embedding(Frontend):
    """A trained vector for each category (Bengio et al., 2003), beside the channels that hold numbers.

    Choose it for tokens (words, characters, codes) and for channels of events, places, days or types among
    numeric ones: a category's number says nothing about it, its vector is learnt with the network. Categories
    are strings or whole numbers, and are learnt from the data of ``fit`` as scikit-learn's ``OrdinalEncoder``
    learns them: what occurs, sorted, for each channel by itself. The other channels are standardised as ever.

    Parameters
    ----------
    size : int, default=16
        Numbers that stand for a category. More tell more categories apart, and are easier to overfit; 4 to 50
        are usual.
    channels : list of int and str, "from_dtype" or None, default=None
        Channels that hold categories: places (negative from the end), or names where X is made of data
        frames. "from_dtype", as in ``HistGradientBoostingClassifier``: columns of the types ``category`` of
        pandas, ``Categorical`` and ``Enum`` of polars, and all channels where X holds lists of tokens.
        ``None``: all of them, and then a list of token lists or of strings (whose tokens are their
        characters) is a list of sequences, whatever their lengths. A column of texts is a list of strings:
        ``frame["text"]`` for characters, ``frame["text"].str.split()`` for words.
    handle_unknown : {"use_encoded_value", "error"}, default="use_encoded_value"
        What happens with a category that was not seen in ``fit``: a vector for all of them, which is zero,
        unless ``min_frequency`` leaves categories over from which it is learnt, and a warning where nothing
        in a sequence is known; or an error that names channel, sequence and step.
    min_frequency : int, default=1
        How often, in steps, a category of a channel must occur in ``fit`` to have a vector of its own; rarer
        ones share that of the unknown. From 2 on it needs ``handle_unknown="use_encoded_value"``.

    Notes
    -----
    ::

        y(t) = [x_n(t); W₁[c₁(t)]; W₂[c₂(t)]; …]

    x_n are the channels of numbers, in their order, c_k(t) is the id of the category in the k-th channel of
    categories at step t, and W_k (n_categories of it, size) are vectors, which start standard normal: size ·
    (all categories) weights, no product. A missing category is refused, like a missing number, where
    ``OrdinalEncoder`` passes it through.

    References
    ----------
    Y. Bengio, R. Ducharme, P. Vincent, C. Jauvin, "A neural probabilistic language model", JMLR 3, 2003.
    C. Guo, F. Berkhahn, "Entity embeddings of categorical variables", arXiv:1604.06737, 2016.

    Examples
    --------
    >>> from skrnn.frontends import Embedding, encode
    >>> X = [
    ...     [["sun", 21.0], ["rain", 14.5]],
    ...     [["sun", 23.0], ["fog", 9.0], ["rain", 12.0]],
    ... ]
    >>> frontend = Embedding(4, channels=[0])
    >>> encoding = frontend.learn(X)
    >>> encode(X, encoding)[1].tolist()
    [[2.0, 23.0], [0.0, 9.0], [1.0, 12.0]]
    >>> frontend.build(2, encoding=encoding).output_size
    5
    """

    places: Tensor
    numeric: Tensor
    starts: Tensor

    def __init__(
        self, size: int = 16, channels: Sequence[int | str] | str | None = None, handle_unknown: str = "use_encoded_value", min_frequency: int = 1
    ) -> None:
        super().__init__()
        self.size = size
        self.channels = channels
        self.handle_unknown = handle_unknown
        self.min_frequency = min_frequency

    @property
    def looks_up(self) -> bool:
        """There are."""
        return True

    def encoding(self) -> Categories:
        """Ids for categories."""
        return Categories(self.channels, self.handle_unknown, self.min_frequency)

    def _build(self, generator: Generator | None, encoding: Encoding | None) -> None:
        count(self, "size")
        if not isinstance(encoding, Categories) or not encoding.n_channels_:
            raise ValueError(f"Embedding is built for categories that are known: build(…, encoding=frontend.learn(X)); got encoding={encoding!r}")
        if encoding.n_channels_ != self.input_size:
            raise ValueError(f"Embedding has learnt {encoding.n_channels_} channels, but is built for input_size={self.input_size}")
        starts = np.cumsum([0, *encoding.n_ids])
        self.vectors = TokenVectors(int(starts[-1]), self.size, generator)
        if encoding.handle_unknown == "use_encoded_value" and len(encoding.places_):
            with torch.no_grad():
                self.vectors.W[torch.from_numpy(starts[1:] - 1)] = 0  # in their middle: nothing may teach it
        self.register_buffer("places", torch.from_numpy(encoding.places_.astype(np.int64)))
        self.register_buffer("numeric", torch.from_numpy(np.setdiff1d(np.arange(self.input_size), encoding.places_).astype(np.int64)))
        self.register_buffer("starts", torch.from_numpy(starts[:-1]))
        self.output_size = len(self.numeric) + self.size * len(self.places)

    def forward(self, packed: PackedSequence) -> PackedSequence:
        x = packed.data
        vectors = self.vectors(x[:, self.places].long() + self.starts)
        return packed._replace(data=torch.cat([x[:, self.numeric], vectors], -1) if len(self.numeric) else vectors)
