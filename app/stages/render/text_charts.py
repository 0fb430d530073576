"""Charts and movers in the text part: places, changes and counts in words, for a screen without arrows. Pure."""

from collections.abc import Sequence

from app.core.publication import Publication
from app.models.content import Chart, ChartRow, Counted, Mover, Movers
from app.stages.render import wording
from app.stages.render.plain import INDENT, Links, wrap


def trending(charts: Sequence[Chart], publication: Publication, links: Links) -> str:
    counted = f"Counted from the public pages of {wording.hosts(charts)}."
    absent = wording.left_out(charts)
    tables = [_chart(chart, links) for chart in charts]
    method = f"{wording.METHOD}{links.ref(f'{publication.public_url}/how-we-count')}."
    return "\n".join([*tables, wrap(" ".join(part for part in (counted, absent, method) if part))])


def movers(found: Movers, links: Links) -> str:
    since = found.measuring_since
    note = f"Figures {wording.stamp(found.as_of, stale=found.stale)}."
    if since:
        note += f" Measuring since {wording.day_and_month(since)}. {wording.MEASURING}"
    blocks = [wrap(note), *(_mover(mover, links) for mover in found.rows)]
    if found.new:
        blocks += ["New to the charts\n", *(_mover(mover, links) for mover in found.new)]
    if found.cooled:
        gone = [f"{one.name} (was {one.was}){links.ref(one.url)}" for one in found.cooled]
        blocks.append(wrap(f"{wording.LEFT}: {', '.join(gone)}."))
    return "\n".join(blocks)


def _chart(chart: Chart, links: Links) -> str:
    title = wrap(f"{chart.title} by {chart.unit}, {wording.chart_stamp(chart)}")
    recap = [wrap(wording.led(chart))] if chart.leaders else []
    return "\n".join([title, *(_row(row, links) for row in chart.rows), *recap])


def _row(row: ChartRow, links: Links) -> str:
    counts = (
        _gained(row.gained, approximate=row.approximate),
        f"{row.total:,} in all" if row.total is not None else "",
    )
    head = ", ".join(part for part in (row.name, wording.row_shift(row).spoken, *counts) if part)
    below = wrap(" · ".join(wording.row_facts(row)), INDENT)
    return wrap(head + links.ref(row.url), INDENT, f"{row.rank:>2}. ") + below + _why(row, links)


def _mover(mover: Mover, links: Links) -> str:
    shift = wording.mover_shift(mover)
    where = f"{shift.spoken}, at {mover.now}" if shift.tag else shift.spoken or f"at {mover.now}"
    facts = [_gained(mover.gained, approximate=mover.approximate), *wording.mover_facts(mover)]
    head = wrap(f"{mover.name} ({mover.site}): {where}{links.ref(mover.url)}", INDENT, "")
    below = wrap(", ".join(fact for fact in facts if fact), INDENT) + wrap(wording.mover_history(mover), INDENT)
    return head + below + _why(mover, links)


def _why(one: Counted, links: Links) -> str:
    return wrap(one.why + links.ref(one.why_url), INDENT) if one.why else ""


def _gained(gained: int | None, *, approximate: bool) -> str:
    if gained is None:
        return ""
    sign = "-" if gained < 0 else "about " if approximate else "+"
    return f"{sign}{abs(gained):,} this week"
