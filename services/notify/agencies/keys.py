"""The keys of an office's webhooks, spelt in one place; the package docstring says what they
hold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """The keys of an office and one of its webhooks."""

    code: str
    id: str = ""

    @property
    def webhooks(self) -> str:
        return f"tunggu:{{{self.code}}}:notify:webhooks"

    @property
    def audit(self) -> str:
        return f"{self.webhooks}:audit"

    @property
    def position(self) -> str:
        return f"{self.webhooks}:{self.id}"

    @property
    def lease(self) -> str:
        return f"{self.position}:lease"
