"""Without its library an adapter can be imported, and says what to install when it is used."""

import pytest

from skrnn.adapters._missing import stand_in


def test_what_is_missing_is_named():
    class Adapter(stand_in("sktime")):
        pass

    with pytest.raises(ImportError, match="Adapter needs sktime: pip install sktime"):
        Adapter()
