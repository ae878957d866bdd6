"""`python -m portaudit`."""

from __future__ import annotations

from portaudit.cli import main

if __name__ == "__main__":
    main()
