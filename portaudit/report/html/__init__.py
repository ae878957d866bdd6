"""Reporter: pages of HTML, each a single file that asks nobody for anything."""
