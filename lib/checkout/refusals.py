"""Checkout.com's error codes, each with what is wrong and what to do.

The codes are those of the docs page "Error codes" and of the official SDKs' tests; the API itself sends no words with
them. Two spellings of one refusal both occur in the wild and are both here.
"""

from __future__ import annotations

_BALANCE = "The refund is more than what is left to refund on this payment. Reload the payment and refund at most that."
_URL = "must be a whole https address that customers can reach."

SENTENCES = {
    "action_failure_limit_exceeded": "Too many tries on this payment failed. Ask Checkout.com's support to look at it.",
    "amount_exceeds_balance": _BALANCE,
    "amount_invalid": "The amount must be above zero and, in minor units, a whole number of up to nine digits.",
    "amount_limit_exceeded": "The amount is above the limit for this account or wallet. Enter a smaller one.",
    "api_calls_quota_exceeded": "Checkout.com has had too many calls from this account. Wait a minute, then try again.",
    "apm_service_unavailable": "KakaoPay is not available just now. Wait a few minutes, then try again.",
    "business_settings_missing": "The account is not fully set up. Ask Checkout.com's support to complete it.",
    "country_invalid": "The country is not one Checkout.com knows. Choose one from the list.",
    "currency_invalid": "The currency is not one Checkout.com knows. Choose one from the list.",
    "currency_not_supported": "KakaoPay does not take this currency here. Choose another, or ask Checkout.com for it.",
    "currency_required": "The currency is missing. Choose one.",
    "customer_email_invalid": "The customer's e-mail address is not valid. Correct it.",
    "customer_id_invalid": "The customer's id is not valid. It begins with cus_; without it a customer is made.",
    "customer_not_found": "Checkout.com does not know this customer. Leave the id out to create a new one.",
    "email_invalid": "The e-mail address is not valid. Correct it.",
    "fail_url_invalid": f"The failure URL {_URL}",
    "failure_url_invalid": f"The failure URL {_URL}",
    "metadata_key_invalid": "A name in the metadata is not allowed. Use letters, digits and underscores.",
    "parameter_invalid": "A value in the request is not allowed. Check each field against the form's hints.",
    "payee_not_onboarded": "KakaoPay is not activated on this account. Ask Checkout.com to activate it.",
    "payment_expired": "The payment has expired. Create a new one.",
    "payment_invalid": "The payment cannot be used for this. Reload it to see its present state.",
    "payment_method_invalid": "The payment method is not valid here. Use kakaopay.",
    "payment_source_required": "The payment's source is missing. Use kakaopay or a stored source.",
    "payment_type_invalid": "The payment type is not valid. Choose Regular or Recurring.",
    "previous_payment_id_invalid": "The earlier payment's id is not valid. Take the first recurring payment's.",
    "processing_channel_id_required": "The processing channel is missing. Set CHECKOUT_PROCESSING_CHANNEL_ID.",
    "processing_channel_id_invalid": "The processing channel is unknown. Correct CHECKOUT_PROCESSING_CHANNEL_ID.",
    "processing_error": "Checkout.com could not process the request. Wait a few minutes, then try again.",
    "processing_value_required": "A detail is missing. Choose the terminal type and, unless it is Web, the OS type.",
    "reference_invalid": "The reference is missing or too long. KakaoPay needs one of at most 64 characters.",
    "refund_amount_exceeds_balance": _BALANCE,
    "request_body_malformed": "Checkout.com could not read the request. Check the fields for unusual characters.",
    "request_json_invalid": "Checkout.com could not read the request. Check the fields for unusual characters.",
    "service_unavailable": "Checkout.com is not available just now. Wait a few minutes, then try again.",
    "source_id_invalid": "The stored source's id is not valid. It begins with src_.",
    "source_id_unknown": "Checkout.com does not know this stored source. Start with a first recurring payment.",
    "source_invalid": "The payment's source is not valid. Use kakaopay or a stored source.",
    "source_type_required": "The payment's source has no type. Use kakaopay or a stored source.",
    "success_url_invalid": f"The success URL {_URL}",
    "success_url_required": f"The success URL is missing. It {_URL}",
    "zip_invalid": "The postcode is not valid. Correct it or leave it out.",
}
"""Error code to a sentence or two for the person at the form."""


def sentence(error_codes: tuple[str, ...], error_type: str | None) -> str:
    """Say a refusal in words; a code we have none for is named, so that it can be looked up."""
    known = list(dict.fromkeys(SENTENCES[code] for code in error_codes if code in SENTENCES))
    unknown = [code for code in error_codes if code not in SENTENCES]
    if unknown or not known:
        named = ", ".join(unknown) or error_type or "without a reason"
        known.append(
            f"Checkout.com refused the request ({named}). Check the fields, or look the code up in Checkout.com's docs."
        )
    return " ".join(known)
