"""`plumbline serve`: the published pages over HTTP, as `serve` in `plumbline.yml` says."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from orchestration.serving_config import ServeConfig
from orchestration.workspace import Workspace
from strategy import InputErrors, Problem
from strategy.problems import pick_from

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from publish.audience import Access
    from publish.serving import Door

_WRITE = """Write into plumbline.yml, for instance:

serve:
  address: https://scorecard.example.com      # where people reach the pages
  sign_in:
    oidc:                                     # or trusted_proxy: {header: X-Forwarded-Email, from: [10.0.0.0/8]}
      issuer: https://login.example.com
      client_id: plumbline
      client_secret: ${PLUMBLINE_CLIENT_SECRET}
  access:                                     # the first entry that names somebody decides; nobody else is let in
    - {who: [ceo@example.com], finance: true}
    - {who: ["*@example.com"], functions: [engineering], finance: false}"""


@contextmanager
def ready(
    workspace: Workspace, host: str, environment: Mapping[str, str] = os.environ
) -> Iterator["ASGIApp"]:
    """The application that serves the workspace's current run at `host`, and its folder of copies as long as it runs.

    Raises InputErrors when others than this machine could reach it and nothing says who may see what, or when that is wrong;
    AlreadyServedError when another process serves the workspace.
    """
    from publish.serving import Copies, application, is_loopback

    config = workspace.resolved_serving(environment)
    if config is None and not is_loopback(host):
        what = f"others could reach the pages at {host}, and nothing says who may see what"
        raise InputErrors([workspace.problem(("serve",), what, _WRITE)])
    problems = list(unknown_functions(workspace, config))
    if problems:
        raise InputErrors(problems)
    copies = Copies(workspace.published, workspace.state / "serving")
    try:
        yield application(copies, _door(config), config.address if config else None)
    finally:
        copies.close()


def listen(served: "ASGIApp", host: str, port: int) -> bool:
    """Answer requests until the process is told to stop; returns whether it could listen at all."""
    from publish.serving import server_of

    server = server_of(served, host, port)
    # Both are how it says that it was stopped, or could not listen and has said why.
    with suppress(KeyboardInterrupt, SystemExit):
        server.run()
    return server.started


def unknown_functions(workspace: Workspace, config: ServeConfig | None) -> Iterator[Problem]:
    """Functions in `access` that the strategy does not have, so that a slip of the pen is not a person who sees nothing."""
    known = [one.id for one in workspace.strategy.functions]
    for number, entry in enumerate(config.access if config else ()):
        for place, name in enumerate(entry.functions or ()):
            if name not in known:
                where = ("serve", "access", number, "functions", place)
                yield workspace.problem(where, f"there is no function `{name}`", pick_from(name, known))


def access_of(config: ServeConfig) -> "Access":
    """Who may see what, as `access` says."""
    from publish.audience import Access, Audience, Grant

    return Access(
        [
            Grant(
                tuple(entry.who),
                Audience(None if entry.functions is None else frozenset(entry.functions), entry.finance),
            )
            for entry in config.access
        ]
    )


def _door(config: ServeConfig | None) -> "Door":
    from publish.serving import Anybody, BehindProxy, OpenIdConnect, Provider

    if config is None:
        return Anybody()
    access = access_of(config)
    if config.sign_in.trusted_proxy is not None:
        proxy = config.sign_in.trusted_proxy
        return BehindProxy(proxy.header, proxy.networks, access)
    oidc = config.sign_in.oidc
    assert oidc is not None  # noqa: S101 - the model holds one of the two
    provider = Provider(oidc.issuer, oidc.client_id, oidc.client_secret.get_secret_value())
    return OpenIdConnect(provider, config.address, access)
