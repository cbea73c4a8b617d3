"""Generated sequences, the tasks on which recurrent networks were first compared, and a few real ones, ready for ``fit``.

Every ``make_…`` draws from ``random_state`` alone, and gives X and y in the forms that the estimators take. Every ``load_…`` says whose its data
are, and under which licence.
"""

from ._bundled import load_japanese_vowels, load_mauna_loa_co2, load_sunspots
from ._dynamics import make_henon, make_lorenz, make_mackey_glass, make_rossler
from ._grammars import REBER_LETTERS, make_continual_reber, make_counting, make_embedded_reber, make_letters, reber_successors
from ._memory_tasks import (
    make_associative_recall,
    make_copy_memory,
    make_dynamic_ngrams,
    make_priority_sort,
    make_repeat_copy,
    ngram_bayes_bits,
)
from ._pages import make_pages
from ._pairs import make_copy, make_date_strings
from ._pulses import make_pulse_trains
from ._recall import (
    make_adding,
    make_delayed_recall,
    make_delayed_xor,
    make_parity,
    make_temporal_order,
    make_waveform,
    make_xor_in_time,
)
from ._regular import make_buried_order, make_first_symbol
from ._reviews import make_reviews
from ._signals import (
    make_channel_equalization,
    make_memory_task,
    make_multiple_superimposed_oscillators,
    make_narma,
    make_spike_templates,
    make_stream_parity,
)
from ._stories import make_stories
from ._transcripts import make_phonemes, make_text_lines
from ._trees import make_boolean_trees

__all__ = [
    "REBER_LETTERS",
    "load_japanese_vowels",
    "load_mauna_loa_co2",
    "load_sunspots",
    "make_adding",
    "make_associative_recall",
    "make_boolean_trees",
    "make_buried_order",
    "make_channel_equalization",
    "make_continual_reber",
    "make_copy",
    "make_copy_memory",
    "make_counting",
    "make_date_strings",
    "make_delayed_recall",
    "make_delayed_xor",
    "make_dynamic_ngrams",
    "make_embedded_reber",
    "make_first_symbol",
    "make_henon",
    "make_letters",
    "make_lorenz",
    "make_mackey_glass",
    "make_memory_task",
    "make_multiple_superimposed_oscillators",
    "make_narma",
    "make_pages",
    "make_parity",
    "make_phonemes",
    "make_priority_sort",
    "make_pulse_trains",
    "make_repeat_copy",
    "make_reviews",
    "make_rossler",
    "make_spike_templates",
    "make_stories",
    "make_stream_parity",
    "make_temporal_order",
    "make_text_lines",
    "make_waveform",
    "make_xor_in_time",
    "ngram_bayes_bits",
    "reber_successors",
]
