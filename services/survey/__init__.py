"""The survey: Kepuasan Cepat after each ticket, the official questionnaire, the camat's figures.

Keyspace. Every key carries the office's hash tag, so that one script can touch them all; they are
the survey's own, beside the queue's. S = `tunggu:{73.71.03}:survey`, D = 20260302.

    S:days         hash    by day, the closed day's record: counts by cell, completions   for ever
    S:figures      hash    by day, the queue's statistics of the closed day               for ever
    S:open         set     days that have counts and are not closed                       for ever
    S:through      string  the last day up to which all are closed here                   for ever
    S:D:counts     hash    how many, by cell (model.py)                                   day close
    S:D:answers    hash    the answer that counts, by ticket number                       day close
    S:D:assessed   hash    when the questionnaire was filled in, by ticket number         day close
    S:D:requests   hash    what a request id has already done                             day close

The last three link tickets to answers: they go when the day closes, and 2 days of real time after
their last write in any case. What stays are counts.

Layers: `__main__` → `compose` → `follower`, `servicer`, `official`, `figures` → `daybook` →
`store`, `queue_client`. `keys` and `store` know Redis, `queue_client` the queue. `asking`, `view`,
`tables`, `report` and `chart` stand between messages and the rest. Pure: model, tally, interval,
ikm, periods.
"""
