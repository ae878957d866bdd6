"""Relating files: module resolution, exported names, root causes."""
