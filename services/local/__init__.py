"""One machine, one command: Redis, the queue and the gateway as child processes.

Imported by no other service; imports only the chassis. The children run through
the same entry points as in the cluster (`python -P -m services.queue`).

- `leash` a wrapper: its command dies with the launcher
- `process`, `crew` any processes: start in order, restart, stop in reverse
- `folder`, `keys`, `whole` what the data folder holds, who may open it, how it is written
- `ports`, `ready` free ports, and whether a process answers
- `errors` what the user has to be told
- `contract` the environment and the arguments that each process is given
- `clock` mapped time
- `stack` Redis, queues and a gateway together; the end-to-end tests use it
- `settings`, `run`, `greeting`, `signals` `make run`
- `office_file`, `apply` `make apply`
- `demo_day`, `demo_hall`, `demo_public`, `demo_report`, `demo` a recorded day through the HTTP API
"""
