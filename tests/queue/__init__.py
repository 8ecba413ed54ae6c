"""Tests of `services.queue`."""
