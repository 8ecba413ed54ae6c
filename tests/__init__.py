"""Tests mirror `services/`; their names are sentences about behaviour."""
