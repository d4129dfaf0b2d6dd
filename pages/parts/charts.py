"""Charts of money and counts: one currency a chart, on an axis of its own, in that currency's colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import plotly.graph_objects as go
import streamlit as st

from lib import catalog
from lib.ledger.volumes import Volumes
from lib.money import Money

_NEUTRAL = "#6B675E"
_QUIET = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showAxisDragHandles": False}
_TICKS_ACROSS = 5


def daily_bars(currency: str, days: Sequence[date], volumes: Mapping[date, Volumes], *, key: str) -> None:
    """A bar a day: captured upwards, refunded downwards and lighter. Days missing from `volumes` are days without any."""
    nothing = Money(0, currency)
    captured = [volumes[day].captured if day in volumes else nothing for day in days]
    refunded = [-volumes[day].refunded if day in volumes else nothing for day in days]
    colour = catalog.currencies()[currency].colour if currency in catalog.currencies() else _NEUTRAL
    figure = go.Figure(
        [
            _bars(days, captured, "captured", marker_color=colour),
            _bars(days, refunded, "refunded", marker_color=colour, marker_opacity=0.45),
        ]
    )
    figure.update_layout(barmode="relative", bargap=0.2, height=140, hovermode="x")
    _calm(figure)
    figure.update_xaxes(
        showgrid=False, tickvals=_some(days), tickformat="%-d %b", ticklabeloverflow="allow", type="date"
    )
    figure.update_yaxes(nticks=4, tickformat="~s", zeroline=False)
    st.plotly_chart(figure, key=key, config=_QUIET, alt=_describe(currency, days, captured, refunded))


def step_bars(steps: Mapping[str, int], *, key: str, alt: str) -> None:
    """A horizontal bar a step, labelled with its count and its share of the first step."""
    whole = next(iter(steps.values()), 0)
    figure = go.Figure(
        go.Bar(
            x=list(steps.values()),
            y=list(steps),
            orientation="h",
            marker_color=_NEUTRAL,
            text=[f" {count:,} · {_share(count, whole)} " for count in steps.values()],
            textposition=["inside" if 3 * count > whole else "outside" for count in steps.values()],
            insidetextanchor="end",
            insidetextfont_color="#FFFFFF",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.update_layout(height=34 * len(steps), bargap=0.3)
    _calm(figure)
    figure.update_xaxes(visible=False, range=[0, max(*steps.values(), 1) * 1.02])
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", type="category")
    st.plotly_chart(figure, key=key, config={**_QUIET, "staticPlot": True}, alt=alt)


def _bars(days: Sequence[date], amounts: Sequence[Money], word: str, **style: object) -> go.Bar:
    # Heights are pixels, for which a float is exact enough; the words come from the money itself.
    return go.Bar(
        x=list(days),
        y=[float(amount.major) for amount in amounts],
        customdata=[str(amount) for amount in amounts],
        hovertemplate=f"%{{customdata}} {word}<extra></extra>",
        showlegend=False,
        **style,
    )


def _calm(figure: go.Figure) -> None:
    figure.update_layout(margin={"l": 0, "r": 12, "t": 6, "b": 0}, dragmode=False)
    # Streamlit's own tick colour is too faint in light, and right in dark.
    if st.context.theme.type == "light":
        figure.update_xaxes(tickfont_color=_NEUTRAL)
        figure.update_yaxes(tickfont_color=_NEUTRAL)
        figure.update_traces(outsidetextfont_color=_NEUTRAL, selector={"orientation": "h"})
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)


def _some(days: Sequence[date]) -> list[date]:
    """Every n-th day counted back from the last, so that the newest one always has its label."""
    step = -(-len(days) // _TICKS_ACROSS)
    return list(reversed(days))[::step]


def _share(count: int, whole: int) -> str:
    return f"{count / whole:.0%}" if whole else "–"


def _describe(currency: str, days: Sequence[date], captured: Sequence[Money], refunded: Sequence[Money]) -> str:
    best = max(range(len(days)), key=lambda position: captured[position].minor)
    returned = sum(1 for amount in refunded if amount)
    return (
        f"{currency} by day, {days[0]:%-d %b} to {days[-1]:%-d %b %Y}. "
        f"Most captured on {days[best]:%-d %b}: {captured[best]}. Refunds on {returned} of {len(days)} days."
    )
