"""Convert the config of Fivetran's Spotify Ads connector to this tap's."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from tap_adstage.config.spotify_ads import SPOTIFY_ADS
from tap_adstage.exceptions import ConfigError
from tap_adstage.fivetran import convert
from tap_adstage.runtime import private_file
from tap_adstage.sources import source_type

if TYPE_CHECKING:
    from typing import TextIO

    from tap_adstage.fivetran import Conversion


@click.command()
# utf-8-sig reads files with and without a byte order mark.
@click.argument("connection", metavar="CONFIG", type=click.File(encoding="utf-8-sig"))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, readable by you alone (mode 0600); stdout by default.",
)
@click.option(
    "--to",
    type=click.Choice(["spotify_ads", "adstage"]),
    default="spotify_ads",
    show_default=True,
    help="Source that the tap reads: Spotify itself, or AdStage's import of it.",
)
@click.option(
    "--with-auth",
    is_flag=True,
    help="Write the credentials to stdout too; with --to adstage also to a file, and "
    "they must be AdStage's.",
)
def main(
    connection: TextIO,
    output: Path | None,
    to: Literal["spotify_ads", "adstage"],
    *,
    with_auth: bool,
) -> None:
    """Write this tap's config for the Fivetran connection in CONFIG.

    CONFIG is a JSON file, or - for stdin. It holds a connection of the service
    spotify_ads as Fivetran's REST API answers it, or its config alone. Each dropped or
    changed item is a line on stderr.
    """
    try:
        conversion = convert(
            _json(connection),
            to=to,
            now=dt.datetime.now(dt.timezone.utc),
            stream_names=source_type({"source": to}).tables,
            auth="require" if with_auth else "drop" if output is None else "keep",
        )
        _write(json.dumps(conversion.config, indent=2) + "\n", output)
    except ConfigError as error:
        raise click.ClickException("\n".join(error.errors)) from error
    for line in (*conversion.dropped, *conversion.changed):
        click.echo(line, err=True)
    click.echo(_summary(conversion), err=True)
    if to == SPOTIFY_ADS or not with_auth:
        click.echo(_next_step(conversion, to, output or "FILE"), err=True)


def _next_step(conversion: Conversion, to: str, file: Path | str) -> str:
    if "refresh_token" in conversion.config:
        return f"Test it: tap-adstage --config {file} --test"
    variables = (
        "TAP_ADSTAGE_ACCESS_TOKEN to your AdStage token, or TAP_ADSTAGE_CLIENT_ID, "
        "TAP_ADSTAGE_CLIENT_SECRET and TAP_ADSTAGE_REFRESH_TOKEN"
        if to == "adstage"
        else "TAP_ADSTAGE_CLIENT_ID, TAP_ADSTAGE_CLIENT_SECRET and "
        "TAP_ADSTAGE_REFRESH_TOKEN to those of your Spotify application"
    )
    return (
        f"The config has no credentials. Set {variables}, and run: tap-adstage "
        f"--config {file} --config=ENV"
    )


def _summary(conversion: Conversion) -> str:
    reports = _count(len(conversion.config["reports"]), "report")
    dropped = _count(len(conversion.dropped), "item")
    return f"{reports} written; {dropped} dropped, {len(conversion.changed)} changed"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else f'{noun}s'}"


def _json(file: TextIO) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise click.ClickException(
            f"{file.name}: not a single valid JSON document ({error})"
        ) from error


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        private_file.write(output, text)
    except OSError as error:
        raise click.ClickException(
            f"--output: could not write {output} ({error.strerror})"
        ) from error


if __name__ == "__main__":
    main()
