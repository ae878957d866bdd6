"""Selecting places: the catalogue's patterns against the reader's model."""
