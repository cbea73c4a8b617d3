"""What decoders can be told."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from ...cells import Cell
from ...engine import TEACHINGS, Rule, TeacherForcing
from ...networks import ATTENTIONS, CONTEXTS
from ..face._declared import NETWORK, TASK, parameters


@parameters
class Decoding:
    """A decoder.

    Parameters
    ----------
    context : {"init", "every", "both"}, default="init"
        Where the vector that stands for the source goes: into the decoder's first state, beside each of its inputs, or both.
    teacher_forcing : float, {"linear", "exponential", "inverse_sigmoid"} or schedule, default=1.0
        How probable it is that a step is told the truth about the one before while training, drawn for each sequence and step: a number, or a
        schedule of :mod:`skrnn.engine` over the updates. At 1 whole sequences run through compiled kernels, if there is no attention.
    rule : {"bptt", "guessing"} or Rule, default="bptt"
        How the network learns: a name, or :class:`skrnn.engine.BPTT` or :class:`skrnn.engine.Guessing` with its own settings.
    """

    context: str = "init"
    teacher_forcing: float | str | TeacherForcing = 1.0

    _place: ClassVar[int] = NETWORK
    _built_from: ClassVar[tuple[str, ...]] = ("context",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "context": [StrOptions(set(CONTEXTS))],
        "teacher_forcing": [Interval(Real, 0, 1, closed="both"), StrOptions(set(TEACHINGS)), TeacherForcing],
        "rule": [StrOptions({"bptt", "guessing"}), Rule],
    }


@parameters
class SourceSteps:
    """A source with steps.

    Parameters
    ----------
    decoder_cell : str, Cell or None, default=None
        What happens in one step of the decoder; ``None`` is ``cell``.
    reverse_source : bool, default=False
        Read the source from its end, which brings its beginning near to that of the target; for one direction without attention.
    """

    decoder_cell: str | Cell | None = None
    reverse_source: bool = False

    _place: ClassVar[int] = NETWORK
    _built_from: ClassVar[tuple[str, ...]] = ("decoder_cell", "reverse_source")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"decoder_cell": [str, Cell, None], "reverse_source": ["boolean"]}


@parameters
class Looking:
    """A decoder that may look at what it describes.

    Parameters
    ----------
    attention : {None, "bahdanau", "dot", "general"}, default=None
        How each step of the decoder looks at the steps, or regions, of the source: not at all, so that all must pass through one vector, which is
        fast and enough where there is little to say; by an additive score before the step (Bahdanau); by a product, or one with learned weights,
        after it (Luong).
    input_feeding : bool, default=True
        Whether a step sees what the last one looked at, with "dot" and "general".
    coverage : bool, default=False
        Whether the score sees how much each step has been looked at, with "bahdanau".
    """

    attention: str | None = None
    input_feeding: bool = True
    coverage: bool = False

    _place: ClassVar[int] = NETWORK
    _built_from: ClassVar[tuple[str, ...]] = ("attention", "input_feeding", "coverage")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "attention": [StrOptions(set(ATTENTIONS)), None],
        "input_feeding": ["boolean"],
        "coverage": ["boolean"],
    }


@parameters
class WritesNumbers:
    """What is written are numbers.

    Parameters
    ----------
    mode : {"feedback", "direct"}, default="feedback"
        Whether each step sees what the one before put out, or all steps are written at once, without seeing each other.
    """

    mode: str = "feedback"

    _place: ClassVar[int] = NETWORK
    _built_from: ClassVar[tuple[str, ...]] = ("mode",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"mode": [StrOptions({"feedback", "direct"})]}


@parameters
class Beamed:
    """How widely is searched.

    Parameters
    ----------
    beam_width : int, default=1
        Beginnings that ``predict`` keeps in each step; 1 is greedy. It may be set after ``fit``.
    """

    beam_width: int = 1

    _place: ClassVar[int] = TASK
    _may_change: ClassVar[tuple[str, ...]] = ("beam_width",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"beam_width": [Interval(Integral, 1, None, closed="left")]}


@parameters
class WritesTokens(Beamed):
    """What is written are tokens.

    Parameters
    ----------
    embedding_size : int, default=32
        Numbers that stand for each token.
    min_frequency : int, default=1
        How often a token must occur in ``fit`` to be known; those that are rarer are read as the unknown token, from which the network learns
        what to do with tokens that it has never seen, and are never written.
    length_penalty : float, default=0.0
        α of Wu et al. (2016): larger favours longer hypotheses; 0.6 to 1 are usual. It and ``max_steps`` may be set after ``fit``.
    max_steps : int or None, default=None
        The most tokens that are written; ``None`` is twice as many as the longest target that was learned from.
    """

    embedding_size: int = 32
    min_frequency: int = 1
    length_penalty: float = 0.0
    max_steps: int | None = None

    _place: ClassVar[int] = TASK
    _built_from: ClassVar[tuple[str, ...]] = ("embedding_size",)
    _may_change: ClassVar[tuple[str, ...]] = ("length_penalty", "max_steps")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "embedding_size": [Interval(Integral, 1, None, closed="left")],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        "length_penalty": [Interval(Real, 0, None, closed="left")],
        "max_steps": [Interval(Integral, 1, None, closed="left"), None],
    }


@parameters
class ReadsTokens:
    """What is read are tokens.

    Parameters
    ----------
    handle_unknown : {"use", "error"}, default="use"
        What happens with tokens of X that are not known: read as the unknown token, or refused with their place. It may be set after ``fit``.
    shared_vocabulary : bool, default=False
        Whether sources and targets have the same tokens, with the same embedding.
    copy : bool, default=False
        Whether tokens of the source can be copied, those that no vocabulary has among them, as names and numbers; with attention. It is learned from
        targets that share tokens with their sources, best where ``min_frequency`` makes some of these unknown.
    coverage_penalty : float, default=0.0
        β of Wu et al. (2016): larger favours hypotheses that have looked at all of the source; with attention. It may be set after ``fit``.
    """

    handle_unknown: str = "use"
    shared_vocabulary: bool = False
    copy: bool = False
    coverage_penalty: float = 0.0

    _place: ClassVar[int] = TASK
    _built_from: ClassVar[tuple[str, ...]] = ("shared_vocabulary", "copy")
    _may_change: ClassVar[tuple[str, ...]] = ("handle_unknown", "coverage_penalty")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "handle_unknown": [StrOptions({"use", "error"})],
        "shared_vocabulary": ["boolean"],
        "copy": ["boolean"],
        "coverage_penalty": [Interval(Real, 0, None, closed="left")],
    }


@parameters
class LanguageSettings:
    """What a text is made of, and how the next token is told.

    Parameters
    ----------
    level : {"char", "word", "token", "binary"}, default="char"
        What is told from what came before: the characters of texts; their words and punctuation marks; tokens in lists (strings, or whole numbers);
        or frames (n_steps, n_features) of zeros and ones, each by itself.
    vocabulary : iterable of tokens or None, default=None
        The tokens that are known, in the order of ``vocabulary_``; ``None`` learns them in the first ``fit``. To be told where texts come one after
        the other (``partial_fit``).
    min_frequency : int, default=1
        How often a token must occur in ``fit`` to be known. From 2 on it needs ``handle_unknown="use"``.
    handle_unknown : {"error", "use"}, default="error"
        What happens with tokens that are not known: refused with their place, or read and told as one more token, the unknown, which has learnt
        something only if tokens of ``fit`` were not known. It is never written.
    end_of_text : "auto" or bool, default="auto"
        Whether the end of a text is told as a token is, so that ``generate`` knows where to end. "auto": in a list of texts, but not in a single
        one.
    embedding_size : int or None, default=None
        Numbers that stand for a token; ``None`` is ``hidden_size``.
    tie_weights : bool, default=False
        Whether the vectors of tokens are the weights from which they are told, too, which saves weights where there are many tokens
        (Press & Wolf, 2017); needs ``embedding_size`` of ``None`` or ``hidden_size``.
    softmax : {"auto", "full", "adaptive"}, default="auto"
        How tokens are told: all alike, or the rare ones in clusters with fewer features, which takes less time (Grave et al., 2017). "auto" is
        "adaptive" for more than 20,000 tokens, if weights are not tied.
    bptt_steps : int, default=64
        Tokens of a piece, after each of which the weights change. The state goes on to the next piece; the gradient does not go back to the one
        before.
    embedding_dropout : float, default=0.0
        Share of the tokens whose vectors are zero for a piece, while training.
    """

    level: str = "char"
    vocabulary: Iterable[Any] | None = None
    min_frequency: int = 1
    handle_unknown: str = "error"
    end_of_text: str | bool = "auto"
    embedding_size: int | None = None
    tie_weights: bool = False
    softmax: str = "auto"
    bptt_steps: int = 64
    embedding_dropout: float = 0.0

    _place: ClassVar[int] = TASK
    _built_from: ClassVar[tuple[str, ...]] = (
        "level",
        "handle_unknown",
        "end_of_text",
        "embedding_size",
        "tie_weights",
        "softmax",
        "embedding_dropout",
    )
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "level": [StrOptions({"char", "word", "token", "binary"})],
        "vocabulary": [Iterable, None],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        "handle_unknown": [StrOptions({"error", "use"})],
        "end_of_text": [StrOptions({"auto"}), "boolean"],
        "embedding_size": [Interval(Integral, 1, None, closed="left"), None],
        "tie_weights": ["boolean"],
        "softmax": [StrOptions({"auto", "full", "adaptive"})],
        "bptt_steps": [Interval(Integral, 1, None, closed="left")],
        "embedding_dropout": [Interval(Real, 0, 1, closed="left")],
    }


@parameters
class Fused(Beamed):
    """A language model beside what is heard or seen.

    Parameters
    ----------
    language_model : object with ``predict_proba``, and ``classes_`` or ``vocabulary_``, default=None
        What knows which labels follow each other: ``predict_proba(prefixes)``, of beginnings as ``predict`` writes them, gives a row of
        probabilities for each, in the order of ``classes_``, else of ``vocabulary_``, which holds all labels. It needs ``beam_width`` above 1. A
        fitted estimator stays fitted in the copies that searches make if it is wrapped in :class:`sklearn.frozen.FrozenEstimator`.
    language_weight : float, default=0.5
        How much the logarithm of its probability counts beside that of the network.
    length_bonus : float, default=0.0
        Added for each label that is written; a language model favours short answers, for which this makes up. With ``beam_width`` above 1. These
        three may be set after ``fit``.
    """

    language_model: Any = None
    language_weight: float = 0.5
    length_bonus: float = 0.0

    _place: ClassVar[int] = TASK
    _may_change: ClassVar[tuple[str, ...]] = ("language_model", "language_weight", "length_bonus")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "language_model": [HasMethods("predict_proba"), None],
        "language_weight": [Interval(Real, 0, None, closed="left")],
        "length_bonus": [Interval(Real, None, None, closed="neither")],
    }
