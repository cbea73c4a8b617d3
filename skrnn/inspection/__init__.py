"""Pictures of training and of what goes on inside a network, as scikit-learn's displays, which need matplotlib; and figures of them."""

from ._alignment import AlignmentDisplay
from ._attention import AttentionDisplay
from ._codes import CodesDisplay
from ._forecast import ForecastDisplay
from ._gates import GateDisplay
from ._gradient_flow import GradientFlowDisplay
from ._loss_curve import LossCurveDisplay
from ._memory import MemoryDisplay
from ._permutation_importance import permutation_importance
from ._reconstruction import ReconstructionDisplay
from ._reservoir import echo_state_index, largest_lyapunov_exponent, memory_capacity
from ._reservoir_display import ReservoirDisplay
from ._surprise import SurpriseDisplay

__all__ = [
    "AlignmentDisplay",
    "AttentionDisplay",
    "CodesDisplay",
    "ForecastDisplay",
    "GateDisplay",
    "GradientFlowDisplay",
    "LossCurveDisplay",
    "MemoryDisplay",
    "ReconstructionDisplay",
    "ReservoirDisplay",
    "SurpriseDisplay",
    "echo_state_index",
    "largest_lyapunov_exponent",
    "memory_capacity",
    "permutation_importance",
]
