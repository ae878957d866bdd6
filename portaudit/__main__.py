"""`python -m portaudit`."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # Python looks for modules in the working directory then, which is the audited code.
    if sys.path[:1] in ([""], [os.getcwd()]):  # noqa: PTH109 - nothing else is to be loaded yet
        del sys.path[0]
    from portaudit.cli import main

    main()
