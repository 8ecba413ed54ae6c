"""The controller: what `kubectl` says of offices is made true in the queue, again and again.

A Kecamatan resource is the file that `make apply` takes; the queue judges it, applies it and keeps
it. This package is a thin client of that: it asserts every resource at once when it changes and
every `interval` seconds besides, so that a queue that has forgotten (an empty Redis) is told again,
and writes back what the queue says. Absent: rules, schemas, any state of its own.

    desired   a resource as the queue's message, which of two with one code counts    pure
    report    an answer as the status of the resource                                 pure
    offices   the calls to queue and survey
    handlers  kopf's events, timers and deletions
"""
