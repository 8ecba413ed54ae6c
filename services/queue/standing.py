"""The virtual order of one service's line, kept so that a newcomer costs next to nothing.

The order is that of `policy.virtual_order`, the reference, and tests hold the two together. Once
everybody is ripe it needs no simulation: a priority ticket goes before a regular one when credit
has grown to `priorityAfter`, when it arrived earlier, or when no regular one is left, so that the
whole order is told by how many regular tickets go before each priority ticket, its *slot*. Who
arrives last changes no slot of those before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from heapq import heapify, heappop

from services.queue.model import Day, Lane, Ticket

Entry = tuple[int, str]
"""(ord, number)"""

_Unripe = tuple[int, bool, int, str]
"""(nb, in the regular lane, ord, number), as `policy.virtual_order` ranks them."""


class Standing:
    """Who waits for a service, in the order of call, at one moment of the day.

    Making it costs O(n) copying and O(p·log n) comparisons, p being those in the priority lane;
    more only while somebody who came back is not ripe.
    """

    def __init__(self, day: Day, service: str) -> None:
        self._after = day.policy.rule.priority_after
        self._regular, self._priority = (list(day.waiting[service][lane]) for lane in Lane)
        self._first: dict[str, int] = {}
        self._slots: list[int] = []
        self._credit = 0
        self._steady = True
        unripe = self._take_unripe(day, service)
        if unripe:
            self._call_until_ripe(unripe, day.cs[service])
        for entry in self._priority:
            self._slots.append(self._slot(entry))

    def __len__(self) -> int:
        return len(self._first) + len(self._regular) + len(self._priority)

    def ahead(self, ticket: Ticket) -> int:
        """How many are called before a ticket of this line."""
        if ticket.number in self._first:
            return self._first[ticket.number]
        entry = (ticket.ord, ticket.number)
        if ticket.lane is Lane.PRIORITY:
            before = bisect_left(self._priority, entry)
            return len(self._first) + before + self._slots[before]
        before = bisect_left(self._regular, entry)
        return len(self._first) + before + bisect_right(self._slots, before)

    def numbers(self) -> tuple[str, ...]:
        """All of them, in the order of call."""
        numbers, taken = list(self._first), 0
        for (_, number), slot in zip(self._priority, self._slots, strict=True):
            numbers += [regular for _, regular in self._regular[taken:slot]]
            numbers.append(number)
            taken = slot
        numbers += [regular for _, regular in self._regular[taken:]]
        return tuple(numbers)

    def join(self, ticket: Ticket) -> bool:
        """Takes in a ticket that has just been issued; False if it must be made anew, because the
        newcomer would be called among those who are not ripe."""
        entry = (ticket.ord, ticket.number)
        if ticket.lane is Lane.PRIORITY:
            if self._first:
                return False
            self._priority.append(entry)
            self._slots.append(self._slot(entry))
        elif self._steady:
            self._regular.append(entry)
        return self._steady

    def _slot(self, entry: Entry) -> int:
        """How many regular tickets go before a priority one that follows those with a slot."""
        taken = self._slots[-1] if self._slots else 0
        credit = 0 if self._slots else self._credit
        earlier = bisect_left(self._regular, entry)
        return max(taken, min(taken + max(0, self._after - credit), earlier))

    # Those who came back, transferred or returned, and are not ripe -------------------------------

    def _take_unripe(self, day: Day, service: str) -> list[_Unripe]:
        unripe: list[_Unripe] = []
        for number in day.late[service]:
            ticket = day.tickets[number]
            if ticket.nb > day.cs[service]:
                lane = self._lane(ticket.lane is Lane.REGULAR)
                del lane[bisect_left(lane, (ticket.ord, number))]
                unripe.append((ticket.nb, ticket.lane is Lane.REGULAR, ticket.ord, number))
        heapify(unripe)
        return unripe

    def _lane(self, ordinary: bool) -> list[Entry]:
        return self._regular if ordinary else self._priority

    def _call_until_ripe(self, unripe: list[_Unripe], calls: int) -> None:
        """Calls one after another until everybody who is left is ripe. `_steady` ends when a call
        found no regular ticket: then one more would have changed it."""
        regular = priority = 0
        while True:
            while unripe and unripe[0][0] <= calls:
                _, ordinary, order, number = heappop(unripe)
                insort(self._lane(ordinary), (order, number), regular if ordinary else priority)
            if not unripe:
                break
            due = self._priority[priority] if priority < len(self._priority) else None
            head = self._regular[regular] if regular < len(self._regular) else None
            self._steady = self._steady and head is not None
            if due and (not head or self._credit >= self._after or due < head):
                priority += 1
                self._call(due[1], regular=False)
            elif head:
                regular += 1
                self._call(head[1], regular=True)
            else:
                _, ordinary, _, number = heappop(unripe)
                self._call(number, regular=ordinary)
            calls += 1
        del self._regular[:regular], self._priority[:priority]

    def _call(self, number: str, *, regular: bool) -> None:
        self._first[number] = len(self._first)
        self._credit = min(self._after, self._credit + 1) if regular else 0
