"""The shared kernel of every service: no domain, no service, at most 800 lines."""
