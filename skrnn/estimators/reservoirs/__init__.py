"""Fixed recurrent networks whose readout alone is learned."""

from ._echo_state import EchoState as EchoState  # for displays, which take any of them
