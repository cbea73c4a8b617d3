"""A sequence written for each row: numbers or tokens, from a sequence or a vector."""

from ._vocabulary import read_tokens as read_tokens  # for displays, which show tokens
