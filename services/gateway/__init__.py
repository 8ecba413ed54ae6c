"""The gateway: the only process that speaks HTTP. It translates and fans out.

The HTTP API is what the protos declare (google.api.http); routes are read from the
descriptors, so a new RPC needs no line here. In the order of a request:

- `entrance`, `crowd`   connections come in, and which go when there are too many
- `server`   uvicorn, with limits on what is read before a request is understood
- `app`      ASGI: finds the route, turns every refusal into problem+json, logs
- `admission`   who asks too much: `addresses`, `badges` (sound tokens), `limits` (buckets)
- `exchange` one request: headers, body, limits · `origins` other sites' pages
- `routes`, `decode`, `encode`, `names`, `transcode`   HTTP ⇄ messages
- `api`      the call, or `batch`, which gathers requests for numbers
- `watching` streams: who is let in (`places`, `door`, `addresses`) to what (`hub`, `boards`,
  `city`, `satisfaction`); then `streams` and `turns` fan out, and `sse` is a client's end of it
- `pages`   what `web/` holds, with `assets` (versions, compression, policy), `paths` (addresses
  with variables), `ticket_page` (without scripts) and `qr` · `ops`   health, readiness, version
- `openapi`   the API's description, made at start: `comments` (what the protos say in words),
  `schemas`, `samples`, `requirements`, `refusals`, `operations`; `reference` shows it at `/docs`

Absent: business rules, state that outlives a connection but for limits, Redis, what a token
admits (it is passed on; the services decide).
"""
