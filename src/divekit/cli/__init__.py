"""The command line: words mapped to functions. Torch is imported only by commands that compute."""

# Importing a file of commands adds them to the application, in the order of --help.
from divekit.cli import book, runs, data  # isort: skip  # noqa: F401
from divekit.cli.frame import app, main

__all__ = ["app", "main"]
