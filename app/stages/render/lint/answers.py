"""What was found when the links were looked up. Pure: somebody else looked."""

from collections.abc import Iterator

from app.models.links import LinkVerdict
from app.stages.render.lint.links import RULE, outgoing
from app.stages.render.lint.problem import Problem, error, warning
from app.stages.render.lint.proof import Proof, short


def answers(proof: Proof) -> Iterator[Problem]:
    """A story's link that is gone is an error, one on the charts a warning: others made it, and it is gone tomorrow."""
    if proof.looked is None:
        return
    charted = _charted(proof)
    unknown = 0
    for url in outgoing(proof):
        found = proof.looked.get(url)
        where = f"link {short(url)}"
        if found is None:
            unknown += 1
        elif found.verdict in (LinkVerdict.GONE, LinkVerdict.PRIVATE):
            told = (RULE, where, f"It leads readers nowhere: {found.detail}.")
            yield warning(*told) if url in charted else error(*told)
        elif found.verdict is LinkVerdict.SILENT:
            yield warning(RULE, where, f"Whether it works is not known: {found.detail}.")
    if unknown:
        yield warning(RULE, "links", f"{unknown} of {len(outgoing(proof))} were not looked up in the last day.")


def _charted(proof: Proof) -> set[str]:
    content = proof.content
    found: set[str] = set()
    for chart in content.charts:
        for row in chart.rows:
            found |= {row.url, row.why_url}
    if content.movers:
        for mover in (*content.movers.rows, *content.movers.new):
            found |= {mover.url, mover.why_url}
        found |= {cooled.url for cooled in content.movers.cooled}
    return found - {piece.url for piece in content.pieces}
