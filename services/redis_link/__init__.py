"""How a process reaches the Redis that keeps its promises, and what all who do have in common.

`redis_policy` connects, and admits no server that would lose what it acknowledged; `lua` runs
scripts; `clock` is the time that they are given, `request` what makes them repeatable, `config`
what a process is told of both. Absent: keys, scripts and protos, which are each service's own.
"""
