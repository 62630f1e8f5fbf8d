"""How long the pages take to build, and how soon a phone can use the scorecard: `python -m benchmarks.pages RUN [--json]`.

The demo's published run is multiplied to 40 key results, and to 400 with two years of days, by SQL over its tables. The
scorecard of 40 is then opened in headless Chromium as a mid-range phone would: processor four times slower, 1.6 Mbit/s and
150 ms to `plumbline serve` (the profile "Slow 4G" of its developer tools). Ready: the table has been narrowed by a filter
that was typed at once.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.measuring import as_json, in_own_process, report
from benchmarks.pages.multiplying import multiplied

_LOOKS = 5
_PHONE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
_SLOWER = 4


def main() -> None:
    """Build the three sites, look at one of them, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "published", type=Path, help="the published run of the demo: …/.plumbline/published/current"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.build:
        _build(asked.build)
        return
    with tempfile.TemporaryDirectory() as folder:
        builds = []
        for name, copies, days in (
            ("demo", 1, None),
            ("40 key results", 40 / 18, None),
            ("400, two years", 400 / 18, 730),
        ):
            run = Path(folder) / name
            key_results = multiplied(asked.published.resolve(), run, copies, days)
            whole, output = in_own_process(
                sys.executable, "-m", "benchmarks.pages", str(asked.published), "--build", str(run)
            )
            files = list((run / "site").rglob("*.html"))
            builds.append(
                {
                    "site": name, "key_results": key_results, "pages": len(files), **json.loads(output), "peak_mb": whole.peak_mb,
                    "scorecard_kb": (run / "site/index.html").stat().st_size / 1e3,
                    "with_style_and_script_kb": _bytes_of_scorecard(run / "site") / 1e3,
                    "all_mb": sum(file.stat().st_size for file in files) / 1e6,
                }
            )  # fmt: skip
        ready = _ready_on_a_phone(Path(folder), "40 key results")
    if asked.json:
        print(as_json(builds=builds, ready_seconds=ready))
        return
    report("Building the pages", list(builds[0]), [list(build.values()) for build in builds])
    looks = [f"{each:.2f}" for each in ready]
    title = "Scorecard of 40 on a throttled phone: s until it is ready"
    report(title, ["median", "each"], [[statistics.median(ready), ", ".join(looks)]] if ready else [])


def _build(run: Path) -> None:
    from publish.reading import Published
    from publish.site import build_site

    started, cpu_started = time.perf_counter(), time.process_time()
    build_site(Published(run.parent, run.name), run / "site")
    seconds = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu_started}
    print(json.dumps(seconds))


def _bytes_of_scorecard(site: Path) -> int:
    return sum(
        (site / name).stat().st_size for name in ("index.html", "static/plumbline.css", "static/plumbline.js")
    )


def _ready_on_a_phone(runs: Path, name: str) -> list[float]:
    from playwright.sync_api import sync_playwright

    from publish.serving import Anybody, Copies, application, server_of

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        print("no Chromium is installed, so no phone is tried", file=sys.stderr)
        return []
    (runs / "current").symlink_to(name)
    copies = Copies(runs, runs / "copies")
    server = server_of(application(copies, Anybody(), None), "127.0.0.1", 0)
    serving = threading.Thread(target=server.run)
    serving.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    seconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(_LOOKS):
            page = browser.new_context(viewport={"width": 360, "height": 740}).new_page()
            phone = page.context.new_cdp_session(page)
            phone.send("Network.enable")
            phone.send("Network.emulateNetworkConditions", _PHONE)
            phone.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})
            page.goto(f"http://127.0.0.1:{port}/site/index.html")
            ready = page.evaluate(
                """() => {
                    const field = document.querySelector("select[name=status]");
                    field.value = "red";
                    field.dispatchEvent(new Event("input", { bubbles: true }));
                    return new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0)));
                }"""
            )
            seconds.append(ready / 1000)
            page.context.close()
        browser.close()
    server.should_exit = True
    serving.join()
    copies.close()
    return seconds


if __name__ == "__main__":
    main()
