"""The rule catalogue: its file format, loader, index, tests and documentation."""
