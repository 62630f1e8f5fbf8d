"""Nobody is let in whom the OpenID provider does not vouch for: by a token of its own, for us, for this sign-in, and now."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import itsdangerous
import pytest

from publish.audience import Access, Audience, Grant
from publish.serving import Copies, OpenIdConnect, Provider, application
from tests.publish.serving.provider import CLIENT_ID, CLIENT_SECRET, Claims, OpenIdProvider, running
from tests.publish.serving.servers import serving

PAGE = "/site/hand-offs.html"


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    with running(OpenIdProvider()) as one:
        yield one


@pytest.fixture(autouse=True)
def well_behaved(provider: OpenIdProvider) -> None:
    provider.email, provider.bend, provider.sign, provider.answer = (
        "head@example.com",
        dict,
        provider.signed,
        dict,
    )
    provider.userinfo, provider.metadata = {}, {}


@pytest.fixture(scope="module")
def address(
    provider: OpenIdProvider, published_demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    copies = Copies(published_demo, tmp_path_factory.mktemp("serving"))
    with serving(
        lambda port: application(
            copies, door(provider, f"http://127.0.0.1:{port}"), f"http://127.0.0.1:{port}"
        )
    ) as port:
        yield f"http://127.0.0.1:{port}"
    copies.close()


def door(provider: OpenIdProvider, address: str) -> OpenIdConnect:
    access = Access([Grant(("head@example.com", "*@board.example.com"), Audience())])
    return OpenIdConnect(Provider(provider.url, CLIENT_ID, CLIENT_SECRET), address, access)


@pytest.fixture
def browser(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, trust_env=False) as client:
        yield client


def signed_in(browser: httpx2.Client, page: str = PAGE) -> httpx2.Response:
    return browser.get(page, follow_redirects=True)


def test_who_is_vouched_for_is_let_in_and_comes_to_the_page_that_was_asked_for(
    browser: httpx2.Client,
) -> None:
    answer = signed_in(browser)
    assert answer.status_code == 200
    assert answer.url.path == PAGE
    assert b"Hand-offs: who waits for whom" in answer.content
    assert [one.status_code for one in answer.history] == [302, 302, 302, 303]
    assert browser.get("/tables/kr_current.parquet").content.startswith(b"PAR1")


def test_signing_out_ends_it(browser: httpx2.Client) -> None:
    assert signed_in(browser).status_code == 200
    assert browser.get("/sign-out").status_code == 200
    assert browser.get(PAGE).status_code == 302
    assert browser.get("/tables/kr_current.parquet").status_code == 401


@pytest.mark.parametrize(
    ("email", "status"),
    [
        ("Head@Example.COM", 200),
        ("anybody@board.example.com", 200),
        ("somebody@example.com", 403),
        ("head@example.com.evil.example", 403),
        ("anybody@sub.board.example.com", 403),
        ("head@example.com\n", 403),
        ("head@example.com,ceo@example.com", 403),
        ("h\u0435ad@example.com", 403),
        ("*@board.example.com", 403),
        ("", 403),
    ],
)
def test_the_access_list_decides(
    browser: httpx2.Client, provider: OpenIdProvider, email: str, status: int
) -> None:
    provider.email = email
    assert signed_in(browser).status_code == status


def wrong(**said: object) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **said}


def without(name: str) -> Callable[[Claims], Claims]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


BENT: dict[str, Callable[[Claims], Claims]] = {
    "another sign-in's": wrong(nonce="another"),
    "no nonce": without("nonce"),
    "for another client": wrong(aud="another"),
    "for another client, handed to us": wrong(aud="another", azp=CLIENT_ID),
    "for several, handed to another": wrong(aud=[CLIENT_ID, "another"], azp="another"),
    "no audience": without("aud"),
    "another issuer's": wrong(iss="https://login.evil.example"),
    "no issuer": without("iss"),
    "expired": wrong(exp=int(time.time()) - 3600),
    "no end": without("exp"),
    "from the future": wrong(iat=int(time.time()) + 7200, exp=int(time.time()) + 9000),
    "not verified": wrong(email_verified=False),
    "verified in words": wrong(email_verified="true"),
    "verified by nobody": without("email_verified"),
    "of nobody": wrong(email=None),
    "of a list": wrong(email=["head@example.com"]),
}


def assert_nobody_is_signed_in(browser: httpx2.Client) -> None:
    assert signed_in(browser).status_code == 403
    assert browser.get(PAGE).status_code == 302
    assert browser.get("/run.json").status_code == 401


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT)
def test_a_token_that_says_something_else_is_refused(
    browser: httpx2.Client, provider: OpenIdProvider, bend: Callable[[Claims], Claims]
) -> None:
    before = provider.tokens_given
    provider.bend = bend
    assert_nobody_is_signed_in(browser)
    assert provider.tokens_given == before + 1


@pytest.mark.parametrize("sign", ["signed_by_another_key", "signed_with_the_shared_secret", "unsigned"])
def test_a_token_that_the_provider_has_not_signed_is_refused(
    browser: httpx2.Client, provider: OpenIdProvider, sign: str
) -> None:
    provider.sign = getattr(provider, sign)
    assert_nobody_is_signed_in(browser)


def test_without_an_id_token_nobody_is_signed_in(browser: httpx2.Client, provider: OpenIdProvider) -> None:
    provider.userinfo = {"sub": "4711", "email": "head@example.com", "email_verified": True}
    provider.answer = without("id_token")
    assert_nobody_is_signed_in(browser)


def test_an_address_that_stands_elsewhere_is_asked_for_and_must_be_the_same_persons(
    browser: httpx2.Client, provider: OpenIdProvider
) -> None:
    provider.bend = without("email")
    provider.userinfo = {"sub": "1", "email": "head@example.com", "email_verified": True}
    assert_nobody_is_signed_in(browser)
    provider.userinfo = {"sub": "4711", "email": "head@example.com", "email_verified": False}
    assert_nobody_is_signed_in(browser)
    provider.userinfo = {"sub": "4711", "email": "head@example.com", "email_verified": True}
    assert signed_in(browser).status_code == 200


def test_an_answer_that_nobody_here_asked_for_is_refused(
    browser: httpx2.Client, address: str, provider: OpenIdProvider
) -> None:
    """A link with somebody else's code must not sign anybody in as them, nor an own link twice."""
    asked = browser.get(browser.get(PAGE).headers["location"])
    back = httpx2.get(asked.headers["location"], trust_env=False).headers["location"]
    with httpx2.Client(base_url=address, trust_env=False) as victim:
        assert victim.get(back).status_code == 403
        assert victim.get("/run.json").status_code == 401
        assert victim.get("/sign-in/done?code=x&state=").status_code == 403
        assert victim.get("/sign-in/done?error=access_denied&error_description=<b>no").status_code == 403
    assert browser.get(back).status_code in {303, 403}
    assert browser.get(back).status_code == 403


def test_a_cookie_that_this_server_has_not_signed_is_no_sign_in(browser: httpx2.Client) -> None:
    said = base64.b64encode(json.dumps({"email": "head@example.com", "since": time.time()}).encode())
    for key in ("", "secret", CLIENT_SECRET):
        forged = itsdangerous.TimestampSigner(key or "x").sign(said).decode()
        for cookie in (forged, said.decode(), forged.rsplit(".", 1)[0], said.decode() + "..", "null"):
            answer = browser.get("/run.json", headers={"Cookie": f"plumbline={cookie}"})
            assert answer.status_code == 401
            assert b"run_id" not in answer.content


def test_nobody_is_sent_elsewhere_after_the_sign_in(browser: httpx2.Client) -> None:
    for page in (
        "//evil.example/a.html",
        "/\\evil.example/a.html",
        "/%2fevil.example/a.html",
        "/@evil.example/a.html",
    ):
        assert (
            browser.get(
                httpx2.URL(str(browser.base_url)).join("/").copy_with(raw_path=page.encode())
            ).status_code
            == 404
        )


def test_the_cookie_is_for_this_server_alone(
    provider: OpenIdProvider, published_demo: Path, tmp_path: Path
) -> None:
    https = "https://scorecard.example.com"
    copies = Copies(published_demo, tmp_path / "serving")
    with serving(lambda port: application(copies, door(provider, https), https)) as port:
        answer = httpx2.get(
            f"http://127.0.0.1:{port}{PAGE}", headers={"Host": "scorecard.example.com"}, trust_env=False
        )
        cookie = answer.headers["set-cookie"].lower()
        assert cookie.startswith("__host-plumbline=")
        assert {"httponly", "secure", "samesite=lax", "path=/"} <= {
            part.strip() for part in cookie.split(";")
        }
        assert "domain" not in cookie
        # Another name of the same machine is another address.
        assert httpx2.get(f"http://127.0.0.1:{port}{PAGE}", trust_env=False).status_code == 400
    copies.close()


def test_a_provider_that_is_not_the_one_asked_for_signs_nobody_in(
    provider: OpenIdProvider, published_demo: Path, tmp_path: Path
) -> None:
    provider.metadata = {"issuer": "https://login.evil.example"}
    copies = Copies(published_demo, tmp_path / "serving")
    with serving(
        lambda port: application(
            copies, door(provider, f"http://127.0.0.1:{port}"), f"http://127.0.0.1:{port}"
        )
    ) as port:
        assert httpx2.get(f"http://127.0.0.1:{port}/sign-in", trust_env=False).status_code == 503
    copies.close()
