"""Turn the config of Fivetran's Spotify Ads connector into one of this tap."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tap_adstage.adstage.resources import RESOURCE_STREAMS
from tap_adstage.exceptions import ConfigError
from tap_adstage.fivetran import convert
from tap_adstage.runtime import private_file

if TYPE_CHECKING:
    from typing import TextIO


@click.command()
# utf-8-sig takes a byte order mark as well as none.
@click.argument("connection", metavar="CONFIG", type=click.File(encoding="utf-8-sig"))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, for you alone (mode 0600); stdout where not given.",
)
@click.option(
    "--with-auth",
    is_flag=True,
    help="Write the credentials too. They have to be AdStage's, not Spotify's.",
)
def main(connection: TextIO, output: Path | None, *, with_auth: bool) -> None:
    """Write this tap's config for the Fivetran connection in CONFIG.

    CONFIG is a JSON file, or - for stdin: a connection of the service spotify_ads as
    Fivetran's REST API answers it, or its config alone. What has no counterpart is
    said on stderr, one line each.
    """
    try:
        made = convert(
            _json(connection),
            now=dt.datetime.now(dt.timezone.utc),
            stream_names=RESOURCE_STREAMS,
            with_auth=with_auth,
        )
        _write(json.dumps(made.config, indent=2) + "\n", output)
    except ConfigError as error:
        raise click.ClickException("\n".join(error.errors)) from error
    for line in (*made.lost, *made.differing):
        click.echo(line, err=True)
    reports = len(made.config["reports"])
    click.echo(
        f"{reports} {'report' if reports == 1 else 'reports'} made; {len(made.lost)} "
        f"without counterpart, {len(made.differing)} that differ",
        err=True,
    )
    if not with_auth:
        click.echo(
            "The config has no credentials. Set TAP_ADSTAGE_ACCESS_TOKEN to AdStage's "
            "token, or TAP_ADSTAGE_CLIENT_ID, TAP_ADSTAGE_CLIENT_SECRET and "
            "TAP_ADSTAGE_REFRESH_TOKEN, and run: tap-adstage --config "
            f"{output or 'FILE'} --config=ENV",
            err=True,
        )


def _json(file: TextIO) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise click.ClickException(
            f"{file.name}: is no whole JSON document ({error})"
        ) from error


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        private_file.write(output, text)
    except OSError as error:
        raise click.ClickException(
            f"--output: {output} can't be written ({error.strerror})"
        ) from error


if __name__ == "__main__":
    main()
