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


def read_program(path: Path, tab: str = "mxnet") -> list[ProgramCell]:
    """Read a program's cells.

    Fences of another language than Python, and those tagged for another framework than
    ``tab``, stay text. Fences without a tag are MXNet's where ``tab`` is that, or where no fence
    has a tag: a chapter for several frameworks leaves its first one's untagged.

    Raises:
        UsageError: there is no such file, it is of another kind, or it has listings for other
            frameworks only.
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
        return _of_markdown(text, path, tab)
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


def _of_markdown(text: str, path: Path, tab: str) -> list[ProgramCell]:
    from markdown_it import MarkdownIt

    lines = text.splitlines()
    cells: list[ProgramCell] = []
    begun = 0
    fences = [
        (token, _frameworks(token.content))
        for token in MarkdownIt().parse(text)
        if token.type == "fence" and token.map and _PYTHON.match(token.info.strip())
    ]
    others = sorted(set().union(*(tabs for _, tabs in fences)) - {"all"})
    untagged_too = tab == "mxnet" or not others
    ours = [it for it in fences if {tab, "all"} & it[1] or (untagged_too and not it[1])]
    if others and not any(tab in tabs or not tabs for _, tabs in ours):
        mxnets = ["mxnet"] if not all(tabs for _, tabs in fences) else []
        ways = " or ".join(f"--tab {one}" for one in sorted({*others, *mxnets}))
        raise UsageError(f"{path} has no listings for {tab}; its others run with {ways}")
    for token, _ in ours:
        assert token.map is not None
        first, last = token.map
        cells += _prose(lines[begun:first], begun)
        cells.append(ProgramCell("code", token.content, first + 2))
        begun = last
    return cells + _prose(lines[begun:], begun)


def _frameworks(listing: str) -> set[str]:
    """Give the frameworks that a listing is tagged for; none where it has no tag."""
    tag = _TAB.match(listing)
    return set(re.split(r"[\s,]+", tag["frameworks"].strip())) if tag else set()


def _prose(lines: list[str], begun: int) -> list[ProgramCell]:
    text = "\n".join(lines).strip("\n")
    return [ProgramCell("markdown", text, begun + 1)] if text.strip() else []
