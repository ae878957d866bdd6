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
GIVEN_TO = "|"
"""Stands between all modules of a package and the function of the tree that is given the package.
"""
OTHERWISE = "!"
"""Before a function that does more with what it is given than to keep it."""
LOOSE = "?"
"""Begins a word that may be a module's name for whoever imports by names it is given."""
ANY_SETTING = "*"
"""The name of a setting that stands for any which data has."""
IN_DICT = "{}"
"""What any setting is read into that data has, if that is a dict, and nobody's attributes."""
POURED = "{**}"
"""What makes attributes, or options of a parser, of what some dict has."""
PARSED = "--*"
"""The name under which a file tells the options that it has a parser of a command line declare."""
BY_KEY = "[*]"
"""That for settings which are something else there: keys, fields, parameters with a default."""
LOADED = "{.}"
"""What any setting has the value of that an object has which a library makes of a file."""
TAKING = "("
"""Ends the name of a function that is given such an object."""
SECTION = "."
"""The section of a setting that is one itself, and has nothing by itself."""
EMPTY = '""'
"""The value of a setting that is a text with nothing in it."""
AS_WRITTEN = "--"
"""Before the name of an option in how it is spelled: its value is the word itself, or a plain one
that code has, of one word."""
REQUIRED = "!"
"""In how an option is spelled: its parser takes no command line without it."""
ELEMENT = "[]"
"""Ends the name of a setting of which an element is asked, whichever: `stages[]`. Of what code sets
it says that one is changed."""
OBJECT_ITSELF = "<>"
"""The value of a setting that is an object, and no word."""

VARIABLE = "$"
"""Begins the name of a setting that is a variable of the environment; alone, what a function asks
for by the name that it is given."""
ANY_VARIABLE = "$*"
"""Stands for any variable: somebody sets some by names that nobody sees."""

# --- arguments by position ------------------------------------------------------------------------

KEPT = "^"
"""Stands for arguments where a function is named as a value, which somebody of the tree calls."""
LISTED = "^ "
"""Begins the name of a list of the module that it is in: the file only has a parser read that."""
ITSELF = "&"
"""Stands for them where it is handed to somebody else, who may give it anything."""
UNWRITTEN = "?"
"""Stands for an argument, or a key, that is not written down."""
MORE = "..."
"""Stands for any number of arguments."""
UNPACKED = "**"
"""Stands for arguments by names that nobody sees, and for any number by their places as well."""
OBJECT = "()"
"""Stands for the name of what is called where that is an object."""
EITHER = "(?)"
"""Stands for it where that is an object, or a function or a class that somebody named."""
NAMED = "*"
"""Stands before parameters that are given by name only."""
FIELDS = "@"
"""Stands before the fields of a class, which are no parameters of a function."""
KEYED = "%"
"""Stands before those of a class that is given them by name only, whatever bases it has."""

AN_OBJECT = "!"
"""Ends the name of a parameter that is an object, by what is asked of it."""
PASSED_ON = ">"
"""Ends the name of a parameter that is only given to other functions of the tree by its place."""
ONLY_KEY = "]"
"""Ends the name of a parameter that nothing is done with but to look something up in a table."""
OF_PARAMETERS = AN_OBJECT + PASSED_ON + ONLY_KEY

OF_FUNCTION = "("
"""Stands between a function and a parameter of it that may be left out. At the end of the name of a
function: of what else the code does with it than to call it; of the name of a setting: names that
nobody sees are unpacked in a call. Before the name of a setting: some call hands it on by its name.
"""

# --- what tables are asked with -------------------------------------------------------------------

OF_CONFIG = "@"
"""A table is asked with the type that a config names."""
OF_COMMAND = "$"
"""A table is asked with a word of the command line."""
BY_METHOD = "^"
"""Before the method of an object that puts something into a table."""
UNDER = "["
"""Before the written key under which a class keeps a table."""
KEEPER = "%"
"""Before the name of a class with such tables, or of an object of it."""
