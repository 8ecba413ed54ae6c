"""The gateway: the only process that speaks HTTP. It translates and fans out.

The HTTP API is what the protos declare (google.api.http); routes are read from the
descriptors, so a new RPC needs no line here. In the order of a request:

- `server`   uvicorn, with limits on what is read before a request is understood
- `app`      ASGI: finds the route, turns every refusal into problem+json, logs
- `exchange` one request: headers, body, limits · `origins` other sites' pages
- `routes`, `decode`, `encode`, `names`, `transcode`   HTTP ⇄ messages
- `api`      the call, or `batch`, which gathers requests for numbers
- `watching` streams, through `hub`, `streams` (the fan-out), `boards`, `city`,
  `satisfaction` and `sse`
- `pages`   what `web/` holds, with `assets` (versions, compression, policy), `places` (addresses
  with variables), `ticket_page` (without scripts) and `qr` · `ops`   health, readiness, version
- `openapi`   the API's description, made at start: `comments` (what the protos say in words),
  `schemas`, `samples`, `requirements`, `refusals`, `operations`; `reference` shows it at `/docs`

Absent: business rules, state that outlives a connection, Redis, tokens (they are
passed on; the services verify them).
"""
