"""What was not to be expected."""
