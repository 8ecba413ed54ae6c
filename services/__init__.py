"""The processes of Tunggu, and who may import whom.

- `__main__` may import everything of its own service; importing a module does nothing.
- `servicer` sees model, policy, board, store, its own stubs and the chassis.
- `store` sees model, redis and chassis.lua; it alone knows keys and scripts.
- model, policy, journal, fold, verbs, verify, indicators, forecast and board see one another and
  plain libraries only: no grpc, no redis, no clock, no I/O.
- notify, survey, gateway and controller reach other services through stubs and chassis.client.
- The chassis imports no service and no proto of ours except tunggu.access.
- Services never import each other.

No path entry may be `services/` itself: `services/queue` must not shadow the standard `queue`.
"""
