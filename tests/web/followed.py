"""The pages as people have them open, each at an office of its own, for tests that cut their line.

A `Followed` opens its page, presses what may be pressed there while nobody answers, lets something
happen at the office, and knows what the page must show afterwards.
"""

import re
from typing import ClassVar

from playwright.sync_api import Page, expect

from tests.web.pages import Pages
from tests.web.town import DAY, Desk, Town

PATIENCE = 60_000  # ms for what must come back
A_WHILE = 3_000  # ms between two questions
EVERYWHERE = frozenset({"network", "gateway", "queue-1"})
# Keeps the event of every call that the hall has written out.
CAPTIONS = """addEventListener("DOMContentLoaded", () => {
  window.said = [];
  const line = document.querySelector("#caption");
  new MutationObserver(() => said.push(line.dataset.event))
    .observe(line, { attributeFilter: ["data-event"] });
})"""


class Followed:
    """A page that only shows: how many wait at its office."""

    code: ClassVar[str]
    size: ClassVar[str] = "phone"
    lives_on: ClassVar[frozenset[str]] = EVERYWHERE  # what may not be away without its saying so
    acts_on: ClassVar[frozenset[str]] = frozenset()  # what may, until something is pressed
    role: ClassVar[str] = ""
    does: ClassVar[int] = 0  # how often what is pressed may happen
    waits: ClassVar[tuple[str, ...]] = ()  # where it is said that what was pressed waits, and how
    shown: ClassVar[tuple[str, str]]  # where `{n}` people are said to wait, and how

    def __init__(self, town: Town, desk: Desk) -> None:
        self.town, self.desk = town, desk
        self.page: Page

    def open(self, pages: Pages) -> None:
        """Shows the present, and has pressed nothing."""
        path = self.path()
        if self.role:
            path = self.town.link(path, self.role, self.code)
        context = pages.context(self.size, service_workers="block")
        context.add_init_script(CAPTIONS if self.size == "hall" else "window.print = () => {}")
        self.page = pages.within(context, path).page
        self.shows()
        expect(self.page.locator("#stale")).to_be_hidden()
        self.page.evaluate("window.same = true")
        self.before = self.times()

    def path(self) -> str:
        raise NotImplementedError

    def press(self) -> None:
        """While nobody answers."""

    def change(self) -> None:
        self.desk.take("A")

    def shows(self) -> None:
        """The present, whatever was pressed."""
        self.keeps_up(*self.shown)

    def keeps_up(self, place: str, words: str) -> None:
        """What the city answers is some moments old, too: it is asked again as the page is."""
        late: AssertionError | None = None
        for _ in range(PATIENCE // A_WHILE):
            told = re.compile(rf"(?<!\d){words.format(n=self.waiting())}(?!\d)")
            try:
                return expect(self.page.locator(place)).to_contain_text(told, timeout=A_WHILE)
            except AssertionError as error:
                late = error
        raise late or AssertionError("nobody looked")

    def done(self) -> None:
        """What was pressed has happened, once, and the page shows it."""

    def times(self) -> int:
        """How often what is pressed has happened at the office."""
        return 0

    def waiting(self) -> int:
        (one,) = (
            one
            for one in self.desk.get("/v1/kecamatan").json()["kecamatan"]
            if one["code"] == self.code
        )
        return int(one["waiting"])

    def events(self, *parts: str) -> int:
        lines = self.desk.get(f"{self.desk.office}/days/{DAY}/events").text.splitlines()
        return sum(all(part in line for part in parts) for line in lines)

    def button(self, name: str) -> None:
        self.page.get_by_role("button", name=re.compile(f"^{name}")).click()

    def says(self, place: str, words: str | re.Pattern[str]) -> None:
        expect(self.page.locator(place)).to_contain_text(words, timeout=PATIENCE)


class City(Followed):
    code = "73.71.03"
    shown = ("#offices li:has([href='#73.71.03'])", "{n} menunggu")

    def path(self) -> str:
        self.desk.take()
        return "/"


class Office(Followed):
    code = "73.71.03"
    shown = ("#services li >> nth=0", "{n} menunggu")

    def path(self) -> str:
        self.desk.take()
        return f"/#{self.code}"


class Taking(Followed):
    """A number of a service that nobody else wants, so that the two are told apart."""

    code = "73.71.04"
    waits = ("#problem", "hanya sekali")
    does = 1
    shown = ("#service-waiting", "{n} orang")

    def path(self) -> str:
        self.desk.take()
        return f"/#{self.code}/A"

    def press(self) -> None:
        self.page.locator("#priority").check()
        self.button("Ambil nomor")

    def done(self) -> None:
        expect(self.page.locator("#number")).to_have_text(re.compile(r"A\d+"), timeout=PATIENCE)
        expect(self.page.locator("#card")).to_have_attribute("data-state", "WAITING")

    def shows(self) -> None:
        if "/t/" not in self.page.url:
            super().shows()

    def times(self) -> int:
        return self.events('"e":"issue"', '"l":"P"')


class Holder(Followed):
    """Somebody with others before them, who is going to say that they are here."""

    code = "73.71.06"
    waits = ("#problem", "Mencoba lagi")
    does = 1

    def path(self) -> str:
        self.desk.at("1", "open")
        self.ticket = [self.desk.take() for _ in range(3)][-1]
        return f"/t/{self.ticket['id']}"

    def press(self) -> None:
        self.button("Saya sudah di sini")

    def change(self) -> None:
        self.desk.serve("1")

    def shows(self) -> None:
        ahead = self.desk.get(f"/v1/tickets/{self.ticket['id']}").json()["ahead"]
        expect(self.page.locator("#ahead")).to_have_text(str(ahead), timeout=PATIENCE)

    def done(self) -> None:
        self.says("#detail", "Kedatangan Anda sudah tercatat.")
        expect(self.page.locator("#problem")).to_be_empty()

    def times(self) -> int:
        return self.events('"e":"present"')


class GivingUp(Holder):
    code = "73.71.07"
    waits = ("#problem", "Mencoba lagi")

    def press(self) -> None:
        self.page.locator("#giveup summary").click()
        self.button("Ya, batalkan")

    def shows(self) -> None:
        if self.page.locator("#card").get_attribute("data-state") == "WAITING":
            super().shows()

    def done(self) -> None:
        self.says("#headline", "dibatalkan")

    def times(self) -> int:
        return self.events('"e":"cancel"')


class Rating(Followed):
    """A ticket that is served will not change: it has nothing to be late with."""

    code = "73.71.08"
    waits = ("#thanks", "Mencoba lagi")
    does = 1
    lives_on = frozenset()
    acts_on = EVERYWHERE | {"survey"}

    def path(self) -> str:
        self.desk.at("1", "open")
        return f"/t/{self.desk.served()['id']}"

    def press(self) -> None:
        self.button("Puas")

    def change(self) -> None:
        """Nothing that it would show."""

    def shows(self) -> None:
        self.page.locator("[data-state=COMPLETED] ~ #rate #faces button").first.wait_for()

    def done(self) -> None:
        self.says("#thanks", "Terima kasih")

    def times(self) -> int:
        return answers(self.desk)


class Counter(Followed):
    code = "73.71.09"
    waits = ("#problem", "hanya sekali")
    does = 1
    size = "desktop"
    role = "OFFICER"
    shown = ("#total", "{n} menunggu")

    def path(self) -> str:
        free(self.desk)
        self.desk.take()
        return f"/counter/{self.code}/1"

    def press(self) -> None:
        self.next = self.page.locator("#next-number").inner_text()
        self.button("Panggil berikutnya")

    def done(self) -> None:
        stage = self.page.locator("#stage")
        expect(stage).to_have_attribute("data-state", "CALLED", timeout=PATIENCE)
        expect(self.page.locator("#number")).to_have_text(self.next)
        expect(self.page.locator("#problem")).to_be_hidden(timeout=PATIENCE)

    def times(self) -> int:
        return self.events('"e":"call"')


class Hall(Followed):
    code = "73.71.10"
    size = "hall"
    shown = ("#waiting-all", "{n}")

    def path(self) -> str:
        free(self.desk)
        self.desk.take()
        return f"/display/{self.code}"

    def change(self) -> None:
        self.desk.take()
        self.called = self.desk.at("1", "callNext")["ticket"]["number"]

    def done(self) -> None:
        self.says("#big > .number", self.called)
        said = self.page.evaluate("window.said")
        assert len(said) == len(set(said)) <= 1


class Kiosk(Followed):
    code = "73.71.11"
    waits = ("#problem", "nomor Anda sedang diminta")
    does = 1
    size = "tablet"
    role = "KIOSK"
    shown = (".choice[value=A]", "{n} orang menunggu")

    def path(self) -> str:
        self.desk.take()
        return f"/kiosk/{self.code}"

    def press(self) -> None:
        self.page.locator(".choice[value=A]").click()
        self.button("Ya, nomor prioritas")

    def done(self) -> None:
        expect(self.page.locator("#number")).to_have_text(re.compile(r"A\d+"), timeout=PATIENCE)

    def times(self) -> int:
        return self.events('"e":"issue"', '"l":"P"')


class Tablet(Followed):
    """It has asked, fallen asleep, and is pressed; then the next is served."""

    code = "73.71.12"
    does = 1
    size = "tablet"
    role = "KIOSK"
    acts_on = frozenset({"survey"})
    number = ""

    def path(self) -> str:
        self.desk.at("1", "open")
        return f"/survey/{self.code}/1"

    def open(self, pages: Pages) -> None:
        super().open(pages)
        self.serve()

    def press(self) -> None:
        self.page.locator("#open").click(timeout=PATIENCE)
        self.button("Sangat puas")
        self.says("#said-title", "Mengirim")  # for some seconds

    def serve(self) -> None:
        self.number = self.desk.served("A")["number"]
        self.shows()

    def change(self) -> None:
        """Whoever is completed next ends the time in which the one before is heard."""

    def shows(self) -> None:
        self.says("#counter", "Loket 1")
        if self.number:
            self.says("#ask #number:visible, #open:visible", self.number)

    def done(self) -> None:
        for _ in range(PATIENCE // 500):
            if self.times() > self.before:
                break
            self.page.wait_for_timeout(500)
        self.serve()

    def times(self) -> int:
        return answers(self.desk)


class Dashboard(Followed):
    code = "73.71.13"
    waits = ("#issuing-problem", "Mencoba lagi")
    does = 1
    size = "desktop"
    role = "SUPERVISOR"
    shown = ("#now-waiting", "{n} orang")

    def path(self) -> str:
        self.desk.at("1", "open")
        for _ in range(2):
            self.desk.take()
        return f"/dashboard/{self.code}"

    def press(self) -> None:
        self.button("Hentikan pengambilan nomor")
        self.button("Lanjut")
        self.button("Ya, hentikan")

    def change(self) -> None:
        self.desk.serve("1")

    def done(self) -> None:
        self.says("#issuing-state", "Dihentikan: listrik padam")
        expect(self.page.locator("#issuing-problem")).to_be_hidden(timeout=PATIENCE)
        expect(self.page.locator("#period-problem")).to_be_hidden(timeout=PATIENCE)
        self.desk.post(f"{self.desk.office}:resumeIssuing", {}, "SUPERVISOR").raise_for_status()

    def times(self) -> int:
        return self.events('"e":"issue.stop"')


class Answers(Followed):
    """The camat's page, and what tablets answer."""

    code = "73.71.01"
    size = "desktop"
    role = "SUPERVISOR"
    lives_on = frozenset({"survey"})

    def path(self) -> str:
        self.desk.at("1", "open")
        self.desk.served()
        return f"/dashboard/{self.code}"

    def change(self) -> None:
        self.desk.press("1", "VERY_SATISFIED").raise_for_status()

    def shows(self) -> None:
        self.says("#now-verySatisfied", str(answers(self.desk)))


class Room(Followed):
    code = "73.71.14"
    size = "desktop"
    shown = (f"#offices > [data-key='{code}'] [data-figure=waiting]", "{n}")

    def path(self) -> str:
        self.desk.take()
        return f"/war-room#{self.code}"

    def shows(self) -> None:
        super().shows()
        self.keeps_up("#one-services li >> nth=0", "{n} menunggu")


class Verify(Followed):
    code = "73.71.15"
    waits = ("#headline", "tidak dapat dinilai")

    def path(self) -> str:
        self.desk.take()
        return f"/verify/{self.code}/{DAY}"

    def press(self) -> None:
        self.button("Periksa lagi")

    def shows(self) -> None:
        count = self.events('"e"')
        verdict = self.page.locator("#result")
        expect(verdict).to_have_attribute("data-verdict", "CLEAN", timeout=PATIENCE)
        place = f"#leaves:text-is('{count}'), #newer:not([hidden])"
        self.page.locator(place).first.wait_for(timeout=PATIENCE)


def free(desk: Desk) -> None:
    """Counter 1 is open and has nobody."""
    desk.at("1", "open")
    board = desk.get(f"{desk.office}/board").json()
    at_one = next(one for one in board["counters"] if one["id"] == "1").get("ticket")
    if at_one:
        desk.at("1", "start", ticket=at_one["number"])
        desk.at("1", "complete", ticket=at_one["number"])


def answers(desk: Desk) -> int:
    total = desk.satisfaction(**{"from": DAY, "to": DAY})["total"]
    return int(total["answers"])


FOLLOWED: tuple[type[Followed], ...] = (
    *(City, Office, Taking, Holder, GivingUp, Rating, Counter, Hall, Kiosk, Tablet),
    *(Dashboard, Answers, Room, Verify),
)
