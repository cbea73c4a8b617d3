"""What all estimators are made of: settings, readers, targets, declared state, and the one skeleton of those that are trained."""

from ._guards import infinite_states as infinite_states  # these for the floor above, not for users
from ._guards import seed_of as seed_of
from ._noted import as_fitted as as_fitted
from ._predictor import Predictor as Predictor
from ._readers import beside as beside
from ._state import copy_to_learn_on as copy_to_learn_on
from ._trained import Trained as Trained
from ._trained import predictor_of as predictor_of
