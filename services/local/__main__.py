"""`make run`."""

import os
import sys

from services.local.signals import leave_when_asked

if __name__ == "__main__":
    leave_when_asked(status=0)  # before the imports, which take a while

from services.local.errors import LocalError
from services.local.run import run
from services.local.settings import read


def main() -> str:
    """Why it ended, if not because it was asked to."""
    try:
        run(read(os.environ))
    except LocalError as error:
        return f"tunggu: {error}"
    except OSError as error:
        if error.filename is None:
            raise
        return f"tunggu: cannot use {error.filename}: {error.strerror}"
    return ""


if __name__ == "__main__":
    sys.exit(main() or 0)
