"""What the user of one machine has to be told."""


class LocalError(Exception):
    """Something that one line explains; the line names the remedy where there is one."""
