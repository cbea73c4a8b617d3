"""Fixed recurrent networks whose readout alone is learned."""
