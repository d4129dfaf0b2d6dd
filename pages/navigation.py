"""The script of the app: menu, logo and tab title, then the chosen screen."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st

from lib.operators import Operator, Right
from lib.sign_in import NotIn
from pages.parts import frame, simulator, who
from pages.parts.session import desk, operator

HERE = Path(__file__).parent


def main() -> None:
    """Draw the menu and run the chosen screen, for whoever is let in."""
    st.set_page_config(page_icon=str(HERE / "logo-mark.svg"), layout="wide")
    st.logo(str(HERE / "logo.svg"), size="large", icon_image=str(HERE / "logo-mark.svg"))
    acting = whoever_acts()

    def shown(right: Right) -> Literal["visible", "hidden"]:
        return "visible" if isinstance(acting, Operator) and acting.may(right) else "hidden"

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
    board = st.Page(
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
    chosen = st.navigation(
        {
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
                st.Page(
                    "payment.py", title="Payment", icon=":material/receipt:", url_path="payment", visibility="hidden"
                ),
                st.Page("refunds.py", title="Refunds", icon=":material/undo:", url_path="refunds"),
                st.Page("bulk_refunds.py", title="Bulk refunds", icon=":material/table_rows:", url_path="bulk-refunds"),
                st.Page("approvals.py", title="Approvals", icon=":material/approval:", url_path="approvals"),
                st.Page("overdue.py", title="Overdue", icon=":material/hourglass_bottom:", url_path="overdue"),
            ],
            "Money": [
                st.Page(
                    "money_rows.py", title="Rows", icon=":material/list:", url_path="money-rows", visibility="hidden"
                ),
                st.Page("settlement.py", title="Settlement", icon=":material/account_balance:", url_path="settlement"),
                st.Page("reconcile.py", title="Reconcile", icon=":material/balance:", url_path="reconcile"),
                st.Page(
                    "month_close.py", title="Month close", icon=":material/event_available:", url_path="month-close"
                ),
            ],
            "Webhooks": [
                st.Page(
                    "webhook_events.py", title="Webhook events", icon=":material/webhook:", url_path="webhook-events"
                ),
            ],
            # Nothing is made for show where money is real.
            "Demo": [
                *(showing if desk().settings.world != "live" else []),
                *([sample, theatre] if desk().settings.world == "simulator" else []),
                *([board] if simulator.in_reach() else []),
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
        },
        expanded=True,
        # Every page is named all the same, so that the address stays what it was.
        position="hidden" if isinstance(acting, NotIn) else "sidebar",
    )
    if isinstance(acting, NotIn):
        who.show_sign_in(acting)
        return
    who.remember(acting)
    who.show_in_menu(acting)
    st.set_page_config(page_title=frame.tab_title(chosen.title, desk().settings.world))
    chosen.run()


def whoever_acts() -> Operator | NotIn:
    """The acting person, or why there is none."""
    try:
        return operator()
    except NotIn as why:
        return why


with frame.guard():
    main()
