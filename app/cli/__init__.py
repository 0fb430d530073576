"""The `morningpost` command. One file a group; exit code 0 done, 1 it failed, 2 it was asked for wrongly."""

import sys

from app.cli.app import cli
from app.cli.terminal import complain
from app.core.errors import ConfigurationError, MorningPostError, Refused
from app.core.private_files import private_from_now_on


def main() -> None:
    """Runs the command line; every error leaves as a sentence on standard error."""
    private_from_now_on()
    try:
        cli()
    except (ConfigurationError, Refused) as error:
        complain(str(error))
        sys.exit(2)
    except MorningPostError as error:
        complain(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


__all__ = ["main"]
