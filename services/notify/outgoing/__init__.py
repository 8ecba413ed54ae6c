"""HTTP to the outside that cannot be turned against the inside.

Where we post to is told by browsers and by other systems. `addresses` says which IP addresses are
the public's, `destinations` which URLs may be named at all, `posting` sends: it connects only to
addresses that it has itself resolved and checked, follows no redirect, waits and reads only so
long. Every request of the service to the outside goes through `Outgoing`. Absent: what is sent.
"""
