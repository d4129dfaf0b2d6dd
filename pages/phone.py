"""Demo on my phone: a payment that a phone in the room pays, beside its state for everybody to see."""

from __future__ import annotations

import streamlit as st

from lib import lan, phone
from lib.ledger.payments import new_key
from lib.ledger.tables import Creation
from lib.phone import Check
from pages.parts import customer_state, frame, link_code, poster, showing
from pages.parts.session import desk

KEY = "phone_key"


def screen() -> None:
    frame.page("Demo on my phone", "Scan a code with a phone, pay there, and watch this screen change by itself.")
    if not frame.allowed("create"):
        return
    creation = showing.asked(st.query_params.get("key"))
    if creation:
        show(creation)
        return
    missing = what_is_missing()
    if missing:
        explain(missing)
    else:
        invite()


def what_is_missing() -> list[Check]:
    """What was looked at, if something keeps a phone from paying. Checkout.com's own page needs nothing of us."""
    settings = desk().settings
    if settings.embedded_simulator:
        found = phone.checks(settings)
    else:
        found = [Check("The link leads to where a phone can go", phone.refusal(desk().api_url) or "")]
    return [] if all(check.well for check in found) else found


def invite() -> None:
    with frame.empty("phone_iphone", "Ready for a phone", "One button makes a test payment and shows its code."):
        key = st.session_state.setdefault(KEY, new_key())
        if st.button(frame.primary("Create a test payment", "qr_code_2"), type="primary", key=f"create_{key}"):
            showing.ask(key)
            del st.session_state[KEY]
            st.query_params["key"] = key
            st.rerun()


def explain(found: list[Check]) -> None:
    """What is missing, and how to start so that nothing is."""
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        st.subheader("A phone cannot pay here yet", anchor=False)
        for check in found:
            icon = ":green[:material/check_circle:]" if check.well else ":red[:material/cancel:]"
            st.markdown(f"{icon} {check.what}" if check.well else f"{icon} **Not yet:** {check.what}.  \n{check.why}")
        st.markdown("So no QR code is shown: a phone that scans it would find nothing.")
    with right, st.container(border=True, height="stretch"):
        st.subheader("Start it like this", anchor=False)
        if desk().settings.embedded_simulator:
            how_to_start()
        else:
            st.markdown(
                "`CHECKOUT_BASE_URL` points at a simulator under an address of this machine alone. Leave it empty, so that "
                "the simulator inside is used, or name the address at which the phone reaches it."
            )
        st.button("Check again", icon=":material/refresh:", key="check_again")


def how_to_start() -> None:
    addresses = lan.addresses()
    if not addresses:
        st.markdown("This machine has no address in a network. Join the Wi-Fi that the phone is in, then check again.")
        return
    address = addresses[0]
    if len(addresses) > 1:
        st.markdown("This machine has several addresses. Choose that of the network which the phone is in.")
        address = st.segmented_control("Address", addresses, default=address, required=True, key="address") or address
    port = int(st.get_option("server.port"))
    st.markdown("Stop the app with Ctrl-C, then, in its folder:")
    st.code(phone.start_command(address, port), language=None, wrap_lines=True)
    st.markdown(
        f"1. Open this dashboard at `http://127.0.0.1:{port}`, as before. It stays for this machine only: a phone reaches "
        "the wallet page, and is refused everything else.\n"
        "2. Put phone and computer into the same Wi-Fi. If the computer's firewall asks, let Python accept connections.\n"
        f"3. Where a command cannot begin with a setting, write `PUBLIC_URL=http://{address}:{port}` into `.env` instead."
    )


def show(creation: Creation) -> None:
    """The code beside what becomes of it; once there is nothing to scan any more, what became of it alone."""
    payment = showing.payment_of(creation)
    url = payment.redirect_url if payment and payment.status == "Pending" else None
    if payment:
        state = customer_state.state_of(payment)
        code, told = st.columns(2, gap="large", vertical_alignment="center") if url else (None, poster.stage())
        if code and url:
            with code, st.container(horizontal_alignment="center"):
                if not link_code.show_to_phones(url, payment, width=560):
                    how_to_start()
        with told:
            customer_state.watch(payment.id, state)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="left" if url else "center"):
        st.button("Another test payment", icon=":material/add:", key="another", on_click=st.query_params.clear)
        if payment and not url:
            st.page_link(
                "payment.py",
                label="Open this payment",
                icon=":material/receipt:",
                query_params={"id": payment.id},
                width="content",
            )


screen()
