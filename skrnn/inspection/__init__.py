"""Pictures of training and of what goes on inside a network, in the manner of scikit-learn's displays; they need matplotlib."""

from ._gates import GateDisplay
from ._gradient_flow import GradientFlowDisplay
from ._loss_curve import LossCurveDisplay

__all__ = ["GateDisplay", "GradientFlowDisplay", "LossCurveDisplay"]
