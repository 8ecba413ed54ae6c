"""Another agency's system: verifies each post with another's library and keeps the events."""

import json
from contextlib import asynccontextmanager

from standardwebhooks import Webhook as Verifier

from tests.notify.outside import outside


class Agency:
    """`answer` says what each post gets; only what got a success is taken."""

    def __init__(self):
        self.secret = ""
        self.answer = lambda _: 204
        self.taken = []  # places, in the order of arrival
        self.posts = []  # ids of all posts, taken or not
        self.documents = []  # of those taken
        self.world = None

    @property
    def url(self):
        return f"{self.world.url}/tunggu"

    @property
    def places(self):
        """Each place once, in the order of its first arrival."""
        return list(dict.fromkeys(self.taken))

    def respond(self, received):
        document = Verifier(self.secret).verify(received.body, dict(received.headers))
        id = received.headers["webhook-id"]
        self.posts.append(id)
        answer = self.answer(received)
        if answer in (200, 204):
            self.documents.append(document)
            for event in document["data"]["events"]:
                fields = json.loads(event["leaf"])
                assert (event["day"], event["event"]) == (fields["d"], fields["n"])
                self.taken.append((event["day"], event["event"]))
        return answer


@asynccontextmanager
async def agency():
    found = Agency()
    async with outside(found.respond) as found.world:
        yield found
