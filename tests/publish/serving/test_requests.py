"""Whoever is not allowed gets nothing: over more than a thousand requests by every way around that was thought of."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookies import SimpleCookie
from ipaddress import ip_network
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest

from publish.audience import Access, Audience, Grant
from publish.serving import Anybody, BehindProxy, Copies, OpenIdConnect, Provider, application
from publish.serving.application import HEADERS
from publish.serving.copies import AlreadyServedError
from tests.publish.serving.oracle import Oracle, standing_in
from tests.publish.serving.servers import Line, Said, serving

WHO = "X-Forwarded-Email"
HEAD = Audience(frozenset({"engineering"}), finance=False)
ACCESS = Access([Grant(("head@example.com",), HEAD), Grant(("ceo@example.com",), Audience())])
PROXY = BehindProxy(WHO, [ip_network("127.0.0.0/8")], ACCESS)

# Who is let in nowhere: no name, names that look like an allowed one, and several at once.
STRANGERS: dict[str, list[tuple[str, str]]] = {
    "nobody": [],
    "a stranger": [(WHO, "stranger@example.com")],
    "two people": [(WHO, "ceo@example.com"), (WHO, "head@example.com")],
    "a list": [(WHO, "ceo@example.com, head@example.com")],
    "a look-alike": [(WHO, "ceo@example.com.evil.example")],
    "a name in quotes": [(WHO, '"ceo"@example.com')],
    "a pattern": [(WHO, "*@*")],
    "a tail": [(WHO, "ceo@example.com\t")],
    "another header": [("X-Forwarded-User", "ceo@example.com"), ("X_Forwarded_Email", "ceo@example.com")],
    "a token": [("Authorization", "Bearer ceo@example.com"), ("Cookie", "plumbline=ceo@example.com")],
}
Request = tuple[str, str, Sequence[tuple[str, str]]]
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND")


@dataclass
class Place:
    """A workspace's state with the demo's run in it, beside files that are nobody's business."""

    state: Path
    run: Path
    port: int
    copies: Copies

    def line(self) -> Line:
        return Line(self.port)


@pytest.fixture(scope="module")
def place(published_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    state = tmp_path_factory.mktemp("company") / ".plumbline"
    run = state / "published" / "20261030T180000.000001Z-aaaaaaaa"
    shutil.copytree((published_demo / "current").resolve(), run)
    (state / "published" / "current").symlink_to(run.name)
    (state / "secret.txt").write_text("TOP-SECRET", encoding="utf-8")
    (run / "site" / "link.html").symlink_to(state / "secret.txt")
    (run / "site" / "folder").symlink_to(state, target_is_directory=True)
    copies = Copies(state / "published", state / "serving")
    with serving(lambda port: application(copies, PROXY, f"http://127.0.0.1:{port}")) as port:
        yield Place(state, run, port, copies)
    copies.close()


def hidden_files(place: Place) -> list[str]:
    """The run's files that are in the head's copy under no name."""
    copy = place.state / "serving" / place.run.name / HEAD.key
    assert Line(place.port).ask("/run.json", [(WHO, "head@example.com")]).status == 200
    shown = {str(file.relative_to(copy)) for file in copy.rglob("*") if file.is_file()}
    whole = {str(file.relative_to(place.run)) for file in place.run.rglob("*") if file.is_file()}
    return sorted(whole - shown - {"site/link.html"})


def ways_to(place: Place, file: str) -> Iterator[str]:
    """Targets of requests by which a file of the run might be had, and others through it."""
    key, run = HEAD.key, place.run.name
    for start in (
        "",
        "/site/..",
        "/tables/../",
        f"/{run}",
        f"/../{run}",
        "/current",
        f"/../published/{run}",
        f"/serving/{run}/{Audience().key}",
    ):
        yield f"{start}/{file}"
        yield quote(f"{start}/{file}", safe="/").replace("..", "%2e%2e")
        yield quote(f"{start}/{file}", safe="").replace(".", "%2E")
        yield quote(quote(f"{start}/{file}".replace("..", "%2e%2e"), safe=""), safe="")
    yield f"/{file}%00"
    yield f"/{file}%00.html"
    yield f"/{file}/"
    yield f"/{file};a=b"
    yield f"/./{file}"
    yield f"//{file}"
    yield f"/{file}".replace("/", "\\")
    yield f"/{file.upper()}"
    yield f"/site/%c0%ae%c0%ae/{file}"
    yield f"/site/%ef%bc%8e%ef%bc%8e/{file}"
    yield f"/%2e%2e%5c{quote(file, safe='')}"
    yield f"http://127.0.0.1:{place.port}/{file}"
    yield f"/..;/{run}/{file}"
    yield f"/{key}/../{file}?run={run}&path=/{file}#/{file}"


OUTSIDE = (
    "/site/link.html", "/site/folder/secret.txt", "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/%2e%2e/secret.txt",
    "/../warehouse.duckdb", "/../../plumbline.yml", "/../ledger/", "/../serving/serving.lock", "/etc/passwd", "//etc/passwd",
    "/../../../../../../etc/passwd", "/..%252f..%252f..%252fetc%252fpasswd",
    "/site/../../../../../../etc/passwd", "/.env", "/site/.git/config",
    "/tables/", "/sql",
)  # fmt: skip


def gives(said: Said) -> bool:
    """Whether an answer may give anything away: it is anything but a short refusal."""
    return said.status in range(200, 400) or len(said.body) > 200


def test_who_is_not_allowed_gets_nothing(place: Place) -> None:
    hidden = hidden_files(place)
    assert len(hidden) > 30
    # To the head what is hidden is as if it were not there; to a stranger everything is.
    some = [*hidden[:: len(hidden) // 5], "sql/win-rate.sql"]
    roundabout = [way for file in some for way in ways_to(place, file)]
    whole = [
        "/",
        "/site/index.html",
        "/run.json",
        "/tables/kr_current.parquet",
        "/tables/evidence.parquet",
        "/sql/win-rate.sql",
    ]
    head, ceo = [(WHO, "head@example.com")], [(WHO, "ceo@example.com")]
    tried: list[Request] = [
        *product(["GET"], [*(f"/{file}" for file in hidden), *roundabout, *OUTSIDE], [head]),
        *product(METHODS, whole, STRANGERS.values()),
        *product(["GET"], [*ways_to(place, "json/exceptions.json"), *OUTSIDE], list(STRANGERS.values())[:4]),
        *product(METHODS[2:], whole, [ceo]),
    ]
    line = place.line()
    answers = [line.ask(target, who, method) for method, target, who in tried]
    assert len(set(map(str, tried))) > 1000
    assert [(request, said) for request, said in zip(tried, answers, strict=True) if gives(said)] == []
    words = Oracle(place.run, HEAD.functions, HEAD.finance).hidden_words() | {"TOP-SECRET", "root:"}
    said = {text for one in answers for text in (one.body.decode("utf-8", "replace"), *one.headers.values())}
    assert standing_in(words, said) == set()


def test_who_is_allowed_gets_what_is_theirs_and_the_bytes_of_their_own_copy(place: Place) -> None:
    line = place.line()
    assert hidden_files(place)
    copy = place.state / "serving" / place.run.name / HEAD.key
    for folder, who in ((copy, "head@example.com"), (place.run, "CEO@example.com")):
        files = [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
        assert len(files) > 60
        for file in files:
            said = line.ask(f"/{file.relative_to(folder)}", [(WHO, who)])
            assert (said.status, said.body) == (200, file.read_bytes()), file
        assert line.ask("/", [(WHO, who)]).headers["location"] == "/site/index.html"
        assert line.ask("/favicon.ico", [(WHO, who)]).status == 204
        head = line.ask("/site/index.html", [(WHO, who)], "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert int(head.headers["content-length"]) == (folder / "site" / "index.html").stat().st_size
    assert (copy / "run.json").read_bytes() != (place.run / "run.json").read_bytes()


def test_every_answer_bears_the_headers_that_keep_it_safe(place: Place) -> None:
    line = place.line()
    ceo = [(WHO, "ceo@example.com")]
    answers = [
        line.ask("/site/index.html", ceo),
        line.ask("/tables/ledger.parquet", ceo),
        line.ask("/nothing", ceo),
        line.ask("/", ceo),
    ]
    answers += [
        line.ask("/site/index.html"),
        line.ask("/%2e", ceo),
        line.ask("/", ceo, "POST"),
        line.ask("/", ceo, host="evil.example"),
    ]
    assert [one.status for one in answers] == [200, 200, 404, 302, 403, 404, 405, 400]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name.lower()] == value
        assert "server" not in answer.headers
    page = answers[0].body.decode()
    in_page = page.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    said = {rule.strip() for rule in HEADERS["Content-Security-Policy"].split(";")}
    # A page must not need what the header forbids, and the header forbids what a page cannot: to be framed.
    assert {rule.strip() for rule in in_page.split(";")} <= said
    assert "frame-ancestors 'none'" in said


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:1", "localhost", "",
     "127.0.0.1:{port}@evil.example", "[::1]:{port}", "127.0.0.1:{port}, x"],
)  # fmt: skip
def test_another_name_for_the_server_is_refused(place: Place, host: str) -> None:
    said = place.line().ask("/run.json", [(WHO, "ceo@example.com")], host=host.format(port=place.port))
    assert said.status == 400
    assert b"run_id" not in said.body


def test_the_header_is_believed_from_the_proxy_alone(place: Place) -> None:
    others = [ip_network(one) for one in ("10.0.0.0/8", "::1/128", "::/96", "127.0.0.2/32", "192.168.0.0/16")]
    door = BehindProxy(WHO, others, ACCESS)
    with serving(lambda port: application(place.copies, door, f"http://127.0.0.1:{port}")) as port:
        for more in (
            [],
            [("X-Forwarded-For", "10.0.0.1")],
            [("Forwarded", "for=10.0.0.1")],
            [("X-Real-IP", "10.0.0.1")],
        ):
            assert Line(port).ask("/run.json", [(WHO, "ceo@example.com"), *more]).status == 403


def test_on_its_own_machine_everybody_sees_everything_but_not_through_a_proxy_or_another_name(
    place: Place,
) -> None:
    with serving(lambda port: application(place.copies, Anybody(), None)) as port:
        line = Line(port)
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", "localhost:9999", "LOCALHOST"):
            assert (
                line.ask("/tables/kr_current.parquet", host=host).body
                == (place.run / "tables/kr_current.parquet").read_bytes()
            )
        for header in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"):
            assert line.ask("/run.json", [(header, "10.0.0.1")]).status == 403
        for host in (
            "evil.example",
            "localhost.evil.example",
            f"10.0.0.1:{port}",
            "[::1",
            "127.0.0.1:99999999",
        ):
            assert line.ask("/run.json", host=host).status == 400
        for target in OUTSIDE:
            said = line.ask(target)
            assert said.status in {400, 404}
            assert b"TOP-SECRET" not in said.body


def test_without_a_sign_in_nothing_is_given_and_pages_lead_to_it(place: Place) -> None:
    provider = Provider("http://127.0.0.1:9", "plumbline", "secret")
    with serving(
        lambda port: application(
            place.copies,
            OpenIdConnect(provider, f"http://127.0.0.1:{port}", ACCESS),
            f"http://127.0.0.1:{port}",
        )
    ) as port:
        line = Line(port)
        cookie = SimpleCookie(line.ask("/site/index.html").headers["set-cookie"])["plumbline"].value
        # A cookie that this server has signed, of somebody who has not signed in.
        for who in ([], [("Cookie", f"plumbline={cookie}")], [(WHO, "ceo@example.com")]):
            for target in (
                *ways_to(place, "run.json"),
                *OUTSIDE,
                "/tables/evidence.parquet",
                "/site/index.html",
            ):
                said = line.ask(target, who)
                assert said.status in {302, 400, 401, 404}, target
                assert said.headers.get("location", "/sign-in") == "/sign-in"
                assert len(said.body) < 100
        # A provider that cannot be reached lets nobody in.
        assert line.ask("/sign-in").status == 503


def another_run(place: Place, number: int) -> Path:
    run = place.state / "published" / f"20261030T180000.{number:06}Z-aaaaaaaa"
    shutil.copytree(place.run, run, symlinks=True)
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (run / "run.json").write_text(json.dumps({**about, "run_id": f"run-{number}"}), encoding="utf-8")
    return run


def switch(place: Place, run: Path) -> None:
    link = place.state / "published" / ".current-next"
    link.symlink_to(run.name)
    os.replace(link, place.state / "published" / "current")  # noqa: PTH105


def test_a_run_that_is_published_meanwhile_is_followed_and_copies_are_made_once(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    nobodys = Audience(frozenset(), finance=False)
    door = BehindProxy(
        WHO,
        [ip_network("127.0.0.0/8")],
        Access([Grant(("a@example.com",), nobodys), Grant(("b@example.com",), Audience())]),
    )
    caplog.set_level("INFO", "plumbline.serve")
    with serving(lambda port: application(place.copies, door, f"http://127.0.0.1:{port}")) as port:
        (place.state / "serving" / "20261029T180000.000000Z-an-older-run" / "copy").mkdir(parents=True)
        run_ids = []
        for number in (2, 3):
            switch(place, another_run(place, number))
            with ThreadPoolExecutor(8) as people:
                ask = [
                    people.submit(Line(port).ask, "/run.json", [(WHO, who)])
                    for who in ("a@example.com", "b@example.com") * 4
                ]
                answers = [one.result() for one in ask]
            run_ids.append([json.loads(said.body)["run_id"] for said in answers])
        assert run_ids == [["run-2"] * 8, ["run-3"] * 8]
        assert sum("making the copy" in record.message for record in caplog.records) == 2
        # Of older runs no copy is kept.
        kept = sorted(folder.name for folder in (place.state / "serving").iterdir() if folder.is_dir())
        assert [name[16:22] for name in kept] == ["000002", "000003"]

        # What cannot be made is refused, and nothing else is shown instead.
        broken = another_run(place, 4)
        (broken / "tables" / "exceptions.parquet").write_bytes(b"PAR1")
        switch(place, broken)
        said = Line(port).ask("/site/index.html", [(WHO, "a@example.com")])
        assert (said.status, len(said.body) < 200) == (503, True)
        assert not list((place.state / "serving" / broken.name).iterdir())
        assert Line(port).ask("/site/index.html", [(WHO, "b@example.com")]).status == 200
        # Nothing published, or a link that leads elsewhere: nothing is shown.
        (place.state / "published" / "current").unlink()
        assert Line(port).ask("/run.json", [(WHO, "b@example.com")]).status == 503
        (place.state / "published" / "current").symlink_to(place.state)
        assert Line(port).ask("/secret.txt", [(WHO, "b@example.com")]).status == 503
    (place.state / "published" / "current").unlink()
    switch(place, place.run)


def test_two_servers_do_not_share_copies(place: Place) -> None:
    with pytest.raises(AlreadyServedError):
        Copies(place.state / "published", place.state / "serving")
