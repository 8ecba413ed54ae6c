"""Notify's keys of an office, spelt in one place; the package docstring says what they hold."""

from dataclasses import dataclass

GROUP = "senders"
OF_OFFICE = ("place", "days", "outbox", "later", "dead")
OF_DAY = ("tickets", "targets", "codes", "phones", "requests", "deliveries")


@dataclass(frozen=True)
class Keys:
    """The keys of an office and one of its days."""

    code: str
    day: str = ""

    def of(self, name: str) -> str:
        return f"tunggu:{{{self.code}}}:notify:{name}"

    def of_day(self, name: str) -> str:
        return self.of(f"{self.day.replace('-', '')}:{name}")

    def of_step(self) -> list[str]:
        """KEYS[1..11] of every script (lua/_step.lua)."""
        return [*map(self.of, OF_OFFICE), *map(self.of_day, OF_DAY)]
