"""The `morningpost` command. One file a group; exit code 0 done, 1 it failed, 2 it was asked for wrongly."""

import sys
from collections.abc import Sequence
from pathlib import Path

from app.cli.app import cli
from app.cli.terminal import complain
from app.core.errors import ConfigurationError, MorningPostError, Refused
from app.core.private_files import private_from_now_on
from app.core.text import escaped, is_clean


def main() -> None:
    """Runs the command line; every error leaves as a sentence on standard error."""
    private_from_now_on()
    try:
        _demand_clean(sys.argv[1:])
        cli()
    except (ConfigurationError, Refused) as error:
        complain(str(error))
        sys.exit(2)
    except MorningPostError as error:
        complain(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _demand_clean(words: Sequence[str]) -> None:
    """Whatever a word is for, no text of ours has control characters, or bytes that are no UTF-8; a file's name may."""
    for word in words:
        if not is_clean(word, lines=True) and not Path(word).exists():
            raise Refused(f"{escaped(word)} has control characters in it, or is not UTF-8.")


__all__ = ["main"]
