"""Everything that can go wrong in a call to Checkout.com, told apart by what the caller may do next."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Literal

from lib.checkout.answer import Answer
from lib.checkout.refusals import sentence as refusal

Acted = Literal["no", "unknown"]


class CheckoutError(Exception):
    """A call did not give what was asked for.

    `str(error)` is one or two sentences for a person: what is wrong and what to do. `acted` tells whether Checkout.com
    may have done what was asked: after "no" it certainly did not (so far as this call and its own retries go); after
    "unknown" only the same request under the same idempotency key, or a look at the payment, can tell.
    """

    def __init__(
        self, sentence: str, *, acted: Acted, answer: Answer | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.acted: Acted = acted
        self.answer = answer
        """What Checkout.com said, None when it said nothing."""
        self.retry_after = retry_after
        """Seconds that Checkout.com asks to wait, if it does."""
        self.status = answer.status if answer else None
        self.error_type, self.error_codes, request_id = _error_body(answer.body if answer else None)
        self.request_id = (answer.request_id if answer else None) or request_id


class InvalidRequest(CheckoutError):
    """400, 422 and other refusals of what was asked."""


class Unauthorized(CheckoutError):
    """401: the secret key is missing, wrong or revoked."""


class ActionNotAllowed(CheckoutError):
    """403: the payment is in no state for this action, or the key may not do it."""


class NotFound(CheckoutError):
    """404, or an id of a shape that Checkout.com never gives."""


class RateLimited(CheckoutError):
    """429: too many calls, or another call with the same idempotency key is still running."""


class ServiceFailed(CheckoutError):
    """5xx, and 408 and 425: trouble at Checkout.com's side or in a gateway on the way."""


class NoAnswer(CheckoutError):
    """No answer within the time-out, or the connection could not be made or broke."""


class UnreadableAnswer(CheckoutError):
    """An answer of another shape than documented; also a redirect, which is never followed."""


_LONGEST_WAIT = 24 * 3600.0


OF_THE_SERVICE = (NoAnswer, RateLimited, ServiceFailed, Unauthorized)
"""Errors that say nothing of the payment asked about; the next one would fare no better."""


def unreadable(answer: Answer, what: str, *, acts: bool) -> UnreadableAnswer:
    """The error for an answer of the wrong shape; `what` goes on from "Checkout.com answered"."""
    words = (
        f"Checkout.com answered {what}. Check that CHECKOUT_BASE_URL is its API's address; if it is, try again later."
    )
    return UnreadableAnswer(words, acted="unknown" if acts else "no", answer=answer)


def from_answer(answer: Answer, *, acts: bool, retry_after: str | None) -> CheckoutError:
    """The error for a status that is not 2xx; `acts` when the call asks Checkout.com to do something."""
    status = answer.status
    wait = _seconds(retry_after)
    unknown: Acted = "unknown" if acts else "no"
    error_type, codes, _ = _error_body(answer.body)
    if status == 401:
        return Unauthorized(
            "Checkout.com does not accept the secret key. Check CHECKOUT_SECRET_KEY, and that it belongs to the "
            "environment CHECKOUT_BASE_URL names.",
            acted="no",
            answer=answer,
        )
    if status == 403:
        words = (
            refusal(codes, error_type)
            if codes
            else "Checkout.com does not allow this now. Reload the payment to see its present state; if that looks "
            "right, check that the secret key has the permission."
        )
        return ActionNotAllowed(words, acted="no", answer=answer)
    if status == 404:
        return NotFound(
            "Checkout.com does not know what was asked for. Check the id, and that CHECKOUT_BASE_URL names the "
            "environment it was made in.",
            acted="no",
            answer=answer,
        )
    if status == 429:
        return RateLimited(
            "Checkout.com is busy with this request or has had too many. Wait half a minute, then try again.",
            acted=unknown,
            answer=answer,
            retry_after=wait,
        )
    if status >= 500 or status in (408, 425):
        return ServiceFailed(
            f"Checkout.com has trouble just now (status {status}). Wait a few minutes, then try again.",
            acted=unknown,
            answer=answer,
            retry_after=wait,
        )
    if status >= 400:
        return InvalidRequest(refusal(codes, error_type), acted="no", answer=answer)
    return unreadable(answer, f"with status {status}", acts=acts)


def _error_body(body: object) -> tuple[str | None, tuple[str, ...], str | None]:
    if not isinstance(body, dict):
        return None, (), None
    kind, codes, request_id = body.get("error_type"), body.get("error_codes"), body.get("request_id")
    return (
        kind if isinstance(kind, str) else None,
        tuple(code for code in codes if isinstance(code, str)) if isinstance(codes, list) else (),
        request_id if isinstance(request_id, str) else None,
    )


def _seconds(retry_after: str | None) -> float | None:
    """Read `Retry-After`, seconds or an HTTP date (RFC 9110, 10.2.3); what cannot be read is as good as absent."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after[:9]), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(retry_after)
        return min(max(0.0, moment.timestamp() - time.time()), _LONGEST_WAIT)
    except (ValueError, OverflowError):
        return None
