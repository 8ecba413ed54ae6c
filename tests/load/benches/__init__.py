"""The parts of `make bench`, each a coroutine `run(sizes, folder)` that returns its rows."""
