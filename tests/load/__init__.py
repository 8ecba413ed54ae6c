"""What the edge can bear: `make bench` and `make soak`.

Everything that is compared runs in the same run, turn about, on the same machine; a row of the
table is a median over rounds, a ratio the median of the rounds' ratios. Clients are processes of
their own and their CPU is shown, so that one that is itself the limit is noticed. The deployment
is spoken to by HTTP and gRPC only and set up by its environment. Nothing here asserts a time.
"""
