"""The server in front of the application."""

import uvicorn
from starlette.types import ASGIApp


def server_of(application: ASGIApp, host: str, port: int) -> uvicorn.Server:
    """A server that answers at `host` and `port` once it is run.

    Where a request comes from is never taken from a header: only a door looks at those, and only from networks that it trusts.
    """
    config = uvicorn.Config(
        application, host, port,
        proxy_headers=False, server_header=False, access_log=False, log_level="warning", lifespan="off",
    )  # fmt: skip
    return uvicorn.Server(config)
