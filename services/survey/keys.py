"""The survey's keys of an office, spelt in one place; the package docstring says what they hold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """The keys of an office and one of its days."""

    code: str
    day: str = ""

    def of(self, name: str) -> str:
        return f"tunggu:{{{self.code}}}:survey:{name}"

    def of_day(self, name: str) -> str:
        return self.of(f"{self.day.replace('-', '')}:{name}")

    def of_step(self) -> list[str]:
        """KEYS[1..6] of every script (lua/_step.lua)."""
        mine = [self.of(name) for name in ("days", "open")]
        return [*mine, *map(self.of_day, ("counts", "answers", "assessed", "requests"))]
