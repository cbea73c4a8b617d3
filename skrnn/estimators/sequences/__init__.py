"""One answer for each sequence."""
