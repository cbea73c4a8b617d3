"""Memories: patterns that are stored and found again, and networks with a memory beside their units."""
