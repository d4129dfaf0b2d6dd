"""Charts of money and counts: one currency a chart, on an axis of its own, in that currency's colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from lib import catalog
from lib.ledger.volumes import Volumes
from lib.money import Money

_NEUTRAL = "#6B675E"
_MARGIN = {"l": 0, "r": 12, "t": 6, "b": 0}
_QUIET = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showAxisDragHandles": False}
_TICKS_ACROSS = 5


def daily_bars(currency: str, days: Sequence[date], volumes: Mapping[date, Volumes], *, key: str) -> None:
    """A bar a day: captured upwards, refunded downwards and lighter. Days missing from `volumes` are days without any."""
    nothing = Money(0, currency)
    captured = [volumes[day].captured if day in volumes else nothing for day in days]
    refunded = [-volumes[day].refunded if day in volumes else nothing for day in days]
    across = {"tickvals": _some(days), "tickformat": "%-d %b", "ticklabeloverflow": "allow", "showgrid": False}
    layout = {
        "barmode": "relative",
        "bargap": 0.2,
        "height": 140,
        "hovermode": "x",
        "dragmode": False,
        "margin": _MARGIN,
        "xaxis": {"type": "date", **across, **_axis()},
        "yaxis": {"nticks": 4, "tickformat": "~s", "zeroline": False, **_axis()},
    }
    bars = [_bars(days, captured, "captured", 1.0), _bars(days, refunded, "refunded", 0.45)]
    st.plotly_chart(go.Figure(bars, layout), key=key, config=_QUIET, alt=_describe(currency, days, captured, refunded))


def step_bars(steps: Mapping[str, int], *, key: str, alt: str) -> None:
    """A horizontal bar a step, labelled with its count and its share of the first step."""
    whole = next(iter(steps.values()), 0)
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": list(steps.values()),
        "y": list(steps),
        "marker": {"color": _NEUTRAL},
        "text": [f" {count:,} · {_share(count, whole)} " for count in steps.values()],
        "textposition": ["inside" if 3 * count > whole else "outside" for count in steps.values()],
        "insidetextanchor": "end",
        "insidetextfont": {"color": "#FFFFFF"},
        "outsidetextfont": _axis().get("tickfont", {}),
        "cliponaxis": False,
        "hoverinfo": "skip",
    }
    layout = {
        "height": 34 * len(steps),
        "bargap": 0.3,
        "margin": _MARGIN,
        "xaxis": {"visible": False, "range": [0, max(*steps.values(), 1) * 1.02]},
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "ticks": "", **_axis()},
    }
    st.plotly_chart(go.Figure([bars], layout), key=key, config={**_QUIET, "staticPlot": True}, alt=alt)


def _bars(days: Sequence[date], amounts: Sequence[Money], word: str, opacity: float) -> dict[str, Any]:
    currency = amounts[0].currency
    known = catalog.currencies().get(currency)
    return {
        "type": "bar",
        "x": list(days),
        # Heights are pixels, for which a float is exact enough; the words come from the money itself.
        "y": [float(amount.major) for amount in amounts],
        "customdata": [str(amount) for amount in amounts],
        "hovertemplate": f"%{{customdata}} {word}<extra></extra>",
        "marker": {"color": known.colour if known else _NEUTRAL, "opacity": opacity},
        "showlegend": False,
    }


def _axis() -> dict[str, Any]:
    """Axes that do not zoom. Streamlit's own tick colour is too faint in light, and right in dark."""
    faint = st.context.theme.type == "light"
    return {"fixedrange": True} | ({"tickfont": {"color": _NEUTRAL}} if faint else {})


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
