"""The dbt project of the example, as far as it can be judged without a database."""

from __future__ import annotations

import re

import yaml
from harness.paths import ROOT

from tap_adstage.config.spotify_ads import FIELDS
from tap_adstage.sandbox.world.metrics import METRICS

MODELS = ROOT / "examples" / "dbt"
PAGE = (ROOT / "docs" / "models.md").read_text()
WORDS = "words_of_what_does_not_add_up"
VARIABLES = yaml.safe_load((MODELS / "dbt_project.yml").read_text())["vars"]


def is_refused(name: str) -> bool:
    """Whether a metric of that name is refused as an extra metric."""
    return not {*name.lower().split("_")}.isdisjoint(VARIABLES[WORDS])


def test_metrics_that_do_not_add_up_are_refused_by_their_names() -> None:
    assert [name for name in FIELDS if is_refused(name)] == [
        name for name, field in FIELDS.items() if not field.is_additive
    ]
    counted = {
        name: metric.below is None and name != "reach"
        for name, metric in METRICS.items()
        if ":" not in name  # these take a name of the user's own
    }
    assert {name: not is_refused(name) for name in counted} == counted
    # Words of the networks, which an organization's own metrics use, and meta fields.
    for name in ("unique_clicks", "search_impression_share", "average_position"):
        assert is_refused(name)
    for name in ("quality_score_float", "budget_value", "bid_float"):
        assert is_refused(name)


def test_the_default_metrics_add_up() -> None:
    for source in ("adstage", "spotify_ads"):
        assert not any(map(is_refused, VARIABLES[f"{source}_extra_metrics"]))


def test_an_extra_metric_that_a_table_lacks_is_named_with_its_table() -> None:
    staging = [*(MODELS / "models" / "staging").glob("*/*_performance.sql")]
    assert len(staging) == 6
    for path in staging:
        source, table = path.stem.removeprefix("stg_").split("__")
        text = path.read_text()
        assert f"typed_extra_metrics('{source}', '{table}')" in text
        assert f"source('{source}', '{table}')" in text


def test_the_page_lists_every_table_and_every_variable() -> None:
    models = [*(MODELS / "models" / "marts").glob("*.sql")]
    snapshots = [*(MODELS / "snapshots").glob("*.yml")]
    assert len(models) == 6
    for name in [*VARIABLES.keys() - {WORDS}, *(p.stem for p in models + snapshots)]:
        assert re.search(rf"^\| .*`{name}`.* \|$", PAGE, re.MULTILINE), name


def test_the_pins_of_dbt_name_no_address_and_every_version() -> None:
    lines = (MODELS / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 40
    for line in pins:
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", line), line
