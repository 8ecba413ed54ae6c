"""What the verifier has to say, in Indonesian and English: the texts as data.

A text names the event, the rule and the difference. None says why something happened or who did
it: that is not in a journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LANGUAGES = ("id", "en")

Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach, indicator or note.

    `event` is the n of the leaf, or the n that an unreadable line should have; None where no
    single event is meant. `line` counts the leaves from 1, 0 for none.
    """

    code: str
    event: int | None = None
    line: int = 0
    facts: Facts = field(default_factory=dict)

    def text(self, language: str) -> str:
        template = TEXTS[self.code][LANGUAGES.index(language)]
        return template.format(event=self.event, line=self.line, **self.facts)


BREACHES: dict[str, tuple[str, str]] = {
    "NOT_CANONICAL": (
        "Baris {line} bukan catatan yang sah; di tempat ini seharusnya ada peristiwa {event}.",
        "Line {line} is no valid leaf ({reason}); event {event} should stand here.",
    ),
    "EVENT_GAP": (
        "Peristiwa {event}: nomor urut seharusnya {expected}.",
        "Event {event}: the sequence number should be {expected}.",
    ),
    "WRONG_OFFICE": (
        "Peristiwa {event} milik kantor {found}, bukan {expected}.",
        "Event {event} belongs to office {found}, not {expected}.",
    ),
    "WRONG_DATE": (
        "Peristiwa {event} bertanggal {found}, bukan {expected}.",
        "Event {event} is dated {found}, not {expected}.",
    ),
    "TIME_BACKWARD": (
        "Peristiwa {event} bertanda waktu {back} ms sebelum peristiwa sebelumnya.",
        "Event {event} is timed {back} ms before the event before it.",
    ),
    "OUTSIDE_DAY": (
        "Peristiwa {event} ({type}) terjadi di luar waktu layanan hari itu.",
        "Event {event} ({type}) lies outside the time in which the day may be written.",
    ),
    "OPEN_MISSING": (
        "Peristiwa {event}: catatan hari itu tidak dimulai dengan day.open.",
        "Event {event}: the day does not begin with day.open.",
    ),
    "OPEN_TWICE": (
        "Peristiwa {event}: hari itu dibuka lagi.",
        "Event {event}: the day is opened again.",
    ),
    "AFTER_CLOSE": (
        "Peristiwa {event} ({type}) ditulis setelah hari itu ditutup.",
        "Event {event} ({type}) was written after the day was closed.",
    ),
    "CLOSE_MISSING": (
        "Hari itu sudah lewat, tetapi catatannya berhenti pada peristiwa {event} tanpa day.close.",
        "The day is over, but its journal ends with event {event} and no day.close.",
    ),
    "POLICY_DIFFERS": (
        (
            "Peristiwa {event}: hari itu dibuka dengan kebijakan {found}, bukan dokumen ini "
            "({expected}). Temuan lain dinilai menurut dokumen ini."
        ),
        (
            "Event {event}: the day was opened under policy {found}, not this document "
            "({expected}). All else is judged by this document."
        ),
    ),
    "HOURS_NOT_WRITTEN": (
        "Peristiwa {event}: jam layanan berganti, tetapi issue.go atau issue.stop belum ditulis.",
        "Event {event}: the hours had changed, but no issue.go or issue.stop was written before.",
    ),
    "HOURS_UNTRUE": (
        "Peristiwa {event}: {type} menurut jam tidak sesuai dengan jam layanan yang diumumkan.",
        "Event {event}: {type} by the clock does not agree with the published hours.",
    ),
    "SWITCH_REPEATED": (
        "Peristiwa {event}: {type} ditulis, padahal keadaannya sudah begitu.",
        "Event {event}: {type} was written although nothing changed by it.",
    ),
    "RESUME_OTHER_REASON": (
        "Peristiwa {event}: alasan {found} tidak sama dengan alasan penghentian, {expected}.",
        "Event {event}: the reason {found} is not that of the stop, {expected}.",
    ),
    "CLOCK_TOO_SMALL": (
        "Peristiwa {event}: lompatan jam {ms} ms tidak lebih dari 5 detik.",
        "Event {event}: a clock jump of {ms} ms is not above 5 seconds.",
    ),
    "SERVICE_UNKNOWN": (
        "Peristiwa {event} menyebut layanan {s} yang tidak ada dalam kebijakan.",
        "Event {event} names service {s}, which the policy does not have.",
    ),
    "COUNTER_UNKNOWN": (
        "Peristiwa {event} menyebut loket {c} yang tidak ada dalam kebijakan.",
        "Event {event} names counter {c}, which the policy does not have.",
    ),
    "TICKET_UNKNOWN": (
        "Peristiwa {event} menyebut nomor {k} yang tidak pernah diterbitkan hari itu.",
        "Event {event} names number {k}, which was not issued on this day.",
    ),
    "NUMBER_TWICE": (
        "Peristiwa {event}: nomor {k} diterbitkan untuk kedua kalinya.",
        "Event {event}: number {k} was issued a second time.",
    ),
    "NUMBER_NOT_NEXT": (
        "Peristiwa {event}: diterbitkan nomor {k}, padahal nomor berikutnya {expected}.",
        "Event {event}: number {k} was issued; the next one was {expected}.",
    ),
    "ISSUED_OUTSIDE_HOURS": (
        "Peristiwa {event}: nomor {k} diterbitkan di luar jam layanan.",
        "Event {event}: number {k} was issued outside the hours.",
    ),
    "ISSUED_WHILE_STOPPED": (
        "Peristiwa {event}: nomor {k} diterbitkan saat penerbitan dihentikan ({why}).",
        "Event {event}: number {k} was issued while issuing was stopped ({why}).",
    ),
    "CHANNEL_NOT_ADMITTED": (
        "Peristiwa {event}: layanan {s} tidak menerima nomor lewat saluran {ch}.",
        "Event {event}: service {s} admits no numbers through channel {ch}.",
    ),
    "QUOTA_EXCEEDED": (
        "Peristiwa {event}: nomor {k} diterbitkan melebihi kuota layanan {s}.",
        "Event {event}: number {k} was issued beyond the quota of service {s}.",
    ),
    "HOLDER_TWICE": (
        "Peristiwa {event}: pemegang yang sama masih memiliki nomor {held} yang berlaku.",
        "Event {event}: the same holder still has the live number {held}.",
    ),
    "CALL_NOT_NEXT": (
        "Peristiwa {event}: loket {c} memanggil {k}; menurut aturan giliran {expected}.",
        "Event {event}: counter {c} called {k}; by the rule it was the turn of {expected}.",
    ),
    "CALL_NOT_SERVED_HERE": (
        "Peristiwa {event}: loket {c} memanggil {k}, tetapi tidak melayani layanan {s}.",
        "Event {event}: counter {c} called {k} but does not serve service {s}.",
    ),
    "COUNTER_BUSY": (
        "Peristiwa {event} ({type}): loket {c} masih melayani {held}.",
        "Event {event} ({type}): counter {c} still had {held}.",
    ),
    "COUNTER_NOT_OPEN": (
        "Peristiwa {event} ({type}): loket {c} sedang tutup.",
        "Event {event} ({type}): counter {c} was closed.",
    ),
    "COUNTER_NOT_CLOSED": (
        "Peristiwa {event} ({type}): loket {c} sedang buka.",
        "Event {event} ({type}): counter {c} was open.",
    ),
    "WRONG_COUNTER": (
        "Peristiwa {event} ({type}): nomor {k} tidak berada di loket {c}.",
        "Event {event} ({type}): number {k} was not at counter {c}.",
    ),
    "ILLEGAL_MOVE": (
        "Peristiwa {event}: {type} tidak mungkin untuk nomor {k} dalam keadaan {state}.",
        "Event {event}: {type} is not possible for number {k} in state {state}.",
    ),
    "RECALL_TOO_SOON": (
        "Peristiwa {event}: {k} dipanggil ulang setelah {seconds} detik; paling cepat 20 detik.",
        "Event {event}: {k} was recalled after {seconds} s; the least is 20 s.",
    ),
    "NOSHOW_TOO_FEW_CALLS": (
        (
            "Peristiwa {event}: {k} dinyatakan tidak hadir setelah {calls} panggilan; aturannya "
            "{least}."
        ),
        "Event {event}: {k} was marked absent after {calls} calls; the rule says {least}.",
    ),
    "NOSHOW_TOO_SOON": (
        "Peristiwa {event}: {k} dinyatakan tidak hadir setelah {seconds} detik; aturannya {least}.",
        "Event {event}: {k} was marked absent after {seconds} s; the rule says {least}.",
    ),
    "RETURN_LIMIT": (
        "Peristiwa {event}: {k} kembali lebih dari {most} kali.",
        "Event {event}: {k} returned more than {most} times.",
    ),
    "RETURN_TOO_LATE": (
        "Peristiwa {event}: {k} kembali setelah {seconds} detik; batasnya {most}.",
        "Event {event}: {k} returned after {seconds} s; the limit is {most}.",
    ),
    "HOLD_LIMIT": (
        "Peristiwa {event}: {k} ditahan lebih dari {most} kali.",
        "Event {event}: {k} was put on hold more than {most} times.",
    ),
    "TRANSFER_LIMIT": (
        "Peristiwa {event}: {k} dialihkan lebih dari {most} kali.",
        "Event {event}: {k} was transferred more than {most} times.",
    ),
    "SAME_SERVICE": (
        "Peristiwa {event}: {k} dialihkan ke layanannya sendiri, {s}.",
        "Event {event}: {k} was transferred to its own service, {s}.",
    ),
    "LANE_NOT_PRIORITY": (
        "Peristiwa {event}: {k} dipindahkan ke jalur biasa; jalur hanya berubah ke prioritas.",
        "Event {event}: {k} was moved to the regular lane; a lane only changes to priority.",
    ),
    "PRESENT_TWICE": (
        "Peristiwa {event}: {k} sudah tercatat hadir.",
        "Event {event}: {k} was already checked in.",
    ),
    "TALLY_WRONG": (
        (
            "Peristiwa {event}: jumlah pada day.close ({found}) tidak sama dengan catatan "
            "({expected})."
        ),
        (
            "Event {event}: the totals of day.close ({found}) are not those of the journal "
            "({expected})."
        ),
    ),
}

INDICATORS: dict[str, tuple[str, str]] = {
    "SHORT_SERVICES": (
        "Loket {c}: {count} dari {of} layanan di bawah 30 detik; kantor {share} %.",
        "Counter {c}: {count} of {of} services under 30 s; the office {share} %.",
    ),
    "MANY_HOLDS": (
        "Loket {c}: {count} dari {of} layanan ditahan; kantor {share} %.",
        "Counter {c}: {count} of {of} services put on hold; the office {share} %.",
    ),
    "MANY_TRANSFERS": (
        "Loket {c}: {count} dari {of} layanan dialihkan; kantor {share} %.",
        "Counter {c}: {count} of {of} services transferred; the office {share} %.",
    ),
    "MANY_NO_SHOWS": (
        "Loket {c}: {count} dari {of} panggilan tidak hadir; kantor {share} %.",
        "Counter {c}: {count} of {of} calls were no-shows; the office {share} %.",
    ),
    "EMPTY_CALLS": (
        "Loket {c}: {count} panggilan dibatalkan tanpa melayani, namun tetap dihitung aturan.",
        "Counter {c}: {count} calls undone without serving anybody; the rule still counts them.",
    ),
    "SET_CHANGES": (
        "Loket {c}: layanannya diganti {count} kali.",
        "Counter {c}: its services were changed {count} times.",
    ),
    "ISSUE_BURST": (
        (
            "Saluran {ch}: {count} nomor dalam satu menit (sekitar peristiwa {event}); "
            "rata-rata {mean}."
        ),
        "Channel {ch}: {count} numbers in one minute (about event {event}); the mean is {mean}.",
    ),
    "CANCEL_BURST": (
        (
            "Saluran {ch}: {count} pembatalan dalam satu menit (sekitar peristiwa {event}); "
            "rata-rata {mean}."
        ),
        (
            "Channel {ch}: {count} cancellations in one minute (about event {event}); "
            "the mean is {mean}."
        ),
    ),
    "COUNTER_IDLE": (
        (
            "Loket {c} buka tanpa memanggil selama {minutes} menit sejak peristiwa {event}, "
            "sementara ada yang menunggu."
        ),
        (
            "Counter {c} was open without calling for {minutes} min from event {event} while "
            "people waited."
        ),
    ),
    "CLOSED_EARLY": (
        "Peristiwa {event}: hari itu ditutup {minutes} menit sebelum waktunya.",
        "Event {event}: the day was closed {minutes} min before its time.",
    ),
}

NOTES: dict[str, tuple[str, str]] = {
    "DAY_OPEN": (
        "Hari itu belum ditutup: yang dinilai hanya sampai peristiwa {event}.",
        "The day is not closed: open so far, judged up to event {event}.",
    ),
    "NO_EVENTS": ("Tidak ada peristiwa untuk dinilai.", "There are no events to judge."),
    "POLICY_UNUSABLE": (
        "Dokumen kebijakan tidak dapat dipakai ({reason}).",
        "The policy document cannot be used: {reason}.",
    ),
    "CANNOT_JUDGE": (
        (
            "Baris {line} memakai versi atau jenis yang tidak dikenal pemeriksa ini; mulai dari "
            "sini tidak dapat dinilai."
        ),
        (
            "Line {line} is of a version or type that this verifier does not know; from here on it "
            "cannot judge."
        ),
    ),
}

TEXTS = BREACHES | INDICATORS | NOTES
