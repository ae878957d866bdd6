"""Reporters: pure functions from a report to text. They print nothing and open no file."""
