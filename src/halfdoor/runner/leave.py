"""Leave to start a process: asked for where one starts, given by `backends/guard.py`."""

from collections.abc import Callable
from contextlib import AbstractContextManager

# Called with the purpose; processes may start inside its `with` alone.
Leave = Callable[[str], AbstractContextManager[None]]
