"""Notify: tells those who asked for it that their turn is near.

Keyspace. Every key carries the office's hash tag, so that one script can touch them all; they are
notify's own, beside the queue's. N = `tunggu:{73.71.03}:notify`, D = 20260302. No key that names a
person outlives 24 hours of real time from the day's first write, and all of D go when the queue
closes the day. A ticket's targets and codes go when it closes.

    N:place         hash    how far the journal was followed: day, n, cursor; stop    for ever
    N:days          set     days that have keys                                       for ever
    N:outbox        stream  deliveries to be made; group `senders`                    24 hours
    N:later         zset    deliveries to be tried again, by when (ms, real)          24 hours
    N:dead          stream  what was given up and why, no ticket, at most 1000        24 hours
    N:D:tickets     hash    by number, what was said and where it stands (JSON)       24 h, close
    N:D:targets     hash    by number.subscription, the subscription (JSON)           24 h, close
    N:D:codes       hash    by code, the number.subscription that waits for it        24 h, close
    N:D:phones      hash    by phone, the number.subscriptions that it has            24 h, close
    N:D:requests    hash    what a request id has already done                        24 h, close
    N:D:deliveries  hash    by number.place, what became of a message (JSON)          24 h, close

Of no office, and of no person that could be told from them: `tunggu:notify:vapid`, the key of Web
Push, and `tunggu:notify:once:…`, what WhatsApp was answered (once.py). Offices' webhooks for other
agencies have keys of their own (agencies/__init__.py).

Layers: `__main__` → `compose` → `servicer`, `offices` → `follower`, `sender` → `store`, `outbox`,
`queue_client`. `keys`, `store` and `outbox` know Redis; `queue_client` the queue; `channels` the
world outside. `asking` and `view` stand between messages and the rest. Pure: model, texts, pace.
"""
