"""How much a run of the bench does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The defaults are the bench; the test of it takes tiny ones."""

    rounds: int = 3
    seconds: float = 2.0  # of each measurement under load
    connections: tuple[int, ...] = (1, 64, 512)
    watchers: tuple[int, ...] = (1000, 5000, 10_000)
    crowd: int = 200  # people who wait on the board that is watched
    waiting: tuple[int, ...] = (10, 100, 500, 2000)
    calls: int = 50  # callNext in a round, each at a counter of its own
    steady: float = 100.0  # requests a second of the kecamatan beside the flooded one

    @property
    def most(self) -> int:
        """Connections of the greatest load."""
        return max(self.connections)
