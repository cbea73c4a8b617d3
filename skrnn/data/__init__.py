"""The containers for sequences and for trees, and the door through which data come in."""

from ._categories import Categories as Categories  # this and what is written so: for the rest of this package, not for users
from ._checks import as_sequences
from ._checks import check_sequences as check_sequences
from ._checks import check_sequences_and_layout as check_sequences_and_layout
from ._corpus import Arrangement as Arrangement
from ._corpus import Corpus as Corpus
from ._corpus import Known as Known
from ._encoding import AsItIs as AsItIs
from ._encoding import Encoding as Encoding
from ._exchange import Laid as Laid
from ._exchange import lay_out as lay_out
from ._flat import LAYOUTS as LAYOUTS
from ._flat import STEP_ORDERS as STEP_ORDERS
from ._flat import TableLayout as TableLayout
from ._frames import cells_of as cells_of
from ._frames import columns_of as columns_of
from ._frames import has_instances as has_instances
from ._frames import kind_of as kind_of
from ._frames import order_of_instances as order_of_instances
from ._long import LongIndex as LongIndex
from ._long import long_index as long_index
from ._long import refuse_other_index as refuse_other_index
from ._long import refuse_other_order as refuse_other_order
from ._panel import Panel as Panel
from ._panel import Window as Window
from ._panel import windows_of as windows_of
from ._pictures import Pictures as Pictures
from ._reading import ROWS as ROWS
from ._reading import unmasked as unmasked
from ._scales import OF_WINDOWS as OF_WINDOWS
from ._scales import SCALINGS as SCALINGS
from ._scales import SeriesMoments as SeriesMoments
from ._scales import series_moments as series_moments
from ._sequences import Sequences
from ._sequences import offsets_of as offsets_of
from ._sequences import places_in as places_in
from ._static import StaticColumns as StaticColumns
from ._stepping import Instants as Instants
from ._stepping import check_increasing as check_increasing
from ._stepping import check_no_gap as check_no_gap
from ._steps import PartList as PartList
from ._steps import RowList as RowList
from ._steps import StepRows as StepRows
from ._steps import give_steps as give_steps
from ._steps import mirrored as mirrored
from ._steps import step_rows as step_rows
from ._stories import STORY_WORD as STORY_WORD
from ._stories import Story as Story
from ._stories import StoryWords as StoryWords
from ._stories import encode_stories as encode_stories
from ._stories import known_words as known_words
from ._stories import read_keys as read_keys
from ._stories import read_stories as read_stories
from ._tables import holds_texts as holds_texts
from ._tables import is_missing as is_missing
from ._time_axis import RESET as RESET
from ._time_axis import TimeAxis as TimeAxis
from ._time_axis import axes_of as axes_of
from ._time_axis import check_index as check_index
from ._time_axis import check_same as check_same
from ._time_axis import check_same_times as check_same_times
from ._time_axis import check_time_order as check_time_order
from ._time_axis import has_times as has_times
from ._time_axis import index_of as index_of
from ._time_axis import instants_of as instants_of
from ._time_axis import is_default as is_default
from ._time_axis import with_index_of as with_index_of
from ._tree_forms import as_trees, read_ptb
from ._tree_targets import are_of_nodes as are_of_nodes
from ._tree_targets import check_trees as check_trees
from ._tree_targets import node_rows as node_rows
from ._tree_targets import node_weights as node_weights
from ._tree_targets import refuse_more_children as refuse_more_children
from ._tree_targets import tokens_of as tokens_of
from ._tree_targets import tree_rows as tree_rows
from ._trees import Trees
from ._vocabulary import BEGIN as BEGIN
from ._vocabulary import END as END
from ._vocabulary import UNKNOWN as UNKNOWN
from ._vocabulary import WORD as WORD
from ._vocabulary import TokenRow as TokenRow
from ._vocabulary import Vocabulary as Vocabulary
from ._vocabulary import all_strings as all_strings
from ._vocabulary import read_tokens as read_tokens
from ._vocabulary import rows_of_texts as rows_of_texts
from ._vocabulary import warn_of_strangers as warn_of_strangers
from ._windows import window_rows as window_rows

__all__ = ["Sequences", "Trees", "as_sequences", "as_trees", "read_ptb"]
