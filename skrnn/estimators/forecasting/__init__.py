"""What follows a series, and what goes beside others."""
