"""Errors, by who must act.

HalfdoorError
├── ClientError    the caller sent something we cannot read       4xx, the caller
├── BackendError   a model's server failed us                     5xx, the operator of that server
├── LogError       the evidence log cannot be written             503, the operator of halfdoor
└── SetupError     configuration, ports, permissions, files       exit 1, the operator of halfdoor

A rule that forbids something is no error: it is a `Verdict` with a refusal, always HTTP 400.

Each is raised where the fact is known, with `where`, what was found, and a `hint` that says what to
do. One handler at the edge (`server/app.py` for a request, `cli/` for a command) words it.
"""


class HalfdoorError(Exception):
    """Base of all errors that a person is meant to read.

    message: what was found, lower case, no full stop.
    hint: what would mend it, an imperative; empty when nothing would.
    where: file:line, field or part of a request; empty when the message names it.
    """

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f"; hint: {self.hint}" if self.hint else ""
        return f"{place}{self.message}{hint}"


class ClientError(HalfdoorError):
    """The caller's request cannot be served as it stands.

    status: the HTTP status; 400 unless the protocol has a more exact one that clients do not retry.
    code: a stable identifier for programs, e.g. `invalid_json`, `model_not_found`.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str = "invalid_request",
        hint: str = "",
        where: str = "",
    ) -> None:
        super().__init__(message, hint=hint, where=where)
        self.status = status
        self.code = code


class BackendError(HalfdoorError):
    """A model's server failed before or during its answer.

    kind: `connect`, `timeout`, `cut`, `tls`, `zone`, `credentials`, `protocol` or `busy`
        (see `canon.commands.FaultKind`). retry_after_s: when to ask again, 0 where nobody knows.
    """

    def __init__(
        self, message: str, *, kind: str, hint: str = "", where: str = "", retry_after_s: int = 0
    ) -> None:
        super().__init__(message, hint=hint, where=where)
        self.kind = kind
        self.retry_after_s = retry_after_s


class LogError(HalfdoorError):
    """The evidence log cannot be read, written or proven; service stops until it can."""


class SetupError(HalfdoorError):
    """Configuration, port, permission or file trouble that stops a command (exit 1)."""
