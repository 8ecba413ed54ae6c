"""How a process reaches the Redis that keeps its promises, and what all who do have in common.

    link      what a store holds: commands by name, many at once, settled or not
    lua       scripts as files, run by their hash
    doorbell  tells followers of streams that there is something new
    servers   which server has a key: the only one, the one Sentinels name, a slot's owner
    session   the connections to one server; what its replicas have
    wire      one connection that many callers share
    address, redis_policy   what an address says; which server is good enough, what a failure means
    config, clock, request  what a process is told; domain time; what makes a mutation repeatable

Absent: keys, scripts and protos, which are each service's own.
"""
