"""One machine: the launcher, `make run`, `make apply`, `make demo`."""
