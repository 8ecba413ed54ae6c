"""The keys of an office, spelt in one place; the package docstring says what they hold."""

from dataclasses import dataclass

CITY_KEY = "tunggu:{city}:kecamatan"


@dataclass(frozen=True)
class Keys:
    """The keys of an office and one of its days."""

    code: str
    day: str

    @property
    def office(self) -> str:
        return f"tunggu:{{{self.code}}}"

    def of(self, name: str) -> str:
        return f"{self.office}:{name}"

    def of_day(self, name: str) -> str:
        return f"{self.office}:{self.day.replace('-', '')}:{name}"

    def request(self, digest: str) -> str:
        return self.of(f"request:{digest or '-'}")

    def of_step(self, digest: str) -> list[str]:
        """KEYS[1..14] of every script (lua/_day.lua)."""
        mine = [self.of(n) for n in ("office", "journal", "file", "policies", "frozen")]
        names = ("tickets", "ids", "holders", "counters", "counts", "ripe", "unripe")
        days = [self.of_day(n) for n in names]
        return [*mine, *days, self.request(digest), self.of("audit")]
