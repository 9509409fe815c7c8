"""Where a program is that a check names."""

import os
import shutil
import sysconfig
from pathlib import Path
from typing import Final

# Never the caller's PATH: a name in the project's own folder must not be taken for a program.
SEARCHED: Final = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"


def beside(name: str) -> str:
    """A program that was installed beside halfdoor; "" when it was not."""
    program = Path(sysconfig.get_path("scripts"), name)
    return str(program) if "/" not in name and os.access(program, os.X_OK) else ""


def found(program: str) -> str:
    """A bare name beside halfdoor or among the system's; "" when there is none.

    Paths are as they are.
    """
    if "/" in program:
        return program if os.access(program, os.X_OK) else ""
    return beside(program) or shutil.which(program, path=SEARCHED) or ""
