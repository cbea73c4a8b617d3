"""A sequence written for each row: numbers or tokens, from a sequence or a vector."""
