"""The signs that facts of a file are written with: one meaning for who writes and who reads them.

What they stand in is told by `types.CodeFacts` and `types.Setting`.
"""

from __future__ import annotations

BELOW = "<"
"""Stands between a class and its base: who makes, or means, the one means the other."""
ANY_MEMBER = ".*"
"""Ends the name of a module of which any member may be meant; alone it means the file itself."""
RETURNED = "()"
"""Ends the name of a function: what it returns is meant, which may be a module."""
ANY_METHOD = ".()"
"""Ends the name of what any method may be called of, by a name that nobody sees; alone, of all."""
HANDED = "@"
"""Before the name of what is handed on: any member of it may be meant if it is a module."""
PROGRAM = "__main__"
"""The name of what runs only if its file is the program."""
ANY_PART = "*"
"""Stands for what is not known of a name."""
CONFIGURED = "@"
"""What stands before the last dot of a name that is not known: the module of a class."""
LOCATED = "@*"
"""A whole name of which nothing is known: a function looks up what it means."""
LOOSE = "?"
"""Begins a word that may be a module's name for whoever imports by names it is given."""
ANY_SETTING = "*"
"""The name of a setting that stands for any which data has."""

# --- arguments by position ------------------------------------------------------------------------

KEPT = "^"
"""Stands for arguments where a function is named as a value, which somebody of the tree calls."""
ITSELF = "&"
"""Stands for them where it is handed to somebody else, who may give it anything."""
UNWRITTEN = "?"
"""Stands for an argument, or a key, that is not written down."""
MORE = "..."
"""Stands for any number of arguments."""
OBJECT = "()"
"""Stands for the name of what is called where that is an object."""
EITHER = "(?)"
"""Stands for it where that is an object, or a function or a class that somebody named."""
NAMED = "*"
"""Stands before parameters that are given by name only."""
FIELDS = "@"
"""Stands before the fields of a class, which are no parameters of a function."""

# --- what tables are asked with -------------------------------------------------------------------

OF_CONFIG = "@"
"""A table is asked with the type that a config names."""
OF_COMMAND = "$"
"""A table is asked with a word of the command line."""
