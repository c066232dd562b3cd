"""The command line: arguments in, exit code out. What commands do stands elsewhere."""

from __future__ import annotations

import sys

import click

from personalake import commands
from personalake.console import INTERRUPTED
from personalake.errors import ConfigError


def main(arguments: list[str] | None = None) -> None:
    """Entry point: ends the process with the command's exit code."""
    try:
        code = commands.cli.main(args=arguments, prog_name="personalake", standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.Abort:
        code = INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = ConfigError.exit_code
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
