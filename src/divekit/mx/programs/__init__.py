"""Programs written for MXNet, run and explained: notebooks, scripts, chapters in Markdown."""

from divekit.mx.programs.explain import explain
from divekit.mx.programs.notebooks import Report, run_notebook
from divekit.mx.programs.scripts import run_script

__all__ = ["Report", "explain", "run_notebook", "run_script"]
