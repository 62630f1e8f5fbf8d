"""Draw the pictures of messages: `.venv/bin/python -m docs.message_pictures FOLDER`.

FOLDER is where `npm install adaptivecards` was run: the card of Teams is drawn by Microsoft's own package. The message of Slack
is drawn in the look of Slack from the blocks that are sent, and the e-mail is shown as it is.
"""

import json
import shutil
import sys
from html import escape
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from alerts.channels.mail import composed
from alerts.channels.slack_blocks import drawn
from alerts.channels.teams import card
from alerts.channels.wording import Cut
from alerts.message import Message
from tests.alerts.channels.messages import week_4

HERE = Path(__file__).parent
_ALL = Cut(parts=20, evidence=10, sentences=8, facts=12, letters=1000)
_EMOJI = {"red_circle": "#dd2e44", "large_orange_circle": "#f4900c", "large_green_circle": "#77b255"}


def main(packages: Path) -> None:
    """One picture for each of the three channels, twice as sharp as a screen."""
    message = week_4()
    pages = {
        "message-slack.png": (slack(message), 720),
        "message-teams.png": (teams(message, packages), 720),
        "message-email.png": (email(message), 720),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for file, (page, width) in pages.items():
            window = browser.new_page(viewport={"width": width, "height": 200}, device_scale_factor=1.5)
            window.set_content(page)
            window.screenshot(path=HERE / file, full_page=True)
        browser.close()


def email(message: Message) -> str:
    """Its HTML as it is, below the lines that every mail program shows."""
    recipients = {reader.email: reader.name for reader in message.readers}
    mail = composed(message, "plumbline@meridian-logistics.example", recipients, None)
    html = mail.get_body(("html",))
    shown = str(html.get_content()) if html else ""
    head = "".join(
        f"<tr><td style='color:#565d66;padding-right:12px'>{name}</td><td>{escape(str(mail[name]))}</td></tr>"
        for name in ("From", "To", "Subject")
    )
    table = f"<table style='font:13px Arial,sans-serif;padding:12px 40px;background:#fff;width:100%'>{head}</table>"
    return _below(shown, table)


def _below(page: str, head: str) -> str:
    opening, rest = page.split("<body", 1)
    attributes, content = rest.split(">", 1)
    return f"{opening}<body{attributes}>{head}{content}"


def slack(message: Message) -> str:
    """The blocks that are sent, in the look of Slack."""
    people = {reader.email: f"U{number}" for number, reader in enumerate(message.readers)}
    names = {f"U{number}": reader.name for number, reader in enumerate(message.readers)}
    shown = "".join(_slack(block, names) for block in drawn(message, people)["blocks"])
    return f"""<style>
      body {{ margin: 0; padding: 18px 20px; font: 15px/1.47 Lato, "Noto Sans", sans-serif; color: #1d1c1d }}
      .post {{ display: grid; grid-template-columns: 36px 1fr; gap: 8px }}
      .icon {{ width: 36px; height: 36px; border-radius: 6px; background: #0b55a5 }}
      .icon {{ color: #fff; text-align: center; line-height: 36px }}
      .rich i {{ display: inline-block; width: 14px; height: 14px; border-radius: 7px; vertical-align: -1px }}
      .name {{ font-weight: 900 }}
      .app {{ background: #e8e8e8; font-size: 10px; padding: 1px 3px; border-radius: 2px; color: #616061 }}
      .time {{ color: #616061; font-size: 12px }} h3 {{ font-size: 18px; margin: 8px 0; font-weight: 900 }}
      .rich {{ margin: 0 0 8px; white-space: pre-wrap }} ul {{ margin: 0; padding-left: 26px; white-space: normal }}
      .user {{ background: #e8f5fa; color: #1264a3; border-radius: 3px; padding: 0 2px }}
      a {{ color: #1264a3; text-decoration: none }}
      hr {{ border: 0; border-top: 1px solid #ddd }}
    </style><div class="post"><div class="icon">P</div><div><span class="name">Plumbline</span> <span class="app">APP</span>
    <span class="time">18:00</span>{shown}</div></div>"""


def _slack(one: dict[str, Any], names: dict[str, str]) -> str:  # noqa: PLR0911 - one for each kind
    inside = "".join(_slack(element, names) for element in one.get("elements", ()))
    match one["type"]:
        case "header":
            return f"<h3>{escape(one['text']['text'])}</h3>"
        case "divider":
            return "<hr>"
        case "rich_text":
            return f'<div class="rich">{inside}</div>'
        case "rich_text_list":
            return f"<ul>{''.join(f'<li>{_slack(item, names)}</li>' for item in one['elements'])}</ul>"
        case "rich_text_section":
            return f"<div>{inside}</div>"
        case "link":
            return f'<a href="{escape(one["url"])}">{escape(one["text"])}</a>'
        case "user":
            return f'<span class="user">@{escape(names[one["user_id"]])}</span>'
        case "emoji":
            return f'<i style="background:{_EMOJI.get(one["name"], "#77b255")}"></i>'
    text = escape(one["text"])
    return f"<b>{text}</b>" if one.get("style", {}).get("bold") else text


def teams(message: Message, packages: Path) -> str:
    """The card drawn by Microsoft's package in the colours and letters of Teams."""
    library = (packages / "node_modules/adaptivecards/dist/adaptivecards.min.js").read_text(encoding="utf-8")
    styles = {
        "default": ("#ffffff", "#242424"),
        "attention": ("#fdf3f4", "#c4314b"),
        "warning": ("#fbf6d9", "#835c00"),
        "good": ("#e7f2da", "#237b4b"),
    }
    colours = {
        name: {
            "backgroundColor": ground,
            "foregroundColors": {
                "default": {"default": ink, "subtle": "#616161"},
                "accent": {"default": "#444791", "subtle": "#444791"},
            },
        }
        for name, (ground, ink) in styles.items()
    }
    look = {
        "fontFamily": "'Segoe UI', 'Noto Sans', Arial, sans-serif",
        "fontSizes": {"small": 12, "default": 14, "medium": 14, "large": 18, "extraLarge": 24},
        "spacing": {"small": 8, "default": 12, "medium": 16, "large": 20, "extraLarge": 24, "padding": 16},
        "supportsInteractivity": True,
        "containerStyles": colours,
    }
    # No text may end the script that it stands in.
    content = json.dumps(card(message, _ALL)).replace("<", "\\u003c")
    return f"""<style>
      #card a {{ color: #444791 }}
      body {{ margin: 0; padding: 18px 20px; background: #f5f5f5; font: 14px "Segoe UI", "Noto Sans", Arial, sans-serif }}
      #card {{ background: #fff; border: 1px solid #e0e0e0; border-radius: 4px; overflow: hidden }}
      .at {{ color: #444791 }} .from {{ color: #616161; font-size: 12px; margin-bottom: 6px }} .from b {{ color: #242424 }}
    </style><div class="from"><b>Workflows</b> 18:00</div><div id="card"></div><script>{library}</script><script>
      AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {{
        result.outputHtml = text.replace(/<at>(.*?)<\\/at>/g, '<span class="at">$1</span>'); result.didProcess = true;
      }};
      const drawn = new AdaptiveCards.AdaptiveCard();
      drawn.hostConfig = new AdaptiveCards.HostConfig({json.dumps(look)});
      drawn.parse({content});
      document.getElementById("card").appendChild(drawn.render());
    </script>"""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
