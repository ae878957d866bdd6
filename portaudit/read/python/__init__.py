"""The Python reader: libcst parses, the binder resolves names, values and flags."""
