"""Slack by its API: where a message goes, that it is found again by its key, and what a failure means."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.channels import LaterError, RefusedError
from alerts.message import Reader
from demo.servers.loopback import Answer, Fault
from tests.alerts.channels.conftest import IMPATIENT, to_slack
from tests.alerts.channels.hook_server import broken, dropped_after, dropped_before, slow, too_many
from tests.alerts.channels.messages import (
    AMARA,
    HOSTILE,
    HOSTILE_LINKS,
    TOMASZ,
    hostile,
    huge,
    resolved,
    week_4,
)
from tests.alerts.channels.slack_server import TOKEN, SlackServer, invalid_auth, refused

HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)


def elements(blocks: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Every element of a kind, however deep."""
    found = []
    for block in blocks:
        found += [block] if block.get("type") == kind else []
        found += elements(block.get("elements", []), kind)
    return found


def words(post: dict[str, Any]) -> str:
    shown = [block["text"]["text"] for block in post["blocks"] if block["type"] == "header"]
    shown += [one["text"] for kind in ("text", "link") for one in elements(post["blocks"], kind)]
    return "".join(shown)


def test_without_a_channel_both_readers_get_one_group_message(slack: SlackServer) -> None:
    to_slack(slack).send(week_4(), None)
    assert list(slack.groups) == [tuple(sorted(slack.people.values()))]
    [post] = slack.posts
    told = words(post)
    for needed in (
        "FleetLink waits for its carrier",
        "Slipping since",
        "1,892,500 EUR",
        "Mon 2 Nov 2026",
        "INT-390",
    ):
        assert needed in told
    assert [one["user_id"] for one in elements(post["blocks"], "user")] == list(slack.people.values())
    links = [one["url"] for one in elements(post["blocks"], "link")]
    assert links == [item.url for item in week_4().parts[0].evidence] + [week_4().parts[0].page]
    # The emoji has the colour of the status; the title is said once.
    assert [one["name"] for one in elements(post["blocks"], "emoji")] == ["large_orange_circle"]
    assert told.count("FleetLink waits for its carrier") == 1


def test_a_reader_whom_slack_does_not_know_is_named_and_not_addressed(slack: SlackServer) -> None:
    del slack.people[AMARA.email]
    to_slack(slack).send(week_4(), None)
    assert list(slack.groups) == [(slack.people[TOMASZ.email],)]
    [post] = slack.posts
    assert [one["user_id"] for one in elements(post["blocks"], "user")] == [slack.people[TOMASZ.email]]
    assert "Amara Okonkwo-Reyes" in words(post).partition("For ")[2]


def test_nobody_known_is_refused_and_says_whom_it_was_for(slack: SlackServer) -> None:
    slack.people.clear()
    with pytest.raises(RefusedError, match=f"knows none of those.*{TOMASZ.email}, {AMARA.email}"):
        to_slack(slack).send(week_4(), None)
    assert slack.posts == []


def test_a_channel_gets_it_and_mentions_the_readers(slack: SlackServer) -> None:
    receipt = to_slack(slack, channel="C024BE91L").send(week_4(), None)
    assert receipt["channel"] == "C024BE91L"
    assert slack.groups == {}
    assert len(elements(slack.channels["C024BE91L"][0]["blocks"], "user")) == 2


def test_an_answer_goes_into_the_thread_and_the_first_post_is_amended_twice_alike(slack: SlackServer) -> None:
    to = to_slack(slack)
    first = to.send(week_4(), None)
    second = to.send(resolved(), first)
    assert slack.posts[1]["thread_ts"] == first["ts"] != second["ts"]
    to.amend(first, resolved())
    once = json.dumps(slack.posts[0]["blocks"])
    to.amend(first, resolved())
    assert json.dumps(slack.posts[0]["blocks"]) == once
    assert "FleetLink has its carrier" in words(slack.posts[0])
    assert slack.keys == [week_4().key, resolved().key]
    assert to.find(week_4(), HOUR_AGO) == first


def test_another_reader_makes_another_group_in_which_nothing_is_threaded(slack: SlackServer) -> None:
    slack.people["ceo@example.com"] = "U999999"
    to = to_slack(slack)
    first = to.send(week_4(), None)
    more = week_4("escalated")
    more = type(more)(
        more.key, more.title, more.parts, (*more.readers, Reader("Katharina", "ceo@example.com"))
    )
    second = to.send(more, first)
    assert second["channel"] != first["channel"]
    assert "thread_ts" not in slack.posts[1]
    assert to.find(more, HOUR_AGO, first) == second


def test_what_arrived_before_the_connection_dropped_is_found_by_its_key(slack: SlackServer) -> None:
    to = to_slack(slack)
    for number in range(7):
        to.send(week_4(f"other {number}"), None)
    slack.orders.append(dropped_after())
    slack.orders[0].path = "chat.postMessage"
    with pytest.raises(LaterError, match="broke off"):
        to.send(week_4("this"), None)
    for number in range(7):
        to.send(week_4(f"later {number}"), None)
    # On the third of five pages; and a new process knows nothing but the key.
    found = to_slack(slack).find(week_4("this"), HOUR_AGO)
    assert found is not None
    assert found["ts"] == slack.posts[7]["ts"]
    assert to.find(week_4("never sent"), HOUR_AGO) is None
    assert to.find(week_4("this"), datetime.now(UTC) + timedelta(hours=1)) is None


def test_an_answer_in_a_thread_is_found_in_the_thread(slack: SlackServer) -> None:
    to = to_slack(slack)
    first = to.send(week_4(), None)
    sent = [to.send(week_4(f"answer {number}"), first) for number in range(5)]
    assert to.find(week_4("answer 4"), HOUR_AGO, first) == sent[4]
    assert to.find(week_4("answer 4"), HOUR_AGO) is None


LATER = {
    "429": (too_many(30), 30.0),
    "ratelimited": (refused("ratelimited"), None),
    "internal_error": (refused("internal_error"), None),
    "500": (broken(), None),
    "503": (broken(503), None),
    "dropped": (dropped_before(), None),
    "no JSON": (Fault(answer=Answer(b"<html>maintenance</html>")), None),
}


@pytest.mark.parametrize("kind", LATER)
def test_what_may_pass_is_for_later(slack: SlackServer, kind: str) -> None:
    fault, seconds = LATER[kind]
    slack.orders.append(Fault(**vars(fault)))
    with pytest.raises(LaterError) as caught:
        to_slack(slack).send(week_4(), None)
    assert caught.value.seconds == seconds
    assert TOKEN not in str(caught.value)
    # Nothing is tried again by itself.
    assert len(slack.log) == 1


def test_a_slow_answer_is_for_later(slack: SlackServer) -> None:
    slack.orders.append(slow(0.5))
    with pytest.raises(LaterError, match="took too long"):
        to_slack(slack, IMPATIENT).send(week_4(), None)


REFUSED = {
    "invalid_auth": (invalid_auth(), "Set `token`"),
    "token_revoked": (refused("token_revoked"), "Set `token`"),
    "not_in_channel": (refused("not_in_channel", "chat.postMessage"), "invite the app"),
    "missing_scope": (
        refused("missing_scope", "chat.postMessage", needed="chat:write"),
        r"scope \(chat:write\)",
    ),
    "unheard of": (refused("brand_new_error", "chat.postMessage"), "brand_new_error"),
    "404": (broken(404), "Check `base_url`"),
    "redirect": (Fault(answer=Answer({}, 302, {"Location": "/api/elsewhere"})), "another address"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_a_person_must_mend_is_refused_and_says_how(slack: SlackServer, kind: str) -> None:
    fault, mend = REFUSED[kind]
    slack.orders.append(Fault(**vars(fault)))
    with pytest.raises(RefusedError, match=mend) as caught:
        to_slack(slack, channel="C024BE91L").send(week_4(), None)
    assert TOKEN not in str(caught.value)
    assert not [one for one in slack.log if "elsewhere" in one.path]


def test_a_channel_that_is_not_there_says_to_invite_the_app(slack: SlackServer) -> None:
    with pytest.raises(RefusedError, match="invite the app"):
        to_slack(slack, channel="C0000").send(week_4(), None)


def test_where_the_history_may_not_be_read_nothing_is_found_and_that_is_told(
    slack: SlackServer, caplog: pytest.LogCaptureFixture
) -> None:
    slack.orders.append(refused("missing_scope", "conversations.history", needed="mpim:history"))
    assert to_slack(slack).find(week_4(), HOUR_AGO) is None
    assert "mpim:history" in caplog.text


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_of_others_does_nothing_in_slack(slack: SlackServer, text: str) -> None:
    """Everything stands in elements that Slack takes literally; links and mentions are ours alone."""
    to_slack(slack).send(hostile(text), None)
    [post] = slack.posts
    kinds = {"header", "divider", "rich_text", "rich_text_section", "rich_text_list", "text", "emoji", "user"}
    assert {kind for block in post["blocks"] for kind in _kinds(block)} <= kinds | {"plain_text"}
    assert all(block["text"]["emoji"] is False for block in post["blocks"] if block["type"] == "header")
    assert [one["user_id"] for one in elements(post["blocks"], "user")] == list(slack.people.values())
    assert not set(post["text"]) & set("<>")
    assert "://e" not in post["text"]
    assert post["look"] == {
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    told = words(post).replace("\n", "")
    assert told.isprintable()


def _kinds(block: dict[str, Any]) -> list[str]:
    inner = [kind for element in block.get("elements", []) for kind in _kinds(element)]
    text = block.get("text")
    return [block["type"], *inner, *([text["type"]] if isinstance(text, dict) else [])]


@pytest.mark.parametrize("letter", ["x", "ж", "🔥"])
@pytest.mark.parametrize("parts", [1, 60])
def test_too_much_is_cut_to_what_slack_takes_and_said_to_be(
    slack: SlackServer, parts: int, letter: str
) -> None:
    """The server holds Slack's limits."""
    to_slack(slack).send(huge(parts, letter), None)
    told = words(slack.posts[0])
    assert ("more records" in told) or ("not shown here" in told)


def test_no_link_of_others_is_a_link(slack: SlackServer) -> None:
    to_slack(slack).send(hostile("x"), None)
    assert elements(slack.posts[0]["blocks"], "link") == []
    assert len(HOSTILE_LINKS) > 10
