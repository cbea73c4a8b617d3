"""Networks with a memory beside their units."""
