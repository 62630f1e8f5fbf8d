"""What a source says when it cannot be pulled: one sentence on what happened, one on how to mend it."""

from __future__ import annotations


class SourceError(Exception):
    """A source could not be reached, read or understood.

    ``message`` says what happened and where, ``mend`` what to do about it. ``field`` names the field of the source's
    configuration that is wrong, when one is. Neither sentence ever holds a secret or a query string.
    """

    def __init__(self, message: str, mend: str, *, field: str | None = None) -> None:
        self.message = message.rstrip(".")
        self.mend = mend
        self.field = field
        super().__init__(f"{self.message}. {mend}")


class InputError(SourceError):
    """Something the user must mend; trying again changes nothing.

    ``status`` is that of the HTTP answer that said so.
    For a finance export ``file`` names the file, ``line`` the line in it (1-based) and ``column_name`` the column.
    """

    def __init__(  # noqa: PLR0913 - each is an attribute
        self,
        message: str,
        mend: str,
        *,
        field: str | None = None,
        status: int | None = None,
        file: str | None = None,
        line: int | None = None,
        column_name: str | None = None,
    ) -> None:
        super().__init__(message, mend, field=field)
        self.status = status
        self.file = file
        self.line = line
        self.column_name = column_name


class PullFailed(SourceError):  # noqa: N818 - it says what happened
    """A fault that retries did not get past; a later pull may, and starts from the last committed cursor."""


class Ended(PullFailed):
    """A request was not made, or not again, since its client had been closed: what closed it is the reason to tell."""
