"""Messages to send: one as a leader gets it, and one in which every text is hostile."""

from alerts.message import Evidence, Fact, Message, Part, Reader

TOMASZ = Reader("Tomasz Wieczorek", "tomasz.wieczorek@meridian-logistics.example")
AMARA = Reader("Amara Okonkwo-Reyes", "amara.okonkwo-reyes@meridian-logistics.example")
_JIRA = "https://jira.example/browse"
_PAGES = "https://scorecard.meridian-logistics.example"

# Lines as a library of calendars writes them.
INVITATION = "\r\n".join(
    [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Plumbline//EN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "UID:fleetlink-apis@plumbline",
        "DTSTAMP:20261030T180000Z",
        "DTSTART:20261102T130000Z",
        "DTEND:20261102T133000Z",
        "SUMMARY:Joint review: FleetLink APIs",
        f"ORGANIZER:mailto:{AMARA.email}",
        f"ATTENDEE;RSVP=TRUE:mailto:{TOMASZ.email}",
        f"ATTENDEE;RSVP=TRUE:mailto:{AMARA.email}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
).encode()


def week_4(key: str = "exception/fleetlink-apis/escalated/heads") -> Message:
    """The demo's hand-off on the Friday of week 4, in one part whose title is that of the message."""
    title = "FleetLink waits for its carrier, customs and telematics APIs"
    return Message(
        key=key,
        title=title,
        readers=(TOMASZ, AMARA),
        invitation=INVITATION,
        parts=(
            Part(
                incident="handoff/fleetlink-apis",
                turn="escalated",
                severity="amber",
                title=title,
                sentences=(
                    "Product needs these APIs from Engineering by 27 Nov 2026, and none of the 21 items is done or started. "
                    "The oldest was asked for 98 days ago.",
                    "At the pace seen so far, 0.47 items a week, the end is not in sight within two years.",
                ),
                facts=(
                    Fact("Slipping since", "5 Oct 2026, discussed since 21 Oct 2026"),
                    Fact("At stake", "1,892,500 EUR in 16 deals that wait for it"),
                    Fact(
                        "Key results",
                        "All 24 launch items of FleetLink are ready; FleetLink contracts of EUR 2.2 M won",
                    ),
                    Fact(
                        "Who must talk",
                        "Tomasz Wieczorek (Engineering) and Amara Okonkwo-Reyes (Product)",
                    ),
                    Fact("Joint review", "Mon 2 Nov 2026, 14:00 to 14:30 (Europe/Berlin)"),
                    Fact("Escalated to", "Katharina Lindqvist, on 28 Oct 2026"),
                ),
                evidence=(
                    Evidence(
                        "INT-390 Carrier API: cancellations, waits since 24 Jul 2026", f"{_JIRA}/INT-390"
                    ),
                    Evidence(
                        "INT-402 Telematics API: temperature, waits since 4 Aug 2026", f"{_JIRA}/INT-402"
                    ),
                    Evidence(
                        "INT-404 Customs API: transit document T1, waits since 6 Aug 2026", f"{_JIRA}/INT-404"
                    ),
                    Evidence(
                        "Greenleaf Grocers – FleetLink, 207,500 EUR, to close on 18 Dec 2026",
                        "https://app.hubspot.example/contacts/4711/record/0-3/18205083998",
                    ),
                    Evidence(
                        "Les Caves Réunies – FleetLink, 161,000 EUR, to close on 14 Dec 2026",
                        "https://app.hubspot.example/contacts/4711/record/0-3/18204133718",
                    ),
                ),
                page=f"{_PAGES}/hand-offs/fleetlink-apis.html",
            ),
        ),
    )


def resolved(key: str = "exception/fleetlink-apis/resolved/heads") -> Message:
    """The same when it is over."""
    title = "FleetLink has its carrier, customs and telematics APIs"
    part = Part(
        incident="handoff/fleetlink-apis",
        turn="resolved",
        severity="green",
        title=title,
        sentences=("The hand-off was healthy on two evaluations in a row. It took 32 days.",),
        page=f"{_PAGES}/hand-offs/fleetlink-apis.html",
    )
    return Message(key=key, title=title, parts=(part,), readers=(TOMASZ, AMARA))


HOSTILE = (
    "<!channel> <!here> <@U000001> <#C1> @everyone @here <at>Tomasz Wieczorek</at> <users/all>",
    "[click](https://evil.example/x) <https://evil.example|bill> https://evil.example/y www.evil.example evil@evil.example",
    "javascript:alert(1) <script>alert(1)</script><img src=x onerror=alert(1)> <a href=https://evil.example>x</a> &lt;b&gt;",
    '"}],"actions":[{"type":"Action.OpenUrl","url":"https://evil.example"}],"x":[{"y":"',
    "*bold* _italic_ ~struck~ `code` ```block``` # head\n> quote\n- item :fire: **b** ||spoiler|| {{7*7}} ${7*7}",
    "Subject\r\nBcc: evil@evil.example\r\n\r\nbody\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n",
    "\u202egnp.exe\u2066 \u200b\u200f\x00\x07\x1b[31mred\x1b]8;;https://evil.example\x07link\x7f \ud800 \u2028\u2029",
    "x" * 10_000,
    "🔥" * 10_000,
    "",
)
HOSTILE_LINKS = (
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "https://ok.example/|<!channel>",
    'https://ok.example/"onclick="alert(1)',
    "https://user:word@evil.example/",
    "https://ok.example/\r\nX: y",
    "file:///etc/passwd",
    "https://",
    "https://[broken",
    "//evil.example",
    "https://ok.example/" + "x" * 5000,
)


def hostile(text: str, key: str = "hostile") -> Message:
    """A message in which every text is this one, and every link one that must not be made."""
    part = Part(
        incident="handoff/x",
        turn="opened",
        severity="red",
        title=text,
        sentences=(text, text),
        facts=(Fact(text, text), Fact("At stake", text)),
        evidence=tuple(Evidence(text, link) for link in HOSTILE_LINKS),
        page=HOSTILE_LINKS[0],
    )
    return Message(key=key, title=text, parts=(part, part), readers=(Reader(text, TOMASZ.email), AMARA))


def huge(parts: int = 60, letter: str = "ж") -> Message:
    """More than any service takes."""
    part = Part(
        incident="source/jira",
        turn="opened",
        severity="red",
        title=letter * 400,
        sentences=(letter * 3000,) * 30,
        facts=(Fact(letter * 100, letter * 3000),) * 30,
        evidence=(Evidence(letter * 3000, "https://jira.example/" + "x" * 1400),) * 200,
        page="https://scorecard.example/" + "x" * 1400,
    )
    return Message(key="huge", title=letter * 400, parts=(part,) * parts, readers=(TOMASZ, AMARA))
