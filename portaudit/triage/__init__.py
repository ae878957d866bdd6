"""What the findings of a run mean for its outcome: the gate."""
