"""HTML as strangers write it: which angle brackets are tags, and how raised words read without markup. Pure."""

import re

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]{0,40})((?:[^<>\"']|\"[^\"]{0,2000}\"|'[^']{0,2000}')*+)>")
_OPENED = re.compile(r"<([A-Za-z][A-Za-z0-9:-]*)")
_CLOSED = re.compile(r"</([A-Za-z][A-Za-z0-9:-]*)\s*>")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_DECLARATION = re.compile(r"(?i)<(?:!doctype\b|!\[(?:end)?if\b|\?xml\b)[^<>]*>")

_BREAKS = frozenset({"br", "hr", "wbr"})
_VOID = frozenset({"area", "base", "col", "embed", "img", "input", "link", "meta", "param", "source", "track"})
BLOCKS = frozenset([
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog", "dir", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head",
    "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "optgroup", "option", "p", "pre",
    "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
])  # fmt: skip
"""Elements that begin a line of their own, and cells of tables."""
_INLINE = frozenset([
    "a", "abbr", "acronym", "applet", "audio", "b", "bdi", "bdo", "big", "blink", "button", "canvas", "cite", "code",
    "colgroup", "data", "datalist", "del", "dfn", "em", "font", "frame", "frameset", "i", "iframe", "ins", "kbd",
    "label", "map", "mark", "marquee", "math", "meter", "nobr", "noframes", "noscript", "object", "output", "picture",
    "progress", "q", "rp", "rt", "ruby", "s", "samp", "script", "select", "slot", "small", "span", "strike", "strong",
    "style", "sub", "sup", "svg", "template", "textarea", "time", "title", "tt", "u", "var", "video",
])  # fmt: skip
_ELEMENTS = BLOCKS | _INLINE | _BREAKS | _VOID
"""Of HTML, current and obsolete (HTML Living Standard, sections 4 and 16.2)."""
_FOREIGN = frozenset([
    "annotation", "mfrac", "mi", "mn", "mo", "mover", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup",
    "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "semantics",
    "circle", "clippath", "defs", "ellipse", "g", "path", "polygon", "polyline", "rect",
])  # fmt: skip
"""Of MathML and SVG, as far as their names are no words of prose or of programs."""
_ALONE = frozenset({
    "allowfullscreen", "async", "autoplay", "checked", "compact", "controls", "default", "defer", "disabled",
    "download", "hidden", "inert", "ismap", "itemscope", "loop", "multiple", "muted", "nomodule", "noshade",
    "nowrap", "open", "playsinline", "readonly", "required", "reversed", "selected", "alt", "contenteditable",
})  # fmt: skip
"""Attributes that stand without a value."""

_UP = str.maketrans("0123456789+-−=()nieao", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱᵉªº")
_DOWN = str.maketrans("0123456789+-−=()aeoxhklmnpstiruvj", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₒₓₕₖₗₘₙₚₛₜᵢᵣᵤᵥⱼ")
_NUMBER = frozenset("0123456789+-−=()")
_TRADE = {"tm": "™", "sm": "℠", "r": "®", "™": "™", "®": "®", "©": "©", "℠": "℠", "º": "º", "ª": "ª"}
_ENDINGS = frozenset({
    "st", "nd", "rd", "th", "er", "ers", "re", "res", "ère", "ème", "me", "mes", "nde", "ra", "ro", "lle", "os", "as",
})  # fmt: skip
"""Of ordinals and titles in several languages: 1st, 1er, Mme."""
_RAISED = re.compile(r"<sup>([^<>]*)</sup>")
_LOWERED = re.compile(r"<sub>([^<>]*)</sub>")
_SIGNS = {"<sup>": "^", "<sub>": "_", "<q>": "“", "</q>": "”"} | {
    f"<{slash}{name}>": "~~" for name in ("del", "s", "strike") for slash in ("", "/")
}
_SIGN = re.compile(r"</?(?:sup|sub|q|del|s|strike)>")


def without_false_tags(markup: str, *, line: bool = False) -> str:
    """`markup` in which a "<" that begins no tag of HTML is `&lt;`: `Vec<T>`, `a<b and c>d`, `if x<y`.

    A tag has the name of an element, attributes where attributes stand, and its other half somewhere, unless it needs
    none. In a headline (`line`) nothing else is a tag: "the <head> element" speaks of one. Comments and declarations
    go. Linear in the length of `markup`.
    """
    if "<" not in markup:
        return markup
    opened = {name.lower() for name in _OPENED.findall(markup)}
    closed = {name.lower() for name in _CLOSED.findall(markup)}
    last_comment, kept, at = markup.rfind("-->"), [], 0
    while (start := markup.find("<", at)) >= 0:
        kept.append(markup[at:start])
        if markup.startswith("<!--", start) and start + 4 <= last_comment:
            at = markup.index("-->", start + 4) + 3
        elif found := _DECLARATION.match(markup, start):
            at = found.end()
        elif found := _TAG.match(markup, start):
            glued = start > 0 and markup[start - 1].isalnum()
            whole, at = found[0], found.end()
            kept.append(whole if _is_tag(found, opened, closed, glued=glued, line=line) else whole.replace("<", "&lt;"))
        else:
            kept.append("&lt;")
            at = start + 1
    return "".join((*kept, markup[at:]))


def has_tags(markup: str) -> bool:
    """Is there anything in a headline that is a tag of HTML?"""
    return without_false_tags(markup, line=True).count("<") > 0


def spelled(sanitised: str) -> str:
    """HTML without `sup`, `sub`, `q` and `del`, whose meaning is told by signs: 10¹², H₂O, x^k, ~~old~~.

    `sanitised` is HTML in which these elements have no attributes. Linear in its length.
    """
    told = _RAISED.sub(lambda found: raised(found[1]), sanitised)
    told = _LOWERED.sub(lambda found: lowered(found[1]), told)
    return _SIGN.sub(lambda found: _SIGNS.get(found[0], ""), told)


def raised(words: str) -> str:
    """An exponent or what else stands above the line, in characters: ¹², ⁿ, ™, "st" of 1st, else ^k or ^(k+m)."""
    words = words.strip()
    if not words:
        return ""
    if set(words) <= _NUMBER or words in ("n", "i", "e", "a", "o"):
        return words.translate(_UP)
    if words.lower() in _ENDINGS:
        return words
    return _TRADE.get(words.lower()) or _bound("^", words)


def lowered(words: str) -> str:
    """An index in characters: ₂, ₙ, else _max or _(i, j)."""
    words = words.strip()
    if not words:
        return ""
    letter = len(words) == 1 and words in "aeoxhklmnpstiruvj"
    return words.translate(_DOWN) if letter or set(words) <= _NUMBER else _bound("_", words)


def _bound(sign: str, words: str) -> str:
    return f"{sign}{words}" if words.isalnum() else f"{sign}({words})"


def _is_tag(found: re.Match[str], opened: set[str], closed: set[str], glued: bool, line: bool) -> bool:
    name, attributes = found[2].lower(), found[3].strip().rstrip("/").strip()
    paired = name in opened and name in closed
    if name not in _ELEMENTS:
        # MathML, SVG and elements of others (o:p, g-emoji).
        strange = name in _FOREIGN or ":" in name or "-" in name
        return strange and (paired or (bool(attributes) and _are_attributes(attributes)))
    if found[1]:
        return not attributes and (paired or not line)
    if attributes:
        return found[3][:1].isspace() and _are_attributes(attributes)
    if paired or name in _BREAKS:
        return True
    if line or name in _VOID:
        return False
    return name in BLOCKS or (len(name) > 1 and not glued)


def _are_attributes(written: str) -> bool:
    parts = "=".join(part.strip() for part in _QUOTED.sub('"', written).split("=")).split()
    return all(map(_is_attribute, parts))


def _is_attribute(part: str) -> bool:
    name, equals, value = part.partition("=")
    if not equals:
        return name.lower() in _ALONE
    known = name[:1].isalpha() and name.replace("-", "").replace(":", "").replace("_", "").replace(".", "").isalnum()
    return known and (len(name) > 1 or value.startswith('"'))
