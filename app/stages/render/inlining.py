"""Writes the styles of `inline.css.j2` into style attributes, and takes out what a mail need not carry."""

import logging
import os
import re
from functools import cache
from typing import Any

from lxml import etree

from app.stages.render.templates import render

_CLASS = re.compile(r"\.([A-Za-z][\w-]*)")


def inline(tree: etree._Element) -> None:
    """Changes `tree`: its `style` elements stay in the head as they are; ours go into attributes."""
    for style in tree.iter("style"):
        style.set("data-premailer", "ignore")  # the reset, dark mode, phone and print
    _premailer()(
        tree,
        css_text=[_sheet()],
        disable_leftover_css=True,
        strip_important=False,
        disable_validation=True,
        allow_network=False,
        align_floating_images=False,
        disable_basic_attributes=["width", "height", "align", "valign", "bgcolor"],
        cssutils_logging_level=logging.CRITICAL,
    ).transform()
    _drop_classes(tree)
    for element in tree.iterfind(".//*[@style]"):
        element.set("style", element.get("style", "").replace("; ", ";").replace(", ", ","))


@cache
def _premailer() -> Any:
    """Loaded when it is needed: 15 MB that a process which only hands mail over does without.

    One cache serves its sheets, selectors and declarations. Our rules alone are more than its 128 entries, so that each
    rendering would push out what the next one needs, and take three times as long.
    """
    os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "2048")  # it reads the variable when it is imported
    import cssutils  # noqa: PLC0415
    from premailer import Premailer  # noqa: PLC0415

    cssutils.log.setLevel(logging.CRITICAL)  # it prints a line for every property younger than CSS 2.1
    return Premailer


@cache
def _sheet() -> str:
    return render("inline.css.j2")


def _drop_classes(tree: etree._Element) -> None:
    """Classes that only carried inlined styles are dead weight in every mail."""
    used = {name for style in tree.iter("style") for name in _CLASS.findall(style.text or "")}
    for element in tree.iterfind(".//*[@class]"):
        kept = [name for name in element.get("class", "").split() if name in used]
        if kept:
            element.set("class", " ".join(kept))
        else:
            del element.attrib["class"]
