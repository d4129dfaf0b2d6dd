"""Refusals, in the shape Checkout.com gives them."""

from __future__ import annotations


class Refusal(Exception):
    """A request that is not carried out: an HTTP status and, except for 401, 403, 404 and 429, error codes.

    The body is `{request_id, error_type, error_codes}`; without codes it is empty (recorded answers and SDK tests).
    """

    def __init__(self, status: int, *codes: str, kind: str = "request_invalid") -> None:
        super().__init__(f"{status} {', '.join(codes)}".strip())
        self.status = status
        self.codes = codes
        self.kind = kind


class Mistake(ValueError):
    """A control request that makes no sense; the message is a sentence that says what to send instead."""


def invalid(*codes: str) -> Refusal:
    """422 by the gateway's own checks."""
    return Refusal(422, *codes)


def refused_by_wallet(*codes: str) -> Refusal:
    """422 in the words the Alipay+ wallets use: `error_type` is `invalid_request`, not `request_invalid`."""
    return Refusal(422, *codes, kind="invalid_request")


NOT_FOUND = 404
NOT_ALLOWED = 403
UNAUTHORISED = 401
TOO_MANY = 429
