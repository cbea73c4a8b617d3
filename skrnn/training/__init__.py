"""Training of networks on sequences."""

from ._batches import Batches, channel_statistics
from ._objectives import BinaryCrossEntropy, CrossEntropy, Objective, SquaredError
from ._optimizers import OPTIMIZERS
from ._schedules import SCHEDULES
from ._trainer import Data, DivergenceError, DivergenceWarning, History, InterruptedWarning, Trainer

__all__ = ["DivergenceError", "DivergenceWarning", "InterruptedWarning"]
