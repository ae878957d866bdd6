"""Judging matches: guards proved from the branch they control, and effective severity."""
