"""Teaches a Jinja2 environment a language: `{% trans %}` and `_()` look their keys up in its catalogue, and a phrase
that comes in from the code is said in it. Where a template escapes, keys are HTML and what is put into them is not.
"""

from collections.abc import Callable
from typing import Any, cast

from jinja2 import Environment, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from app.core.language import Language, Phrase

Finalize = Callable[[Any], Any]


def teach(environment: Environment, language: Language) -> None:
    """Makes every template of `environment` speak `language`; what it did to each printed value comes after."""
    environment.policies["ext.i18n.trimmed"] = True
    environment.add_extension("jinja2.ext.i18n")
    environment.globals.update(language=language, **_functions(language))
    # Values by keyword, not by % of the template: so the code that Jinja2 makes of a block calls our functions.
    vars(environment)["newstyle_gettext"] = True
    environment.finalize = _saying(language, cast("Finalize | None", environment.finalize))


def _saying(language: Language, after: Finalize | None) -> Finalize:
    def finalize(value: Any) -> Any:
        said = value.in_(language) if isinstance(value, Phrase) else value
        return after(said) if after else said

    return finalize


def _functions(language: Language) -> dict[str, Callable[..., str]]:
    @pass_eval_context
    def text(context: EvalContext, key: str, /, **values: Any) -> str:
        return _filled(language, context, language.text(key), values)

    @pass_eval_context
    def form(context: EvalContext, one: str, many: str, num: int, /, **values: Any) -> str:
        return _filled(language, context, language.form(one, many, num), {"num": num, **values})

    return {"_": text, "gettext": text, "ngettext": form}


def _filled(language: Language, context: EvalContext, text: str, values: dict[str, Any]) -> str:
    said = {name: value.in_(language) if isinstance(value, Phrase) else value for name, value in values.items()}
    return (Markup(text) if context.autoescape else text) % said  # noqa: S704  # a catalogue is code of ours
