"""A made-up quarter: what is wrong at which hour, and the process that tells of it and may be killed at any moment."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alerts.channels.opening import open_channel
from alerts.channels.posting import Patience
from alerts.config import AlertsConfig
from alerts.evaluation import Evaluation
from alerts.incidents import Incident
from alerts.sending import Sender
from alerts.store import Store
from tests.alerts.incidents import BERLIN, DIARY, outage, review

LOOK_EVERY = timedelta(hours=8)
LOOKS = 13 * 7 * 3
ESCALATES_AFTER = 30
# Longer than a request is under way on loopback.
_LONGEST_SLEEP = 0.1
_PATIENCE = Patience(connect=2.0, read=0.5, total=2.0)


@dataclass(frozen=True)
class Life:
    """When something is wrong: from one look to before another; a review is escalated by the scorecard a week on."""

    key: str
    start: int
    end: int

    def at(self, look: int) -> Incident:
        if self.key.startswith("review/"):
            week = timedelta(days=7) // LOOK_EVERY
            return review(self.key.partition("/")[2], escalated=look >= self.start + week)
        return outage(self.key.partition("/")[2])


def lives(seed: int) -> list[Life]:
    """Topics and sources, of which each fails now and then; all is well at the end."""
    chance = random.Random(seed)
    names = [*(f"review/handoff-{n}" for n in range(7)), *(f"source/system-{n}" for n in range(7))]
    found = []
    for name in names:
        look = chance.randrange(40)
        while (end := look + chance.randint(1, 45)) < LOOKS:
            found.append(Life(name, look, end))
            look = end + chance.randint(1, 40)
    return found


def turns(all_lives: Sequence[Life]) -> Iterator[tuple[str, str]]:
    """What has to be said, reckoned from each life by itself: incident and turn."""
    for life in all_lives:
        yield life.key, "opened"
        hours = timedelta(days=7) if life.key.startswith("review/") else timedelta(hours=ESCALATES_AFTER)
        # The scorecard passes on a review itself; of the others the route loses patience at the first look after its hours.
        if (life.end - 1 - life.start) * LOOK_EVERY >= hours:
            yield life.key, "escalated"
        yield life.key, "resolved"


def tell(folder: Path, channels: dict[str, Any], start: datetime, seed: int) -> None:
    """Go through the quarter from where the last process was, saying everything. Sleep is short."""
    alerts = AlertsConfig.model_validate(
        {
            "channels": channels,
            "routes": {
                "slack": {"to": "slack", "kinds": ["review"]},
                "mail": {"to": "mail", "kinds": ["review"]},
                "signed": {
                    "to": "signed",
                    "kinds": ["operations"],
                    "escalate": {"after_hours": ESCALATES_AFTER},
                },
                "teams": {"to": "teams", "kinds": ["operations"]},
            },
        }
    )
    place, slept = folder / "look", [timedelta()]
    first = int(place.read_text()) if place.exists() else 0
    happening = lives(seed)

    def clock() -> datetime:
        return start + look * LOOK_EVERY + slept[0]

    def sleep(seconds: float) -> None:
        time.sleep(min(seconds / 300, _LONGEST_SLEEP))
        slept[0] += timedelta(seconds=seconds)

    with Store(f"sqlite:///{folder / 'alerts.sqlite'}") as store:
        sender = Sender(
            store,
            alerts,
            lambda name: open_channel(alerts.channels[name], _PATIENCE),
            BERLIN,
            "quarter",
            clock,
            sleep,
        )
        for look in range(first, LOOKS + 1):
            slept[0] = timedelta()
            found = [life.at(look) for life in happening if life.start <= look < life.end]
            with store.transaction() as session:
                Evaluation(session, clock(), alerts, DIARY, "quarter").judge(found, lambda kind: True)
            sender.send_all(timedelta(hours=7))
            (folder / "next").write_text(str(look + 1))
            (folder / "next").replace(place)
        sender.send_all(timedelta(hours=23))
