"""What ``divekit list`` and ``divekit info`` say, as plain data and as text."""

import inspect
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from divekit import book
from divekit.errors import UsageError, unknown_name

PACKAGE = Path(__file__).parent
SHOWN = {
    "planned": "planned",
    "sample": "runs on its sample",
    "real": "shown in full",
}


def list_rows(chapter: int | None = None) -> list[dict[str, Any]]:
    """Give a row for each section, of one chapter or of all."""
    known = {str(item.number) for item in book.chapters()}
    if chapter is not None and str(chapter) not in known:
        raise unknown_name("chapter", str(chapter), known)
    return [
        {
            "chapter": item.number,
            "chapter_title": item.title,
            "number": section.number,
            "title": section.title,
            "shown": section.shown,
            "proven": section.proven,
            "recipes": list(section.recipes),
            "data": list(section.data),
        }
        for item in book.chapters()
        if chapter is None or item.number == chapter
        for section in item.sections
    ]


def list_text(rows: list[dict[str, Any]]) -> str:
    """Write rows by chapter, with how far each section has been shown and what it runs."""
    lines: list[str] = []
    chapter = None
    for row in rows:
        if row["chapter"] != chapter:
            chapter = row["chapter"]
            lines += ["", f"{chapter} {row['chapter_title']}"]
        line = f"  {row['number']:<6}{row['title'][:56]:<58}{SHOWN[row['shown']]}"
        if row["recipes"]:
            line += f": {', '.join(row['recipes'])} on {', '.join(row['data'])}"
        lines.append(line)
    ready = sum(row["shown"] != "planned" for row in rows)
    lines += ["", f"{ready} of {len(rows)} sections can be run: divekit run NUMBER [--sample]"]
    return "\n".join(lines[1:])


def info(name: str, settings: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Say what a section, a recipe, a data set or a name of d2l is. Nothing is downloaded.

    ``csv:FILE`` and ``images:FOLDER`` are read, with ``settings`` of theirs given as text
    (``data.label``), and it is said what training would make of them. A recipe is described as it
    is with ``settings`` of its own (``depth=16``), those that ``runs.build`` takes.
    """
    from divekit.data import DATA_SETS, OWN_DATA
    from divekit.recipes import RECIPES

    if name.split(":")[0] in OWN_DATA:
        return _own_data(name, settings or {})
    if name in RECIPES:
        return _recipe(name, settings or {})
    if settings:
        raise UsageError(
            f"{next(iter(settings))}: settings go with a recipe, csv:FILE or images:FOLDER"
        )
    numbers = [section.number for section in book.sections()]
    if name in numbers:
        return _section(book.find(name))
    if name in DATA_SETS:
        return _data_set(name)
    if name == "d2l" or name.startswith("d2l."):
        return _name_of_d2l(name)
    raise unknown_name("section, recipe or data set", name, [*RECIPES, *DATA_SETS, *numbers])


def info_text(facts: dict[str, Any]) -> str:
    """Write what ``info`` gave, a line for each entry."""
    lines = []
    for name, value in facts.items():
        if value in ("", [], {}, None):
            continue
        if name == "layers":
            from divekit.evaluate import layer_table

            value = layer_table(value)
        if isinstance(value, dict):
            value = [f"{key} = {item}" for key, item in value.items()]
        if isinstance(value, list):
            lines += [
                f"{name + ':' if number == 0 else '':<12}{item}"
                for number, item in enumerate(value)
            ]
        else:
            lines.append(f"{name + ':':<12}{value}")
    return "\n".join(lines)


def _section(section: book.Section) -> dict[str, Any]:
    ready = section.shown != "planned"
    return {
        "section": section.number,
        "title": section.title,
        "shown": SHOWN[section.shown],
        "proven": section.proven,
        "recipes": list(section.recipes),
        "models": list(section.models),
        "data": list(section.data),
        "errata": list(section.errata),
        "time": "hours without a GPU; seconds with --sample" if section.gpu else "",
        "script": _short_path(book.script_path(section)) if ready else "",
        "run": [f"divekit run {section.number}", f"divekit notebook {section.number}"]
        if ready
        else [],
    }


def _name_of_d2l(name: str) -> dict[str, Any]:
    """Say what divekit has for a name of the book's package; for ``d2l``, for all of them."""
    from divekit.d2l.homes import HOMES, find

    if name == "d2l":
        homes = {f"d2l.{item.name}": item.home for item in HOMES.values() if item.home}
        return {"in divekit": homes}
    home = find(name)
    place = "divekit.d2l.mxnet and divekit.d2l.torch"
    return {
        "name": f"d2l.{home.name}",
        "section": f"{home.section} {book.find(home.section).title}" if home.section else "",
        "runs from": place if home.home else "an installed d2l: pip install 'divekit[book]'",
        "in divekit": home.home,
    }


def _short_path(path: Path) -> str:
    """Write a path of the package from the working folder, else from where the package lies."""
    folder = next(folder for folder in (Path.cwd(), PACKAGE.parent) if path.is_relative_to(folder))
    return path.relative_to(folder).as_posix()


def _recipe(name: str, texts: Mapping[str, str]) -> dict[str, Any]:
    import torch

    from divekit.evaluate import summarise
    from divekit.recipes import RECIPES
    from divekit.runs import build

    function = RECIPES[name]
    recipe = build(name, texts)
    data = cast(Any, recipe.data)
    facts = data.facts
    model = recipe.model(facts)
    summary = summarise(model, torch.empty(1, *facts.input_shape))
    settings = {
        key: parameter.default for key, parameter in inspect.signature(function).parameters.items()
    } | {f"data.{key}": value for key, value in asdict(data).items()}
    settings |= {key: value for key, value in recipe.overrides.items() if key != "data"}
    return {
        "recipe": name,
        "about": inspect.getdoc(function),
        "sections": [item.number for item in book.sections() if name in item.recipes],
        "data": f"{data.name}: {data.card.about}",
        "model": f"{type(model).__module__}.{type(model).__name__}",
        "parameters": f"{summary.parameters:,}",
        "FLOPs": f"{summary.flops:,} forward, for one input; a product and a sum are two",
        "input": "batch x " + " x ".join(str(size) for size in facts.input_shape),
        "layers": summary.to_json(),
        "goals": [str(goal) for goal in recipe.goals],
        "settings": settings,
        "on sample": getattr(function, "on_sample", {}),
        "run": [f"divekit train {name}", f"divekit train {name} epochs=1 --sample"],
    }


def _data_set(name: str) -> dict[str, Any]:
    from divekit.data import DATA_SETS

    kind: Any = DATA_SETS[name]
    settings = kind()
    card = kind.card
    return {
        "data set": name,
        "title": card.title,
        "about": card.about,
        "shapes": card.shapes,
        "classes": ", ".join(settings.facts.class_names),
        "size": card.size,
        "licence": card.licence,
        "source": card.source,
        "sample": settings.sample().name,
        "settings": asdict(settings),
        "sections": [item.number for item in book.sections() if name in item.data],
    }


def _own_data(name: str, settings: Mapping[str, str]) -> dict[str, Any]:
    from divekit.data import Table
    from divekit.runs import own_data
    from divekit.suited import kind_of, suited

    data = own_data(name, settings)
    if data is None:
        raise UsageError(f"{name}: write csv:FILE or images:FOLDER")
    first, *lines = data.describe()
    about: dict[str, Any] = {"data": first, "found": [line.strip() for line in lines]}
    if isinstance(data, Table) and not data.label:
        return about | {"next": f"divekit info {name} data.label=COLUMN, the one to predict"}
    facts = data.facts
    recipes = suited(facts)
    label = f" data.label={data.label}" if isinstance(data, Table) else ""
    return about | {
        "becomes": kind_of(facts),
        "recipes": recipes,
        "train": shlex.join(["divekit", "train", recipe, f"data={name}", *label.split(" ", 1)[1:]])
        if (recipe := next(iter(recipes), ""))
        else "",
    }


def data_rows(name: str | None = None) -> list[dict[str, Any]]:
    """Give a row for each file of a data set, or of all: where it is and whether it is whole.

    ``state`` is ``verified``, ``damaged`` (in the cache), ``unknown form`` (a file of the user's
    own), ``unchecked`` (a folder that the user unpacked), ``missing``, or ``nothing to download``.
    Every file that is there is read and hashed, those of unpacked archives too.
    """
    from divekit.data import DATA_SETS, Archive, locate, locate_folder

    if name is not None and name not in DATA_SETS:
        raise unknown_name("data set", name, DATA_SETS)
    rows = []
    for known, kind in DATA_SETS.items():
        if name not in (None, known):
            continue
        if not kind.files:
            rows.append({"data": known, "file": "", "state": "nothing to download", "path": ""})
        for remote in kind.files:
            found = locate_folder(remote) if isinstance(remote, Archive) else locate(remote)
            if found is None:
                state = "missing"
            elif found.verified:
                state = "verified"
            elif found.ours:
                state = "damaged"
            else:
                state = "unchecked" if found.path.is_dir() else "unknown form"
            rows.append(
                {
                    "data": known,
                    "file": f"{remote}, {remote.licence}",
                    "state": state,
                    "path": "" if found is None else str(found.path),
                }
            )
    return rows
