"""Commands around data sets, and ``doctor``."""

import json
from typing import Annotated, Any

import typer

from divekit.cli.frame import (
    Json,
    command,
    data_app,
    guarded,
)

DataName = Annotated[str | None, typer.Argument(help="One data set only.", metavar="[NAME]")]


@data_app.command("list")
@guarded
def data_list(name: DataName = None, json_: Json = False) -> None:
    """List the data sets' files: where they are, and whether they are whole."""
    from divekit.report import data_rows

    _show_data(data_rows(name), json_)


@data_app.command("get")
@guarded
def data_get(name: Annotated[str, typer.Argument(help="A data set.", metavar="NAME")]) -> None:
    """Fetch a data set's files that are not here yet."""
    from divekit.data import DATA_SETS, Archive, fetch, fetch_folder
    from divekit.report import data_rows

    data_rows(name)  # an unknown name is an error that suggests the nearest
    for remote in DATA_SETS[name].files:
        fetch_folder(remote) if isinstance(remote, Archive) else fetch(remote)
    _show_data(data_rows(name), json_=False)


@data_app.command("verify")
@guarded
def data_verify(name: DataName = None, json_: Json = False) -> None:
    """Check files by size and SHA-256; exit code 3 when one that is here is not a known form."""
    from divekit.errors import BadDataError
    from divekit.report import data_rows

    rows = data_rows(name)
    _show_data(rows, json_)
    wrong = [
        f"{row['path']} ({row['state']})"
        for row in rows
        if row["state"] in ("damaged", "unknown form")
    ]
    if wrong:
        raise BadDataError(f"not as it should be: {', '.join(wrong)}")


def _show_data(rows: list[dict[str, Any]], json_: bool) -> None:
    if json_:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        where = f"  {row['path']}" if row["path"] else ""
        typer.echo(f"{row['data']:<22}{row['state']:<21}{row['file']}{where}".rstrip())


@command
def doctor(json_: Json = False) -> None:
    """Show versions, devices, precision, threads and caches, and what to mend."""
    from divekit.doctor import examine
    from divekit.report import info_text

    found = examine()
    typer.echo(json.dumps(found) if json_ else info_text(found))
