"""The embedded runtime and the made-up publisher: what production brings itself, and a laptop does not have."""

import sys
from pathlib import Path

# The project is not installed; `python -m sandbox.…` must find the package beside it.
_PLUGINS = str(Path(__file__).resolve().parents[1] / "plugins")
if _PLUGINS not in sys.path:
    sys.path.insert(1, _PLUGINS)
