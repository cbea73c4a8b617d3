"""One answer for each step."""
