"""What sequences have in common, learned without targets."""
