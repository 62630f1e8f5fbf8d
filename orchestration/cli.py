"""The command line. Thin: each command calls what the rooms already do, and says what went wrong in words."""

import atexit
import gc
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

# Nothing slow is imported up here: `status` and `--help` answer at once.
from orchestration.workspace import Workspace, default_workspace
from strategy import InputErrors

FAILED, BAD_INPUT = 1, 2

app = typer.Typer(
    name="plumbline",
    help="""Key results computed from the systems where the work happens.

    A workspace is a folder with plumbline.yml, strategy/ and, if you like, metrics/*.sql. Every command works on the
    folder given by --workspace, else by PLUMBLINE_WORKSPACE, else on the demo company.

    Start here:  plumbline run  ·  plumbline status  ·  plumbline explain ID  ·  plumbline init DIR

    Exit codes: 0 fine (amber flags are no failure), 1 the run failed, 2 the input is wrong.""",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        help="The workspace folder.",
        envvar="PLUMBLINE_WORKSPACE",
        show_default="the demo",
    ),
]


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"plumbline {version('plumbline')}")
        raise typer.Exit


@app.callback()
def options(
    asked: Annotated[
        bool,
        typer.Option("--version", help="Say which version this is.", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    """What holds for every command; its help text is the application's."""


def main() -> None:
    """Entry point of the `plumbline` command."""
    # Looking for cycles after every 700 new objects is a tenth of a run, in which next to nothing becomes garbage by cycles.
    gc.set_threshold(50_000, 20, 100)
    code: str | int | None = 0
    try:
        app()
    except SystemExit as done:
        code = done.code
    # Taking the imported libraries apart takes two seconds after a run, so only what asked to be told of the end is told.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)


@app.command()
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder to make; it must be empty or absent.")
    ],
) -> None:
    """Write a commented, working starter workspace."""
    from orchestration.starter import write_starter

    with _errors_in_words():
        for path in write_starter(folder):
            typer.echo(f"wrote {path}")
        typer.echo(
            f"\nNext: edit {folder}/plumbline.yml, set the variables it names, then: plumbline check -w {folder}"
        )


@app.command()
def check(
    workspace: WorkspaceOption = None,
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Validate configuration and strategy, and try every connection, before anything runs."""
    with _errors_in_words(), _progress():
        from orchestration.check import check_workspace

        report = check_workspace(_open(workspace))
        if json_:
            typer.echo(json.dumps(report, indent=2))
            return
        for name, answer in report["sources"].items():
            typer.echo(f"{name}: {answer}")
        typer.echo(
            f"strategy: {report['objectives']} objectives, {report['key_results']} key results, dbt parses them"
        )
        for warning in report["warnings"]:
            typer.echo(f"warning: {warning}")
        typer.echo("Everything is in order.")


@app.command()
def schema(workspace: WorkspaceOption = None) -> None:
    """Write the JSON Schemas of the strategy's files into strategy/.schema, for editors that complete YAML."""
    from strategy import write_schemas

    with _errors_in_words():
        for path in write_schemas(_open(workspace).root / "strategy"):
            typer.echo(f"wrote {path}")
        typer.echo(
            "\nOn top of cycle.yml, functions.yml and handoffs.yml: # yaml-language-server: $schema=.schema/cycle.json, …"
            "\nOn top of objectives/*.yml: # yaml-language-server: $schema=../.schema/objective.json"
        )


@app.command()
def run(
    workspace: WorkspaceOption = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Compute what was known at the end of this day.", show_default="today"
        ),
    ] = None,
    known_at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%z"],
            help="Pull nothing and publish nothing: show what comes of the records landed by this moment.",
            show_default="now",
        ),
    ] = None,
) -> None:
    """Pull, compute, check and publish; then show the key results."""
    from orchestration.run import run_refresh
    from publish import Published
    from publish.terminal.console import console
    from publish.terminal.status_page import status_page

    with _errors_in_words(), _progress():
        opened = _open(workspace)
        day = as_of.date() if as_of else None
        if known_at is not None:
            from orchestration.known_at import recompute

            console().print(status_page(Published(recompute(opened, known_at, day))))
            return
        run_refresh(opened, day)
        console().print(status_page(Published(opened.published)))


@app.command()
def status(
    workspace: WorkspaceOption = None,
    json_: Annotated[
        bool,
        typer.Option("--json", help="For programs: run, key results, hand-offs, exceptions, flags and more."),
    ] = False,
) -> None:
    """Show the key results as last published: colour on a terminal, plain in a pipe."""
    from publish import Published
    from publish.terminal.console import console
    from publish.terminal.status_page import status_page

    with _errors_in_words():
        published = Published(_open(workspace).published)
        if not json_:
            console().print(status_page(published))
            return
        answer = {
            "run": published.run,
            "published": str(published.folder),
            "key_results": published.table("kr_current"),
            "objectives": published.table("objective_current"),
            "functions": published.table("function_current"),
            "handoffs": published.table("handoff_current"),
            "exceptions": [one for one in published.table("exceptions") if one["is_open"]],
            "flags": [flag for flag in published.table("flags") if flag["is_open"]],
            "source_freshness": published.table("source_freshness"),
        }
        typer.echo(json.dumps(answer, indent=2, default=float, ensure_ascii=False))


@app.command()
def explain(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A key result, a hand-off or an exception, as `plumbline status` and its --json name it.",
        ),
    ],
    workspace: WorkspaceOption = None,
    json_: Annotated[bool, typer.Option("--json", help="For programs, with every record.")] = False,
) -> None:
    """Prove a key result, a hand-off or an exception: from the sentence down to the records, with links."""
    from publish import Published
    from publish.chain import UnknownSubjectError, chain_of
    from publish.terminal.chain_page import chain_page
    from publish.terminal.console import console

    with _errors_in_words():
        published = Published(_open(workspace).published)
        try:
            chain = chain_of(published, subject)
        except UnknownSubjectError as error:
            _fail(BAD_INPUT, str(error))
        if json_:
            typer.echo(json.dumps(chain, indent=2, default=_plain, ensure_ascii=False))
            return
        out = console()
        out.print(chain_page(chain, clickable=out.is_terminal and not out.is_dumb_terminal))


@app.command()
def verify(
    workspace: WorkspaceOption = None,
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Prove that the ledger and the landed files are what they were: nothing changed, taken out or put in. Exit code 1 if not."""
    from orchestration import ledger

    with _errors_in_words(), _progress():
        found = ledger.verify(_open(workspace))
        if json_:
            typer.echo(json.dumps(asdict(found), indent=2))
        else:
            for line in (*found.findings, *found.notes):
                typer.echo(str(line))
        if found.findings:
            raise typer.Exit(FAILED)


@app.command()
def health(
    workspace: WorkspaceOption = None,
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look from outside whether everything still goes on by itself, for a monitor. Exit code 1 if not."""
    from orchestration.health import as_json, examine, is_healthy

    with _errors_in_words():
        findings = examine(_open(workspace), datetime.now(UTC))
        if json_:
            typer.echo(as_json(findings))
        else:
            for finding in findings:
                typer.echo(f"{finding.state:<8}{finding.check:<10}{finding.sentence}")
        if not is_healthy(findings):
            raise typer.Exit(FAILED)


@app.command()
def forecast(
    history: Annotated[
        Path,
        typer.Option(
            metavar="CSV", help="Cycles that have ended: group, cycle, elapsed, done, scope, hit (1 or 0)."
        ),
    ],
    now: Annotated[Path, typer.Option(metavar="CSV", help="Running cycles: the same columns, hit empty.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write the answer.", show_default="standard output"),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="For programs, with weights and back-test.")] = False,
) -> None:
    """Add to each running cycle `p_hit`, the probability that it hits its target, from how earlier cycles ended."""
    with _errors_in_words():
        from scorecard.forecast.command import forecast_files

        for note in forecast_files(history, now, out, as_json=json_):
            typer.echo(note, err=True)


finance = typer.Typer(help="Finance exports.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(finance, name="finance")


@finance.callback()
def finance_commands() -> None:
    """What finance exports are, before anything is configured."""


@finance.command("inspect")
def finance_inspect(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="An export: CSV, TSV, XLSX, also zipped or gzipped.",
            exists=True,
            dir_okay=False,
        ),
    ],
    sheet: Annotated[str | None, typer.Option(help="The worksheet, where there are several.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Propose a profile for a finance export: how sure it is, as YAML to paste, and the first rows as they would be read."""
    with _errors_in_words():
        from orchestration.finance_command import as_json, inspected, told

        proposal = inspected(file, sheet)
        typer.echo(json.dumps(as_json(proposal), indent=2, ensure_ascii=False) if json_ else told(proposal))


@app.command()
def demo(
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The evening to stand on.", show_default="Friday of week 4"),
    ] = None,
) -> None:
    """Run the demo company, whatever workspace is set: a simulated Jira, CRM and finance system."""
    os.environ.pop("PLUMBLINE_WORKSPACE", None)
    run(workspace=None, as_of=as_of)


@app.command()
def serve(
    workspace: WorkspaceOption = None,
    host: Annotated[
        str,
        typer.Option(
            help="Where to listen. Anything but this machine itself needs `serve:` in plumbline.yml."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8080,
) -> None:
    """Serve the pages, tables and exports of the current run, read-only; a run that is published meanwhile is followed.

    On this machine alone, without `serve:` in plumbline.yml, everybody is shown everything.

    To let others in, write under `serve:` in plumbline.yml: `address`, where they reach the pages; `sign_in`, either
    `oidc` (issuer, client_id, client_secret) or `trusted_proxy` (header, from); and `access`, a list of
    `who` (addresses, or "*@example.com"), `functions` (absent: all) and `finance` (true or false). The first entry
    that names somebody decides; nobody else is let in. Whoever is limited gets pages, tables and exports in which
    the rest is not. `serve:` holds on this machine as well. Encryption is for the proxy in front.
    """
    with _errors_in_words():
        opened = _open(workspace)
        from orchestration import serving
        from publish.serving import AlreadyServedError

        try:
            with serving.ready(opened, host) as served:
                place = f"http://{f'[{host}]' if ':' in host else host}:{port}"
                typer.echo(f"Serving {opened.root} on {place}; stop with Ctrl-C.", err=True)
                started = serving.listen(served, host, port)
        except AlreadyServedError as error:
            _fail(FAILED, str(error))
        if not started:
            raise typer.Exit(FAILED)


alerts = typer.Typer(
    name="alerts",
    help="""Who hears of what: `alerts:` in plumbline.yml.

    Every run says by itself what is new: what opened, what was escalated and what is over, each once. What could not be
    sent then (a channel is down, quiet hours) is sent by the next run, by `plumbline dev`, or by `plumbline alerts send`.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(alerts)


@alerts.command("preview")
def alerts_preview(workspace: WorkspaceOption = None) -> None:
    """Show what would be sent now, to whom and why, and what no route takes. Sends nothing and changes nothing."""
    with _errors_in_words():
        from orchestration import alerting

        lines = list(alerting.preview(_open(workspace)))
        typer.echo("\n".join(lines) if lines else "Nothing is open.")


@alerts.command("test")
def alerts_test(workspace: WorkspaceOption = None) -> None:
    """Send a sample over every route. Exit code 1 when one does not get through."""
    with _errors_in_words():
        from orchestration import alerting

        outcomes = list(alerting.send_samples(_open(workspace)))
        for outcome in outcomes:
            typer.echo(f"{outcome.route} ({outcome.channel}): {outcome.problem or 'sent'}")
        if any(outcome.problem for outcome in outcomes):
            raise typer.Exit(FAILED)


@alerts.command("send")
def alerts_send(workspace: WorkspaceOption = None) -> None:
    """Send what is to be said of the published run and has not got through yet; for a scheduler between runs."""
    with _errors_in_words(), _progress():
        from orchestration import alerting

        alerting.send(_open(workspace))


@app.command()
def dev(
    workspace: WorkspaceOption = None,
    port: Annotated[int, typer.Option(help="Port of the UI on this machine.")] = 3000,
) -> None:
    """Open Dagster's UI on the workspace, with the schedule and the sensors running."""
    from orchestration.instance import dagster_home

    with _errors_in_words():
        opened = _open(workspace)
        environment = {
            **os.environ,
            "PLUMBLINE_WORKSPACE": str(opened.root),
            "DAGSTER_HOME": str(dagster_home(opened)),
        }
        command = ["dagster", "dev", "--module-name", "orchestration.definitions", "--port", str(port)]
        typer.echo(f"Dagster on http://127.0.0.1:{port} for {opened.root}; stop with Ctrl-C.", err=True)
        os.execve(str(Path(sys.executable).with_name("dagster")), command, environment)  # noqa: S606


def _open(workspace: Path | None) -> Workspace:
    return Workspace(workspace or default_workspace())


@contextmanager
def _errors_in_words() -> Iterator[None]:
    """Turn what users can mend into sentences and exit codes; leave the trace of anything else in the log file."""
    from publish import NothingPublishedError

    try:
        yield
    except typer.Exit:
        raise
    except InputErrors as errors:
        _fail(BAD_INPUT, str(errors))
    except NothingPublishedError as error:
        _fail(BAD_INPUT, str(error))
    except KeyboardInterrupt:
        _fail(FAILED, "Stopped. What was published before is untouched; the next run completes this one.")
    except Exception as error:
        if os.environ.get("PLUMBLINE_TRACE"):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        _fail(FAILED, f"The run failed: {reason}\nSet PLUMBLINE_TRACE=1 to see where. Nothing was published.")


def _plain(value: object) -> str | float:
    """Days as ISO text, other numbers as JSON has them."""
    return value.isoformat() if isinstance(value, date) else float(value)  # type: ignore[arg-type]


def _fail(code: int, message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)


@contextmanager
def _progress() -> Iterator[None]:
    """Show what the pipeline logs, with the seconds since the start, on standard error."""
    started = time.monotonic()

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            typer.echo(f"{time.monotonic() - started:6.1f} s  {record.getMessage()}", err=True)

    log, handler = logging.getLogger("plumbline"), Lines()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
