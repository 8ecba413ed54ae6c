"""Whole stacks of real processes."""
