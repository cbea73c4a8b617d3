"""Answers about trees."""
