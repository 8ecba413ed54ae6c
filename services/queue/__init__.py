"""The queue: numbers, calls, the journal and the board.

Keyspace. Every key of an office carries its hash tag, so that one script can touch them all and a
cluster keeps them together; `keys.Keys` spells each. K = `tunggu:{73.71.03}`, D = 20260302.

    K:office           hash    the running or last day: its flags, n, t               for ever
    K:journal          stream  one entry an event, id D-n, field l = the leaf         2 days
    K:file             hash    the applied Kecamatan file and its generation          for ever
    K:policies         hash    policy document by SHA-256                             for ever
    K:frozen           hash    by day, names and guesses frozen at day open           for ever
    K:days             hash    by day, the closed day's record (statistics)           for ever
    K:audit            stream  who did what; private                                  180 days
    K:displays         hash    by display of the hall, what it last reported          1 hour
    K:D:tickets        hash    record by number                                       close + 7 days
    K:D:ids            hash    number by the secret part of the ticket id             close + 7 days
    K:D:counters       hash    record by counter id                                   close + 7 days
    K:D:counts         hash    issued: used: web: cs: by service                      close + 7 days
    K:D:holders        hash    latest number by salted holder hash                    close
    K:D:ripe           zset    who waits and may be called, by lex                    close
    K:D:unripe         zset    who waits and is not before a count of calls, by lex   close
    K:D:archive        string  the closed day's leaves, gzip                          400 days
    K:request:<hash>   string  what a request id has already done                     2 days
    tunggu:{city}:kecamatan  set  codes of the offices                                for ever

The salt of the day's holder hashes is a field of K:office and goes when the day closes.

Layers: `__main__` → `compose` → `servicer`, `admin` → `offices`, `live`, `publishing`,
`closed_days` → `store`, `archive`, `displays` → `steps`; the last four and `keys` know Redis.
`view`, `asking`, `display_report` and `in_turn` stand between messages and the rest, `metrics`,
`figures` and `display_figures` between Prometheus and `live` or `displays`. Everything else is
pure: no Redis, no gRPC, no clock, no I/O.
"""
