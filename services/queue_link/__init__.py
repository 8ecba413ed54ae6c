"""How other services ask the queue, and what all who do have in common: its gRPC API and nothing
else of it.

`kept` asks once for many who want the same; `link` has the calls that more than one service makes.
Absent: whatever only one of them asks for.
"""
