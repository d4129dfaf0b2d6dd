"""Bulk refunds: many refunds from one file, seen and confirmed before anything moves."""

from __future__ import annotations

import streamlit as st

from lib import catalog
from lib.ledger.bulk import batches, file
from lib.ledger.bulk.file import BadFile
from lib.ledger.bulk.tables import Bulk
from lib.ledger.bulk.views import find_bulk, newest_bulks
from pages.parts import bulk_file, bulk_words, frame, words
from pages.parts.session import desk, operator


def screen() -> None:
    frame.page(
        "Bulk refunds", "Refund many payments from one file. You see what each row would do before any money moves."
    )
    wanted = st.query_params.get("file")
    bulk = find_bulk(desk().database, wanted) if wanted else None
    if bulk and bulk.state != "reading":
        bulk_file.show(bulk)
        return
    with frame.place():
        if bulk:
            st.warning("This file was not read to its end. Upload it once more.", icon=":material/upload_file:")
        elif wanted:
            st.warning("There is no such file here. Upload it.", icon=":material/search_off:")
    if operator().may("refund"):
        choose()
    else:
        st.info("Your role may not refund. The files of colleagues are below.", icon=":material/lock:")
    earlier(newest_bulks(desk().database))


def choose() -> None:
    """The uploader; a file that can be read leads on to its own view."""
    with st.container(border=True):
        chosen = st.file_uploader(
            f"CSV file, up to {file.ROWS:,} rows",
            key="bulk_file",
            max_upload_size=file.MEBIBYTES,
            help="Commas, semicolons or tabs; columns in any order.",
        )
        if chosen:
            take(chosen.name, chosen.getvalue())
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(
                "Columns: **reference** or **payment_id**, **amount**, **currency**, **reason**, and if you like **note**.",
                width="content",
            )
            st.download_button(
                "Template",
                file.template(),
                "bulk-refunds.csv",
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
                key="bulk_template",
            )
        codes = [f"**{words.plain(code)}**" for code in catalog.kakaopay().refund_reasons]
        st.markdown(f":small[Amounts as 1234.50, without the currency's sign. Reasons: {', '.join(codes)}.]")


def take(name: str, raw: bytes) -> None:
    try:
        with st.spinner("Checking every row. No money moves."):
            uploaded = batches.upload(desk(), operator(), name, raw)
    except BadFile as problem:
        st.error(words.plain(str(problem)), icon=":material/error:")
        return
    bulk_file.remember(uploaded)
    st.query_params["file"] = uploaded.bulk.id
    st.rerun()


def earlier(bulks: list[Bulk]) -> None:
    if not bulks:
        frame.empty(
            "table_rows",
            "No file yet",
            "Download the template, fill in a row for each refund, and upload it. Nothing moves before you confirm.",
        )
        return
    st.subheader("Files so far", anchor=False)
    for bulk in bulks:
        with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            uploaded = f"{words.plain(bulk.uploaded_by)}, {words.when(bulk.uploaded_at, desk().settings.zone)}"
            st.markdown(
                f"{bulk_words.state(bulk.state).badge} **{words.plain(bulk.file_name)}**  \n"
                f":small[{bulk_words.rows(bulk.lines)}, uploaded by {uploaded}]",
                width="content",
            )
            st.page_link(
                "bulk_refunds.py", label="Open", icon=":material/arrow_forward:", query_params={"file": bulk.id}
            )


screen()
