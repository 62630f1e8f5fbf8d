"""The demo's story as its two heads hear it: what is said in weeks 3 and 4, the invitation, one all-clear after they talked."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import pytest
from icalendar import Calendar

from publish import Published
from tests.alerts.channels.mail_server import MailServer, mail_server
from tests.alerts.channels.slack_server import TOKEN, Post, SlackServer
from tests.alerts.incidents import AMARA, KATHARINA, TOMASZ, at
from tests.command_line import plumbline
from tests.demo_oracles.evenings import RUNS, WEEK_3, WEEK_4
from tests.demo_runs import DemoRuns, demo_run

__all__ = ["demo_run"]

ALERTS = """
alerts:
  address: https://scorecard.meridian-logistics.example
  channels:
    heads: {{type: slack, token: "${{SLACK_TOKEN}}", base_url: "{slack}"}}
    mail: {{type: email, host: 127.0.0.1, port: {mail}, security: none, from: plumbline@meridian-logistics.example}}
  routes:
    talk: {{to: heads, kinds: [review]}}
    invite: {{to: mail, kinds: [review]}}
"""
HANDOFF = "Carrier, customs and telematics APIs that FleetLink runs on"


@dataclass
class Story:
    slack: SlackServer
    mail: MailServer
    said: list[int]
    """How many posts and mails about the hand-off there were after each evening."""

    def posts(self) -> list[Post]:
        return [post for post in self.slack.posts if HANDOFF in post["text"]]

    def mails(self) -> list[EmailMessage]:
        return [one.mail for one in self.mail.arrived if HANDOFF in _texts(one.mail)]


def _texts(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return str(mail["Subject"]) + (body.get_content() if body else "")


def _events(mail: EmailMessage) -> list[Any]:
    files = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    return [Calendar.from_ical(part.get_content()) for part in files]


@pytest.fixture(scope="module")
def story(demo_run: DemoRuns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Told on the evenings of weeks 3 and 4, then talked about, and told again by the runs of two later evenings."""
    workspace = tmp_path_factory.mktemp("story") / "meridian"
    shutil.copytree(demo_run(*RUNS[WEEK_4]), workspace, symlinks=True)
    with ExitStack() as stack:
        slack = stack.enter_context(SlackServer([one.email for one in (TOMASZ, AMARA, KATHARINA)], page=50))
        mail = stack.enter_context(mail_server())
        story = Story(slack, mail, [])
        file = workspace / "plumbline.yml"
        text = file.read_text().replace("  as_of: 2026-10-30", "  as_of: 2026-10-30\n  talked_on: 2026-11-02")
        file.write_text(text + ALERTS.format(slack=slack.base_url, mail=mail.port), encoding="utf-8")

        def tell(*command: str) -> None:
            answer = plumbline(*command, "-w", workspace, env={"SLACK_TOKEN": TOKEN}, timeout=300)
            assert answer.code == 0, answer.err
            story.said.append(len(story.posts()) + len(story.mails()))

        published = workspace / ".plumbline" / "published"
        days = {
            str(Published(published, one.name).run["as_of"]): one.name
            for one in sorted(published.iterdir())
            if not one.is_symlink()
        }
        for evening in (WEEK_3, WEEK_4):
            (published / "current").unlink()
            (published / "current").symlink_to(days[str(evening)])
            tell("alerts", "send")
        tell("alerts", "send")
        tell("run", "--as-of", "2026-11-13")
        tell("run", "--as-of", "2026-11-16")
        tell("alerts", "send")
        yield story


def test_one_post_and_one_mail_for_each_turn_and_nothing_in_between(story: Story) -> None:
    opened, escalated, quiet, talked, over, after = story.said
    # Slack's thread: the group of the three after escalation is another conversation than that of the two.
    assert (opened, escalated - opened, quiet - escalated, talked - quiet, over - talked, after - over) == (
        2,
        2,
        0,
        0,
        2,
        0,
    )


def test_the_message_of_week_4_names_the_two_heads_the_hand_off_and_what_is_at_stake(story: Story) -> None:
    mail = story.mails()[1]
    text = _texts(mail)
    for part in (HANDOFF, TOMASZ.name, AMARA.name, KATHARINA.name, "1,892,500 EUR", "5 Oct 2026", "INT-390"):
        assert part in text
    assert {address.addr_spec for address in mail["To"].addresses} == {
        TOMASZ.email,
        AMARA.email,
        KATHARINA.email,
    }
    first = story.mails()[0]
    assert {address.addr_spec for address in first["To"].addresses} == {TOMASZ.email, AMARA.email}


def test_the_invitation_opens_with_both_as_attendees(story: Story) -> None:
    invited, again, over = map(_events, story.mails())
    (opened,), (escalated,) = invited, again
    assert over == [], "both meetings were over by then: there is nothing to call off"
    assert [str(one["METHOD"]) for one in (opened, escalated)] == ["REQUEST", "REQUEST"]
    (event,) = opened.walk("VEVENT")
    assert {str(one) for one in event["ATTENDEE"]} == {f"mailto:{TOMASZ.email}", f"mailto:{AMARA.email}"}
    # The evening of a Wednesday: the next morning is within 48 hours.
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (at("2026-10-22 09:00"), at("2026-10-22 09:30"))
    (event,) = escalated.walk("VEVENT")
    assert f"mailto:{KATHARINA.email}" in {str(one) for one in event["ATTENDEE"]}
    # That of a Friday: the two days after it are nobody's working days.
    assert event["DTSTART"].dt == at("2026-11-02 09:00")


def test_both_heads_are_in_one_conversation_and_every_post_says_in_the_end_that_it_is_over(
    story: Story,
) -> None:
    ids = {one.email: story.slack.people[one.email] for one in (TOMASZ, AMARA, KATHARINA)}
    pair = story.slack.groups[tuple(sorted((ids[TOMASZ.email], ids[AMARA.email])))]
    three = story.slack.groups[tuple(sorted(ids.values()))]
    assert [post["edits"] for post in story.slack.channels[pair]] == [1]
    about = [post for post in story.slack.channels[three] if HANDOFF in post["text"]]
    assert [post["edits"] for post in about] == [1, 0]
