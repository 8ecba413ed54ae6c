"""The queue: kecamatan, services, counters, tickets, the order of call, the journal."""
