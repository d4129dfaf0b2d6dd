"""The menu: every screen, in its section, with its title, icon and address."""

from __future__ import annotations

from functools import cache
from typing import Literal

import streamlit as st

from lib.operators import Right
from lib.world import World

RIGHTS: tuple[Right, ...] = ("create", "simulate", "audit", "keys")
"""Those without which some screens are not shown in it."""


@cache
def sections(*, rights: frozenset[Right], world: World, board: bool) -> dict[str, list[st.Page]]:
    """The screens by section, as they are shown to whoever has these rights; `board` is whether a simulator answers.

    Made once for all who see the same: to make a screen is to look for its file, and there are two dozen.
    """

    def shown(right: Right) -> Literal["visible", "hidden"]:
        return "visible" if right in rights else "hidden"

    showing = [
        st.Page(
            "present.py", title="Present", icon=":material/slideshow:", url_path="present", visibility=shown("create")
        ),
        st.Page(
            "phone.py",
            title="Demo on my phone",
            icon=":material/phone_iphone:",
            url_path="phone",
            visibility=shown("create"),
        ),
    ]
    simulator_board = st.Page(
        "simulator_board.py",
        title="Simulator",
        icon=":material/science:",
        url_path="simulator-board",
        visibility=shown("simulate"),
    )
    sample = st.Page(
        "sample_data.py",
        title="Sample data",
        icon=":material/auto_awesome:",
        url_path="sample-data",
        visibility=shown("simulate"),
    )
    theatre = st.Page(
        "theatre.py",
        title="Incident theatre",
        icon=":material/theater_comedy:",
        url_path="theatre",
        visibility=shown("simulate"),
    )
    return {
        "": [
            st.Page("overview.py", title="Overview", icon=":material/query_stats:", default=True),
        ],
        "Payments": [
            st.Page(
                "new_payment.py",
                title="New payment",
                icon=":material/add_card:",
                url_path="new-payment",
                visibility=shown("create"),
            ),
            st.Page("payments.py", title="Payments", icon=":material/receipt_long:", url_path="payments"),
            st.Page("payment.py", title="Payment", icon=":material/receipt:", url_path="payment", visibility="hidden"),
            st.Page("refunds.py", title="Refunds", icon=":material/undo:", url_path="refunds"),
            st.Page("bulk_refunds.py", title="Bulk refunds", icon=":material/table_rows:", url_path="bulk-refunds"),
            st.Page("approvals.py", title="Approvals", icon=":material/approval:", url_path="approvals"),
            st.Page("overdue.py", title="Overdue", icon=":material/hourglass_bottom:", url_path="overdue"),
        ],
        "Money": [
            st.Page("money_rows.py", title="Rows", icon=":material/list:", url_path="money-rows", visibility="hidden"),
            st.Page("settlement.py", title="Settlement", icon=":material/account_balance:", url_path="settlement"),
            st.Page("reconcile.py", title="Reconcile", icon=":material/balance:", url_path="reconcile"),
            st.Page("month_close.py", title="Month close", icon=":material/event_available:", url_path="month-close"),
        ],
        "Webhooks": [
            st.Page("webhook_events.py", title="Webhook events", icon=":material/webhook:", url_path="webhook-events"),
        ],
        # Nothing is made for show where money is real.
        "Demo": [
            *(showing if world != "live" else []),
            *([sample, theatre] if world == "simulator" else []),
            *([simulator_board] if board else []),
        ],
        "Admin": [
            st.Page(
                "audit_log.py",
                title="Audit log",
                icon=":material/history_edu:",
                url_path="audit-log",
                visibility=shown("audit"),
            ),
            st.Page(
                "settings.py",
                title="Settings",
                icon=":material/settings:",
                url_path="settings",
                visibility=shown("keys"),
            ),
        ],
        "Help": [st.Page("help.py", title="Words and tests", icon=":material/help:", url_path="help")],
    }
