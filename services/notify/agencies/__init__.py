"""Agencies: an office's journal posted to other systems, as its supervisor registers them.

Keyspace. Every key carries the office's hash tag. W = `tunggu:{73.71.03}:notify:webhooks`.

    W            hash    by id, what was registered, with its secret (JSON)       until deleted
    W:audit      stream  who registered, resumed, deleted what when               180 days, 500
    W:<id>       hash    how far it has got and how it goes (model.Position)      until deleted
    W:<id>:lease string  the replica that posts to it                             `takeover`

One replica posts to a webhook, as long as it holds the lease; each note that it makes of its
progress is refused once it does not (lua/note_webhook.lua). What was posted and not noted is
posted again: at least once, in order.

Layers: `servicer`, `deliverer` → `courier` → `store`. `keys` and `store` know Redis. Pure: model.
"""
