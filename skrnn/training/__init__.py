"""Training of networks on sequences."""

from ._batches import Batches, channel_statistics
from ._distilling import Distilling
from ._forests import Forests
from ._likelihoods import PREDICTIVE, Gaussian, NegativeBinomial, predictive
from ._normal_equations import GrowingFolds, NormalEquations, contiguous_folds
from ._objectives import (
    LOSSES,
    BinaryCrossEntropy,
    Choosing,
    CrossEntropy,
    Distribution,
    Likelihood,
    Objective,
    Point,
    Predictive,
    SquaredError,
)
from ._objectives import Supervised as Supervised  # for the floor above, not for users
from ._online import RecursiveLeastSquares
from ._optimizers import OPTIMIZERS
from ._outliers import AdditiveOutliers
from ._pairs import Lattices, Pairs
from ._pascanu import Pascanu
from ._passages import PassageExamples, Passages
from ._penalised import PENALTIES, as_penalties, check_penalties, penalised
from ._penalties import ActivationPenalty, Penalty, TemporalActivationPenalty, WeightNoise
from ._retellings import RetellingError, Retellings
from ._ridge import CRITERIA, Choice, choose_alpha, solve, solve_path, svd_path
from ._schedules import SCHEDULES
from ._sources import Data, Examples, Source
from ._temporal_classification import TemporalClassification, Transcripts
from ._trainer import DivergenceError, DivergenceWarning, History, InterruptedWarning, Trainer, outputs_of_all
from ._transduction import Transduction
from ._unsupervised import InformationGain, ParzenEntropy, TogetherObjective, shares
from ._windows import WindowExamples, WindowSource, WindowSpec, steps_counted

__all__ = [
    "ActivationPenalty",
    "AdditiveOutliers",
    "DivergenceError",
    "DivergenceWarning",
    "InterruptedWarning",
    "NormalEquations",
    "Pascanu",
    "RecursiveLeastSquares",
    "TemporalActivationPenalty",
    "WeightNoise",
    "choose_alpha",
    "contiguous_folds",
    "solve",
    "solve_path",
    "svd_path",
]
