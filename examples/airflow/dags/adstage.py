"""Loads the extractor `ads` into Postgres every morning, in shards of the accounts.

docs/scale-out.md lists what the DAG needs: a Meltano project with the plugins
installed, and a few of Airflow's connections and variables.
"""

from __future__ import annotations

import datetime as dt

from airflow.sdk import Variable, dag, task

COMMAND = {
    "env": {
        "MELTANO_PROJECT_ROOT": "{{ var.value.adstage_project }}",
        "TAP_ADSTAGE_ACCESS_TOKEN": "{{ conn.adstage.password }}",
        # The time that the run is due, not the time that it starts, so that a repeated
        # run asks for the same days.
        "TAP_ADSTAGE_AS_OF": (
            "{{ (dag_run.data_interval_end or dag_run.run_after).isoformat() }}"
        ),
        "TARGET_POSTGRES_HOST": "{{ conn.adstage_warehouse.host }}",
        "TARGET_POSTGRES_PORT": "{{ conn.adstage_warehouse.port or 5432 }}",
        "TARGET_POSTGRES_USER": "{{ conn.adstage_warehouse.login }}",
        "TARGET_POSTGRES_PASSWORD": "{{ conn.adstage_warehouse.password }}",
        "TARGET_POSTGRES_DATABASE": "{{ conn.adstage_warehouse.schema }}",
    },
    "append_env": True,
}


@dag(
    schedule="0 6 * * *",
    start_date=dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc),
    # The bookmarks catch up: the next run fetches all days since the last one.
    catchup=False,
    # Two runs of one shard would load the same days twice.
    max_active_runs=1,
    default_args={
        "retries": 3,
        # For five minutes, Meltano takes a killed run for one that is running, and
        # refuses a retry. A run that is really running should make it refuse.
        "retry_delay": dt.timedelta(minutes=6),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": dt.timedelta(hours=1),
    },
)
def adstage() -> None:
    """Create the tables, then load all shards."""

    @task
    def shards() -> list[str]:
        count = int(Variable.get("adstage_shards", default=4))
        return [f"{number}/{count}" for number in range(1, count + 1)]

    # Loaders that start at the same time without a table all try to create it, and all
    # but one fail.
    @task.bash(**COMMAND)
    def tables() -> str:
        return (
            "schemas=$(meltano invoke ads --test=schema) && "
            'meltano invoke target-postgres <<< "$schemas"'
        )

    # `meltano el` gives each run its own folder, while concurrent runs of `meltano run`
    # overwrite each other's catalog and state.
    @task.bash(**COMMAND, max_active_tis_per_dagrun=4, map_index_template="{{ shard }}")
    def load(shard: str) -> str:
        number, _, _ = shard.partition("/")
        return (
            f"TAP_ADSTAGE_SHARD={shard} meltano el --state-id adstage-shard-{number} "
            "ads target-postgres"
        )

    tables() >> load.expand(shard=shards())


adstage()
