"""What Salesforce's error codes mean, and what to mend."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from connectors.errors import InputError, PullFailed, SourceError
from connectors.http_faults import Transient, quoted
from connectors.http_faults import refusal as usual_refusal

_READ = (
    "Give the user that the connected app runs as Read and View All on this object, and Read on its fields."
)
_BULK = "Lower it, so that this comes by the Bulk API."
_GRANT = (
    "Let the connected app allow this flow: client credentials need a user to run as; the JWT bearer flow needs the "
    "certificate of private_key, a username that is pre-authorised, the right audience and a clock that is right."
)
# By code, the configuration's field in question and the mend; what the service says beside its code is quoted.
_MENDS: Mapping[str, tuple[str | None, str]] = {
    "API_CURRENTLY_DISABLED": (
        None,
        "Give the user that the connected app runs as the permission API Enabled.",
    ),
    "API_DISABLED_FOR_ORG": (
        None,
        "This org's edition has no API, or it is switched off; ask Salesforce for it.",
    ),
    "INSUFFICIENT_ACCESS": (None, _READ),
    "INSUFFICIENT_ACCESS_OR_READONLY": (None, _READ),
    "INVALID_FIELD": (None, _READ),
    "INVALID_TYPE": (None, _READ),
    "INVALID_TYPE_FOR_OPERATION": (
        "bulk_above",
        "Set bulk_above to null: this object does not come in bulk.",
    ),
    "OPERATION_TOO_LARGE": ("bulk_above", _BULK),
    "QUERY_TIMEOUT": ("bulk_above", _BULK),
    "UNSUPPORTED_API_VERSION": ("api_version", "Set it to one that the org lists at /services/data/."),
    # Those of the login.
    "invalid_client": (
        "client_secret",
        "Check client_id and client_secret: they are those of the connected app.",
    ),
    "invalid_client_id": ("client_id", "Check client_id: it is the consumer key of the connected app."),
    "invalid_grant": ("client_id", _GRANT),
    "invalid_request": (
        "base_url",
        "Set it to the My Domain address of the org, https://….my.salesforce.com.",
    ),
    "unsupported_grant_type": ("client_id", "Switch the client credentials flow on in the connected app."),
    "inactive_user": ("username", "Activate the user that the connected app runs as."),
}
_BY_STATUS: Mapping[int, tuple[str | None, str]] = {
    401: ("client_id", "Check the connected app, and that its user may log in."),
    403: (None, _READ),
    404: ("api_version", "Check base_url and api_version, and that the user may read this object."),
}
_OTHERWISE = (None, "The service does not accept the request; check this source's settings.")


class SessionExpired(InputError):  # noqa: N818 - it says what happened
    """The token is not valid any more; a new one may be."""


class NotThere(InputError):  # noqa: N818 - it says what happened
    """The org has nothing at that address that this user may see."""


def refusal(
    what: str, status: int, body: bytes, credential_field: str, secrets: Iterable[str]
) -> SourceError | Transient:
    """The error for an answer, by Salesforce's own code where it bears one; hardly any of them does a retry change."""
    code, message = _told(body)
    if not code:
        return usual_refusal(what, status, body, credential_field, secrets)
    answered = f"answered {status}{quoted(f'{code}: {message}', secrets)}"
    if code == "REQUEST_LIMIT_EXCEEDED" and "ConcurrentRequests" in message:
        # Too many long requests run in the org, from whatever program; the limit of 24 hours has the same code.
        return Transient(answered)
    where = f"{what} {answered}"
    if code == "INVALID_SESSION_ID":
        return SessionExpired(
            where, f"Check {credential_field}, and that its user may log in.", field=credential_field
        )
    if code == "REQUEST_LIMIT_EXCEEDED":
        return PullFailed(where, LIMIT_MEND)
    field, mend = _MENDS.get(code) or _BY_STATUS.get(status, _OTHERWISE)
    return (NotThere if status == 404 else InputError)(where, mend, field=field)


LIMIT_MEND = (
    "A request counts for 24 hours after it was made: run again once enough of them are that old, spread out what else "
    "calls this org's API, or buy more requests."
)


def _told(body: bytes) -> tuple[str, str]:
    """Code and message of an error: a list of them from the API, one object from the login."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    first = answer[0] if isinstance(answer, list) and answer else answer
    if not isinstance(first, dict):
        return "", ""
    code = first.get("errorCode") or first.get("error") or ""
    return str(code), str(first.get("message") or first.get("error_description") or "")
