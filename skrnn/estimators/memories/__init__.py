"""Memories: patterns that are stored and found again."""
