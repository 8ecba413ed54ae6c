"""Notify: tells those who asked for it that their turn is near."""
