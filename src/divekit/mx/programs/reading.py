"""Programs as cells, whatever file they come in: a notebook, Markdown with fences, a script."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from divekit.errors import BadDataError, UsageError

KINDS = (".ipynb", ".md", ".py")

# ```python, ```{.python .input  n=4}, ```ipython3, ```{code-cell} ipython3
_PYTHON = re.compile(r"\{?\.?(?:code-cell\}\s*)?i?(?:python3?|py)\b", re.IGNORECASE)
# A chapter for several frameworks says for which a listing is: #@tab pytorch, tensorflow
_TAB = re.compile(r"\A\s*#\s*@tab\s+(?P<frameworks>[^\n]*)\n?")


@dataclass
class ProgramCell:
    """One cell of a program."""

    kind: Literal["markdown", "code"]
    text: str
    line: int | None = None
    """Line of the file on which the text begins, from 1; None in notebooks, which have none."""


def read_program(path: Path) -> list[ProgramCell]:
    """Read a program's cells.

    Fences of another language than Python, and those tagged for another framework than
    MXNet, stay text.

    Raises:
        UsageError: there is no such file, or it is of another kind.
        BadDataError: the file is not what its ending says.
    """
    if path.suffix.lower() not in KINDS:
        raise UsageError(f"{path} is none of {', '.join(KINDS)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise UsageError(f"there is no file {path}") from None
    except OSError as error:
        raise BadDataError(f"{path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadDataError(f"{path} is not text in UTF-8: byte {error.start}") from error
    if path.suffix.lower() == ".ipynb":
        return _of_notebook(text, path)
    if path.suffix.lower() == ".md":
        return _of_markdown(text)
    return [ProgramCell("code", text, 1)]


def _of_notebook(text: str, path: Path) -> list[ProgramCell]:
    try:
        content = json.loads(text)
        if "worksheets" in content:  # the format before 2015
            found = [cell for sheet in content["worksheets"] for cell in sheet["cells"]]
        else:
            found = content["cells"]
        return [_of_json(cell) for cell in found]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadDataError(f"{path} is not a notebook: {error!r}") from error


def _of_json(cell: dict[str, object]) -> ProgramCell:
    source = cell["source"] if "source" in cell else cell["input"]
    if isinstance(source, list):
        source = "".join(source)
    if not isinstance(source, str):
        raise TypeError(f"the source of a cell is {type(source).__name__}")
    source.encode()  # JSON may hold halves of letters, which no file and no terminal takes
    # Lines end here as Python ends them, so that its line numbers are ours.
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if cell["cell_type"] == "code":
        return ProgramCell("code", source)
    return ProgramCell("markdown", source)


def _of_markdown(text: str) -> list[ProgramCell]:
    from markdown_it import MarkdownIt

    lines = text.splitlines()
    cells: list[ProgramCell] = []
    begun = 0
    for token in MarkdownIt().parse(text):
        if token.type != "fence" or token.map is None or not _PYTHON.match(token.info.strip()):
            continue
        tab = _TAB.match(token.content)
        if tab and not {"mxnet", "all"} & set(re.split(r"[\s,]+", tab["frameworks"].strip())):
            continue
        first, last = token.map
        cells += _prose(lines[begun:first], begun)
        cells.append(ProgramCell("code", token.content, first + 2))
        begun = last
    return cells + _prose(lines[begun:], begun)


def _prose(lines: list[str], begun: int) -> list[ProgramCell]:
    text = "\n".join(lines).strip("\n")
    return [ProgramCell("markdown", text, begun + 1)] if text.strip() else []
