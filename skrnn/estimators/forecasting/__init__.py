"""What follows a series, and what goes beside others."""

from ._panel_score import mean_r2 as mean_r2  # these for the floor above, not for users
from ._reading import check_counts as check_counts
from ._reading import levels_between as levels_between
from ._series_forecaster import SeriesForecaster as SeriesForecaster
