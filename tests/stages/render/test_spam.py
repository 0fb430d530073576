"""The finished mails before SpamAssassin, with its tests of networks off: no rule on the content is worth half a point.

Debian's `spamassassin`. Without it the tests are skipped, but in CI they fail.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

from app.core.languages import available
from app.core.mail.template import MailTemplate, Slot
from app.models.states import MailForm
from app.stages.render import letters, message, mjml, text, transactional
from tests.stages.render import sample
from tests.stages.render.test_message import addressed

MOST = 0.5
_SCORE = re.compile(rb"([A-Z0-9_]+)=(-?[0-9.]+)")
LINKED = tuple(letters._WORDS)
MISSING = "spamassassin is not installed: apt-get install spamassassin"
VALUES = {
    Slot.CONFIRM: "https://post.example.org/confirm/AQAAAAAAAGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6",
    Slot.EDITION: "https://post.example.org/editions/2026-11-20",
    Slot.OTHER_ADDRESS: "grace@example.org",
    Slot.LINK: "https://post.example.org/privacy/AQAAAAAAAGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6",
}


def edition(form: MailForm) -> MailTemplate:
    """All sections."""
    content = sample.full()
    return message.edition_template(
        sample.PAPER,
        subject=content.subject,
        slug=sample.SLUG,
        html=mjml.edition_html(content, sample.PAPER, sample.SLUG, sample.MARK),
        text=text.edition_text(content, sample.PAPER, sample.SLUG, sample.MARK),
        form=form,
    )


def sent(template: MailTemplate) -> bytes:
    return addressed(template, **{name.value: VALUES[name] for name in template.slots if name in VALUES}).as_bytes()


@cache
def mails() -> Mapping[str, bytes]:
    """Every kind of mail, in every language."""
    made = {f"edition {form.value}": edition(form) for form in MailForm}
    for language in available():
        tag = language.tag
        made[f"confirmation {tag}"] = transactional.confirmation_template(sample.PAPER, language)
        made[f"reminder {tag}"] = transactional.confirmation_template(sample.PAPER, language, reminder=True)
        made[f"welcome {tag}"] = transactional.welcome_template(sample.PAPER, language, with_edition=True)
        for kind in LINKED:
            made[f"{kind} {tag}"] = transactional.linked_template(sample.PAPER, kind, language)
    return {name: sent(template) for name, template in made.items()}


def scores(raw: Iterable[bytes], folder: Path) -> list[dict[str, float]]:
    """The rules that each mail meets, with their points."""
    program = shutil.which("spamassassin")
    if program is None:
        if os.environ.get("CI", "").lower() in ("", "0", "false"):
            pytest.skip(MISSING)
        pytest.fail(MISSING, pytrace=False)
    files = []
    for number, mail in enumerate(raw):
        files.append(folder / f"{number:03}.eml")
        files[-1].write_bytes(mail)
    options = ["--local", "--nocreate-prefs", "--cf=add_header all Tests _TESTSSCORES(,)_", "--cf=report_safe 0"]
    done = subprocess.run(
        [program, *options, *files],
        capture_output=True,
        check=True,
        env={**os.environ, "HOME": str(folder)},
        timeout=100,
    )
    said = re.findall(rb"^X-Spam-Tests:((?:.*\n)(?:[ \t].*\n)*)", done.stdout, re.MULTILINE)
    assert len(said) == len(files), done.stderr.decode()
    return [{rule.decode(): float(points) for rule, points in _SCORE.findall(b"".join(one.split()))} for one in said]


def test_no_rule_on_the_content_is_worth_half_a_point(tmp_path: Path) -> None:
    """Whoever runs this with -s sees all the rules and their points."""
    found = dict(zip(mails(), scores(mails().values(), tmp_path), strict=True))
    for name, points in found.items():
        told = ", ".join(f"{rule} {score:g}" for rule, score in points.items())
        print(f"{name}: {sum(points.values()):.1f} {told}")  # noqa: T201  # for whoever looks
    heavy = {name: {rule: score for rule, score in points.items() if score > MOST} for name, points in found.items()}
    assert {name: rules for name, rules in heavy.items() if rules} == {}
    assert all("HTML_MESSAGE" in points for name, points in found.items() if name != "edition text"), "no rule was run"


def test_the_filter_would_say_so(tmp_path: Path) -> None:
    """Words in the colour of the paper cost more, and an offer of millions much more."""
    good = mails()["edition html"]
    pale = good.replace(b"<body", b'<body><p style=3D"color:#FBFBF8;background:#FBFBF8">hidden words</p><x', 1)
    offer = good.replace(b"Subject: ", b"Subject: URGENT CASH PRIZE $1,000,000!!! ", 1)
    assert pale != good
    for one in scores([pale, offer], tmp_path):
        assert max(one.values()) > MOST, one


def test_every_kind_of_letter_is_among_them() -> None:
    """A new template is put before the filter too."""
    known = {name for name in vars(transactional) if name.endswith("_template")}
    assert known == {"confirmation_template", "welcome_template", "linked_template"}
    assert len(LINKED) >= 4
