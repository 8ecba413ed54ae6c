"""The processes of Tunggu, one package each.

Who may import whom (checked by `make imports` and tests/test_architecture.py):

- `chassis` is the shared kernel. It knows no service, no domain and, of our
  protos, only `tunggu.access`.
- `redis_link` is how a process reaches Redis. It knows the chassis and nothing
  else of ours; `gateway`, `controller` and `local` do not know it.
- `queue_link` is how other services ask the queue. It knows the chassis and the
  queue's protos.
- `queue`, `gateway`, `notify`, `survey` and `controller` never import each
  other: gRPC is the only way across.
- `printer` runs on a kiosk's machine; it knows the chassis and nothing else of ours.
- `local` starts them all on one machine and is imported by none.
- Inside a service: `__main__` may import everything of its own; `servicer`
  speaks protos; `store` alone speaks to Redis; these modules of the queue
  (model, policy, journal, fold, commands, verbs, verify, replay, checks, findings,
  indicators, forecast, board, days), of the survey (model, tally, interval, ikm,
  periods) and of notify (model, texts, pace) are pure: no gRPC, no Redis, no clock, no I/O.

`services/queue` must never shadow the standard library's `queue`: no path
entry may be `services/` itself, so import as `services.queue.policy`.
"""
