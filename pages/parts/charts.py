"""Charts of money and counts: one currency a chart, on an axis of its own, in that currency's colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import streamlit as st
from plotly.basedatatypes import BaseFigure

from lib import catalog
from lib.ledger.periods import Step
from lib.ledger.volumes import Volumes
from lib.money import Money

_NEUTRAL = "#6B675E"
_MARGIN = {"l": 0, "r": 12, "t": 6, "b": 0}
_QUIET = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showAxisDragHandles": False}
_TICKS_ACROSS = 5
_TICKS: Mapping[Step, str] = {"hour": "%H:%M\n%-d %b", "day": "%-d %b", "week": "%-d %b", "month": "%b %Y"}
_HOURS = (0, 6, 12, 18, 23)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Figure(BaseFigure):
    """What the browser is to draw, handed on as it is said.

    A figure made by Plotly checks and copies each property again at every run, which took longer than all else on a
    screen. The tests have Plotly check what is drawn here.
    """

    def __init__(self, traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> None:
        # Streamlit's look is laid over an empty template by the browser. What its own template says besides are colours of
        # traces that name none and of kinds of charts that are not drawn here: a third of all that a screen sent.
        self._said = {"data": traces, "layout": {"template": {"layout": {}}, **layout}}

    def to_dict(self) -> dict[str, Any]:
        return self._said


def slot_bars(
    currency: str,
    begins: Sequence[datetime],
    slots: Sequence[Mapping[str, Volumes]],
    step: Step,
    *,
    key: str,
    on_click: Callable[[str], None],
) -> None:
    """A bar a slot: captured upwards, refunded downwards and fainter. `begins` are the slots' first moments, local.

    `on_click` is told `key` when a bar was chosen; `chosen_bar` then says which.
    """
    volumes = tuple(slot.get(currency) for slot in slots)
    figure, alt = _slots(currency, tuple(begins), volumes, step, faint=_faint())
    st.plotly_chart(figure, key=key, config=_QUIET, on_select=lambda: on_click(key), selection_mode="points", alt=alt)


@lru_cache(maxsize=256)
def _slots(
    currency: str, begins: Sequence[datetime], volumes: Sequence[Volumes | None], step: Step, *, faint: bool
) -> tuple[Figure, str]:
    """Bars and what they say, put together once for the same figures."""
    nothing, clock = Money(0, currency), _clock(begins)
    captured = [each.captured if each else nothing for each in volumes]
    refunded = [-each.refunded if each else nothing for each in volumes]
    across = {
        "tickvals": _some(clock),
        "tickformat": "%H:%M" if step == "hour" and begins[0].date() == begins[-1].date() else _TICKS[step],
        "tickangle": 0,
        "ticklabeloverflow": "allow",
        "showgrid": False,
    }
    layout = {
        "barmode": "relative",
        "bargap": 0.2,
        "height": 140,
        "hovermode": "x",
        "dragmode": False,
        "margin": _MARGIN,
        "xaxis": {"type": "date", **across, **_axis(faint=faint)},
        "yaxis": {"nticks": 5, "tickformat": "~s", "zeroline": False, **_axis(faint=faint)},
    }
    bars = [_bars(clock, captured, "captured", 1.0), _bars(clock, refunded, "refunded", 0.6 if faint else 0.9)]
    return Figure(bars, layout), _describe(currency, begins, step, captured, refunded)


def chosen_bar(key: str) -> int | None:
    """The number of the bar that was clicked in the chart `key`."""
    event = st.session_state.get(key)
    points = event["selection"]["points"] if event else []
    return int(points[0]["point_index"]) if points else None


def heat_map(counts: Sequence[Sequence[int]], *, key: str) -> None:
    """Weekday by hour: `counts[weekday][hour]`, Monday first. The stronger the colour, the more; the figure on hover."""
    figure = {
        "type": "heatmap",
        "z": [list(row) for row in counts],
        "x": list(range(24)),
        "y": list(_WEEKDAYS),
        "colorscale": [[0, "rgba(107,103,94,0.15)"], [1, "rgba(0,114,178,1)" if _faint() else "rgba(86,180,233,1)"]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": "%{y} %{x}:00: %{z} paid<extra></extra>",
    }
    layout = {
        "height": 210,
        "margin": _MARGIN,
        "dragmode": False,
        "xaxis": {
            "tickvals": _HOURS,
            "ticktext": [f"{hour}:00" for hour in _HOURS],
            "showgrid": False,
            "zeroline": False,
            **_axis(),
        },
        "yaxis": {"autorange": "reversed", "showgrid": False, **_axis()},
    }
    busiest = max((count, -day, -hour) for day, row in enumerate(counts) for hour, count in enumerate(row))
    alt = (
        f"Payments paid by weekday and hour. Busiest: {_WEEKDAYS[-busiest[1]]} at {-busiest[2]}:00 with {busiest[0]:,}."
    )
    st.plotly_chart(Figure([figure], layout), key=key, config=_QUIET, alt=alt)


def two_lines(
    across: Sequence[float], lines: Mapping[str, Sequence[int]], *, title: str, until: float, alt: str, key: str
) -> None:
    """Two counts that ought to be one, at least up to `until`; each line bears its name and its last figure at its end."""
    traces: list[dict[str, Any]] = []
    for (name, counts), colour, dash in zip(lines.items(), (_NEUTRAL, "#0072B2"), ("solid", "dot"), strict=True):
        stroke = {"color": colour, "width": 3, "dash": dash}
        hover = "%{y} " + name.lower() + "<extra></extra>"
        traces.append(
            {"type": "scatter", "mode": "lines", "x": list(across), "y": list(counts), "line": stroke, "name": name}
        )
        traces[-1]["hovertemplate"] = hover
    last = {name: counts[-1] if counts else 0 for name, counts in lines.items()}
    end = across[-1] if across else 0
    most, least = max(last.values()), min(last.values())
    labels = {f"{name} {count:,}": count for name, count in last.items()}
    if most == least:
        labels = {f"{' = '.join(last)} {most:,}": most}
    elif most - least <= most / 8:  # two labels would lie on each other
        labels = {" · ".join(labels): most}
    layout = {
        "height": 260,
        "margin": _MARGIN | {"t": 20},
        "dragmode": False,
        "showlegend": False,
        "xaxis": {
            "title": {"text": title, "font": _axis().get("tickfont", {})},
            "range": [0, max(end, until)],
            "showgrid": False,
            "zeroline": False,
            **_axis(),
        },
        "yaxis": {"rangemode": "tozero", "nticks": 5, **_axis()},
        "annotations": [
            {
                "x": end,
                "y": count,
                "text": text,
                "xanchor": "right" if end > until / 2 else "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": _axis().get("tickfont", {}),
            }
            for text, count in labels.items()
        ],
    }
    st.plotly_chart(Figure(traces, layout), key=key, config=_QUIET, alt=alt)


def step_bars(steps: Mapping[str, int], *, key: str, alt: str, whole: int | None = None) -> None:
    """A horizontal bar a step, labelled with its count and its share of `whole`, by default of the first step."""
    whole = next(iter(steps.values()), 0) if whole is None else whole
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
    st.plotly_chart(Figure([bars], layout), key=key, config={**_QUIET, "staticPlot": True}, alt=alt)


def _bars(clock: Sequence[str], amounts: Sequence[Money], word: str, opacity: float) -> Mapping[str, Any]:
    currency = amounts[0].currency
    known = catalog.currencies().get(currency)
    return {
        "type": "bar",
        "x": clock,
        # Heights are pixels, for which a float is exact enough; the words come from the money itself.
        "y": [float(amount.major) for amount in amounts],
        "customdata": [str(amount) for amount in amounts],
        "hovertemplate": f"%{{customdata}} {word}<extra></extra>",
        "marker": {"color": known.colour if known else _NEUTRAL, "opacity": opacity},
        "showlegend": False,
    }


def _clock(begins: Sequence[datetime]) -> tuple[str, ...]:
    """Times as they stand on the local clock: an axis of the browser's would turn them to its own zone."""
    return tuple(f"{begin:%Y-%m-%dT%H:%M}" for begin in begins)


def _faint() -> bool:
    """Whether Streamlit's own tick colour is too faint: it is in light, and right in dark. There ours need more light."""
    return st.context.theme.type == "light"


def _axis(*, faint: bool | None = None) -> dict[str, Any]:
    """Axes that do not zoom, with labels that can be read."""
    faint = _faint() if faint is None else faint
    return {"fixedrange": True} | ({"tickfont": {"color": _NEUTRAL}} if faint else {})


def _some(ticks: Sequence[str]) -> list[str]:
    """Every n-th slot counted back from the last, so that the newest one always has its label."""
    step = -(-len(ticks) // _TICKS_ACROSS)
    return list(reversed(ticks))[::step]


def _share(count: int, whole: int) -> str:
    return f"{count / whole:.0%}" if whole else "–"


def _describe(
    currency: str, begins: Sequence[datetime], step: Step, captured: Sequence[Money], refunded: Sequence[Money]
) -> str:
    best = max(range(len(begins)), key=lambda position: captured[position].minor)
    returned = sum(1 for amount in refunded if amount)
    return (
        f"{currency} by {step}, {begins[0]:%-d %b} to {begins[-1]:%-d %b %Y}. "
        f"Most captured from {begins[best]:%-d %b %H:%M}: {captured[best]}. Refunds in {returned} of {len(begins)} bars."
    )
