"""Readers: one module or folder per kind of file, `SourceFile -> model`."""
