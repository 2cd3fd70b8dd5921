"""The tap: from settings to streams."""

from __future__ import annotations

import copy
import datetime as dt
import io
import json
import logging
import os
import sys
import time
import weakref
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import (
    EMIT_ACTIVATE_VERSION_CONFIG,
    TapCapabilities,
)
from singer_sdk.mapper import PluginMapper
from singer_sdk.plugin_base import SingerCommand
from singer_sdk.tap_base import CliTestOptionValue

from tap_adstage import preflight
from tap_adstage.cli.command import tap_command
from tap_adstage.cli.fields import write_fields
from tap_adstage.config import environment, inputs, sandbox_shell, source_settings
from tap_adstage.config.batches import batch_errors
from tap_adstage.config.parsing import parse
from tap_adstage.config.setting_checks import unknown_settings
from tap_adstage.exceptions import (
    ApiError,
    ConfigError,
    IncompleteRunError,
    InputError,
    ResponseError,
    TapError,
)
from tap_adstage.http.transport import Transport
from tap_adstage.reports import bookmark
from tap_adstage.reports.bookmark import Bookmark
from tap_adstage.runtime import logs
from tap_adstage.runtime.redaction import Secrets, redact
from tap_adstage.runtime.shutdown import Stopped
from tap_adstage.runtime.statistics import FAILED, STOPPED, RunStats
from tap_adstage.sources import connect, source_type
from tap_adstage.streams.base import BaseStream
from tap_adstage.streams.batch_files import check_storage
from tap_adstage.streams.failed_stream import FailedStream
from tap_adstage.streams.former_names import (
    by_current_name,
    current_catalog,
    stream_map_errors,
)
from tap_adstage.streams.message_writer import MessageWriter
from tap_adstage.streams.names import name_errors
from tap_adstage.streams.report_stream import ReportStream
from tap_adstage.streams.resource_stream import ResourceStream
from tap_adstage.streams.unread import unread_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    import click
    from singer_sdk import Stream
    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.singerlib import Catalog

    from tap_adstage.config.reports import ReportConfig
    from tap_adstage.date_ranges import DateRange
    from tap_adstage.reports.bookmark import BookmarkCap
    from tap_adstage.source import Source, SourceType


_PREFIX = "TAP_ADSTAGE_"
_CHECKS = {"state": inputs.checked_state, "catalog": inputs.check_catalog}
_SDK_TESTS = (CliTestOptionValue.Disabled, CliTestOptionValue.Schema)


@contextmanager
def _mapping_errors() -> Iterator[None]:
    """Make the SDK's errors of stream maps and flattening the tap's own."""
    try:
        yield
    except ConfigValidationError as error:
        raise ConfigError(error.errors) from None
    except (MappingError, ValueError) as error:
        raise ConfigError([f"stream_maps and flattening: {error}"]) from None


class TapAdStage(Tap):
    """Singer tap for AdStage, which gathers data of many networks, and Spotify Ads."""

    name = "tap-adstage"
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        *Tap.capabilities,
        TapCapabilities.TEST,
    ]
    config_jsonschema: ClassVar[dict[str, Any]] = source_settings.json_schema()
    dynamic_catalog = True  # the fields of reports are looked up in AdStage

    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401 - the SDK's own
        """Take the SDK's arguments.

        Args:
            **arguments: As `singer_sdk.Tap` takes them.

        Raises:
            TapError: If the settings can't be used.
        """
        self._reads_environment = bool(arguments.get("parse_env_config"))
        self._stats = RunStats(time.monotonic)
        self._warnings = logs.WarningHandler(self._stats.count_warning)
        weakref.finalize(self, self._warnings.close)
        self._writer = MessageWriter(self._stats)
        arguments.setdefault("message_writer", self._writer)
        self._secrets = Secrets()
        logs.redact_logs(self._secrets)
        try:
            super().__init__(**arguments)
        except ValueError:
            unreadable = self._environment_errors()
            if not unreadable:
                raise
            raise ConfigError(unreadable) from None

    def discover_streams(self) -> list[Stream]:
        """Make the streams: the resources, and one for each report.

        This requests the source's list of fields if there are reports, and its accounts
        if some are chosen. If the source refuses one of them, the others are still
        there.

        Returns:
            The streams.

        Raises:
            TapError: If the settings can't be used with this user, or the credentials.
        """
        source = self.source
        for error in source.check_accounts():
            self.logger.error("%s", error)
            self._stats.current.add_error(error)
        if self.config.get("accounts") and source.config.accounts is None:
            self.logger.warning(
                "accounts: ignored, as sync_mode is not SPECIFIC_ACCOUNTS",
            )
        streams: list[BaseStream] = [
            ResourceStream(self, table, source, self._stats)
            for table in source.tables.values()
        ]
        streams += [self._made_or_failed(report) for report in source.config.reports]
        elsewhere = [stream.name for stream in streams if not stream.runs_in_this_shard]
        if elsewhere:
            self.logger.info(
                "shard %s: left to other shards: %s",
                source.config.shard,
                ", ".join(elsewhere),
            )
        if self.input_catalog is not None and not any(
            stream.name in self.input_catalog for stream in streams
        ):
            raise ConfigError(
                ["catalog: has no stream of this tap; write it anew with --discover"],
            )
        return [*streams]

    def report_stream(self, config: ReportConfig) -> ReportStream:
        """Make the stream of one report.

        Args:
            config: The report's settings.

        Returns:
            The stream.

        Raises:
            TapError: If it has a field or an account that this user doesn't have.
        """
        entry = self.input_catalog.get(config.name) if self.input_catalog else None
        discovered = entry.schema.to_dict().get("properties", {}) if entry else {}
        return ReportStream(
            self,
            self.source.report(config, discovered),
            self.source,
            self._stats,
            bookmark_caps=lambda: self._bookmark_caps,
        )

    def _made_or_failed(self, config: ReportConfig) -> BaseStream:
        """Make a report's stream; if the source refuses that, one that fails alone."""
        try:
            return self.report_stream(config)
        except TapError as error:
            if error.ends_run or isinstance(error, (ConfigError, InputError)):
                raise
            outline = self.source.outline(config)
            return FailedStream(self, outline, error, self._stats)

    def run_discovery(self) -> str:
        """Write the catalog, and log which of its streams can't be read at present.

        Returns:
            The catalog.
        """
        catalog = super().run_discovery()
        for stream in self.streams.values():
            if isinstance(stream, FailedStream):
                self.logger.error(
                    "%s: not all of its columns are in the catalog: %s",
                    stream.name,
                    stream.error,
                )
        return str(catalog)

    def probe(self, config: ReportConfig) -> tuple[DateRange, bool] | str:
        """Try a report in the set-up test.

        Args:
            config: The report's settings.

        Returns:
            As `ReportStream.probe` does.

        Raises:
            TapError: If the report can't be read, or a name is too long for a table.
        """
        stream = self.report_stream(config)
        schema, keys = stream.schema, stream.primary_keys
        with _mapping_errors():
            mapper = PluginMapper(copy.deepcopy(dict(self.config)), self.logger)
            mapper.register_raw_stream_schema(stream.name, schema, keys)
        maps = mapper.stream_maps[stream.name]
        columns = schema["properties"]
        errors = [*name_errors(stream.name, maps, columns, stream.named_fields)]
        if errors:
            raise ConfigError(errors)
        return stream.probe()

    @cached_property
    def _bookmark_caps(self) -> Mapping[str, BookmarkCap]:
        """How far bookmarks may go, by report; read before the first report runs.

        Here the source warns about incomplete data, once for all reports of the run.
        """
        days: dict[str, DateRange] = {}
        for stream in self.streams.values():
            if isinstance(stream, ReportStream) and stream.selected:
                with suppress(ApiError, ResponseError):  # it fails when its turn comes
                    if requested := stream.days:
                        days[stream.name] = requested
        return self.source.bookmark_caps(days)

    @cached_property
    def source(self) -> Source:
        """The API that the run reads."""
        config = self._parsed_config
        transport = Transport(
            secrets=self._secrets,
            user_agent=config.user_agent or f"tap-adstage/{self.plugin_version}",
            request_timeout=config.request_timeout,
            max_retry_seconds=config.max_retry_seconds,
            logger=self.logger,
            shutdown=self._writer.shutdown,
            api_name=self._source_type.name,
            stats=self._stats,
        )
        return connect(self._source_type, config, transport, self.logger)

    @cached_property
    def _source_type(self) -> SourceType:
        """What is known of the source before it is connected to."""
        return source_type(self._config)

    @cached_property
    def _former_names(self) -> Mapping[str, str]:
        """The streams by names that they had and that no report has now."""
        reports = {report.name for report in self._parsed_config.reports}
        return {
            former: name
            for former, name in self._source_type.former_names.items()
            if former not in reports
        }

    @property
    def input_catalog(self) -> Catalog | None:
        """The catalog that was given, with the current names of its streams."""
        catalog = super().input_catalog
        return catalog and current_catalog(catalog, self._former_names)

    def setup_mapper(self) -> None:
        """Set up stream maps and flattening, for which streams are discovered.

        Raises:
            ConfigError: If their settings can't be used with the streams.
        """
        with self._set_up():
            _ = self.catalog  # has errors of its own
            with _mapping_errors():
                super().setup_mapper()

    def sync_all(self) -> None:  # type: ignore[misc] # there is no other place for it
        """Sync all streams, and log a summary, however that ends.

        Raises:
            IncompleteRunError: If something could not be read; all else was.
            ConfigError: If a name is too long for a table.
            TapError: If nothing more can be read.
            Stopped: If the run is to end.
        """
        error: BaseException | None = None
        try:
            check_storage(self.config.get("batch_config"), self.name)
            self._check_names()
            self._warn_of_what_is_unread()
            super().sync_all()
        except BaseException as caught:
            error = caught
            raise
        finally:
            selected = [s.name for s in self.streams.values() if s.selected]
            outcome = self._end(selected, error)
        if self._stats.errors:
            raise IncompleteRunError(outcome) from self._stats.errors[0]
        if outcome:
            self.logger.warning("%s", outcome)

    @contextmanager
    def _set_up(self) -> Iterator[None]:
        """Log the summary of a run that ends before its first stream."""
        try:
            yield
        except (TapError, Stopped) as error:
            self._end([], error)
            raise

    def _end(
        self, selected: list[str], error: BaseException | None = None
    ) -> str | None:
        """End the run, and log its summary.

        Args:
            selected: Names of the streams that it was to read.
            error: What ended it early, if it did.

        Returns:
            What the run lacks, if anything is missing.
        """
        from tap_adstage.runtime import summary  # noqa: PLC0415 - not needed before

        if error or self._stats.errors:  # a thread may still be sending a request
            self._writer.shutdown.close()
        if isinstance(error, TapError):
            self._stats.current.fail(error)
        status = STOPPED if isinstance(error, Stopped) else FAILED if error else None
        self._stats.end(selected, status)
        self._warnings.close()
        shard = self._parsed_config.shard
        title = self.name if shard.is_whole else f"{self.name}, shard {shard}"
        summary.publish_summary(title, self._stats.all, self.logger, self._secrets)
        return summary.outcome(self._stats.all)

    def _check_names(self) -> None:
        errors: list[str] = []
        for stream in self.streams.values():
            if not (isinstance(stream, BaseStream) and stream.selected):
                continue
            maps, columns = stream.stream_maps, stream.schema["properties"]
            errors += name_errors(stream.name, maps, columns, stream.named_fields)
        if errors:
            raise ConfigError(errors)

    def _warn_of_what_is_unread(self) -> None:
        """Warn of what settings and the catalog leave out."""
        streams = [s for s in self.streams.values() if isinstance(s, BaseStream)]
        lines = unread_warnings(streams, has_catalog=self.input_catalog is not None)
        for line in lines:
            self.logger.warning("%s", line)
        if self.config.get("emit_activate_version_messages") and any(
            stream.writes_batches for stream in streams
        ):
            self.logger.warning(
                "emit_activate_version_messages: ignored with batch_config, as rows in "
                "BATCH files have no version",
            )

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state that the last run left.

        Args:
            state: Value of a STATE message, or the message.

        Raises:
            StateError: If it is not a state of this tap.
        """
        if state:  # none is read before the settings are
            with self._set_up():
                self._load_state(state)

    def _load_state(self, state: dict[str, Any]) -> None:
        state = inputs.checked_state(state)
        bookmarks = state.get("bookmarks", {})
        state["bookmarks"] = by_current_name(bookmarks, self._former_names)
        reports = [report.name for report in self._parsed_config.reports]
        streams = {*self._source_type.tables, *reports}
        super().load_state(inputs.own_parts(state, streams, bookmark.KEYS))
        for name in reports:
            Bookmark.read(name, self.state.get("bookmarks", {}).get(name, {}))
        unknown = inputs.unknown_streams(state, streams)
        if unknown:
            self.logger.warning(
                "state: kept the bookmarks of unknown streams: %s",
                ", ".join(unknown),
            )

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the settings of the SDK's own features.

        Args:
            config_jsonschema: The schema to add them to.
        """
        super().append_builtin_config(config_jsonschema)
        for name, schema in EMIT_ACTIVATE_VERSION_CONFIG["properties"].items():
            config_jsonschema["properties"].setdefault(name, schema)

    @classmethod
    def cb_config(
        cls,
        ctx: click.Context,
        param: click.Option,
        value: tuple[str, ...],
    ) -> Any:  # noqa: ANN401 - the SDK's own
        """Read the configuration files, before anything else is done.

        Args:
            ctx: click's context.
            param: The option.
            value: Paths, or `ENV`.

        Returns:
            The settings.

        Raises:
            ConfigError: If a file can't be read.
        """
        # For a sync the SDK does this itself, but only after all options are read, and
        # discovery and the set-up test run while they are.
        logging.captureWarnings(capture=True)
        if isinstance(ctx.command, SingerCommand):
            sys.excepthook = ctx.command.excepthook
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError, TypeError) as error:
            files = ", ".join(path for path in value if path != "ENV")
            raise ConfigError([f"--config {files}: {error}"]) from None

    @classmethod
    def invoke(cls, **options: Any) -> None:  # noqa: ANN401 - the SDK's own
        """Run a sync; if it is stopped early, log the reason.

        Args:
            **options: As `singer_sdk.Tap.invoke` takes them.

        Raises:
            InputError: If the file of an option can't be used.
            TapError: If stdout is closed.
            Stopped: If it is stopped early.
        """
        if sys.stdout is None:
            raise TapError("stdout is closed; lead it into a loader or a file")
        for name, check in _CHECKS.items():
            if options.get(name) is not None:
                document = inputs.read_document(f"--{name}", options[name])
                check(document)
                options[name] = io.StringIO(json.dumps(document))
        try:
            super().invoke(**options)
        except Stopped as stopped:
            cls.logger.warning(
                "Stopped before the end (%s); the next run resumes from the last STATE",
                stopped.reason,
            )
            raise

    @classmethod
    def cb_test(
        cls,
        ctx: click.Context,
        param: click.Option,
        value: str,
    ) -> None:
        """Run the set-up test, which writes no Singer messages, and exit.

        Args:
            ctx: click's context.
            param: The option.
            value: `disabled`, `schema` for the SDK's own test, else the set-up test.
        """
        if value in {option.value for option in _SDK_TESTS}:
            super().cb_test(ctx, param, value)
            return
        options = ctx.params["config"]
        tap = cls(
            config=options.config,
            parse_env_config=options.parse_env,
            setup_mapper=False,  # it would discover before the first step
        )
        steps = preflight.steps(
            tap.source,
            tap.probe,
        )
        batch_config = tap.config.get("batch_config")
        if batch_config:
            check = partial(check_storage, batch_config, cls.name)
            steps.append(preflight.storage_step(check))
        results = preflight.results(steps, tap.source, tap._stats)
        passed = preflight.log_results(results, cls.logger)
        ctx.exit(0 if passed else 1)

    @classmethod
    def cb_fields(
        cls,
        ctx: click.Context,
        param: click.Option,
        value: str | None,
    ) -> None:
        """List the fields that reports may have, and exit.

        Args:
            ctx: Click's context.
            param: The option.
            value: A text to look for, "" for all fields; `None` if it is not asked for.
        """
        del param
        if value is None:
            return
        options = ctx.params["config"]
        tap = cls(
            config=options.config,
            parse_env_config=options.parse_env,
            setup_mapper=False,
            validate_config=False,  # only if the source must be asked for its fields
        )
        written = write_fields(
            value,
            tap._source_type,
            tap._connect_without_reports,
            tap._stats,
            cls.logger,
        )
        ctx.exit(0 if written else 1)

    def _connect_without_reports(self) -> Source:
        """Make the source; who looks a field up may have written a wrong one."""
        given = dict(self._config)
        given.pop(source_settings.REPORTS_ALIAS, None)
        self._config = {**given, source_settings.REPORTS: []}
        self._validate_config()
        return self.source

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Make the command line."""
        command = super().get_singer_command()
        return tap_command(command, cls.cb_fields, cls.logger)

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - of the class
        """Settings in variables; one that is exported takes precedence over `.env`.

        The SDK's lets the `.env` of a folder above override what is exported.
        """
        exported = dict(os.environ)
        parse_environment_config({}, _PREFIX)  # sets the variables of `.env`
        os.environ.update(exported)
        cls.append_builtin_config(cls.config_jsonschema)
        return parse_environment_config(cls.config_jsonschema, _PREFIX, os.devnull)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings with the tap's own checks.

        The SDK's own check quotes secrets, accepts unknown settings, and doesn't know
        date ranges. It still runs afterwards, to fill in the defaults.
        """
        own = source_settings.normalised(self._config)
        of_sandbox = sandbox_shell.sandbox_settings(own, os.environ)
        given = {**self._config, **of_sandbox}
        self._config = source_settings.normalised(given)
        self._secrets.add(*source_settings.secret_values(self._config))
        self.append_builtin_config(self.config_jsonschema)
        known = self.config_jsonschema["properties"]
        errors = unknown_settings(self._config, known)
        errors += self._environment_errors(warn=raise_errors)
        try:
            self._parsed_config = parse(
                given,
                now=dt.datetime.now(dt.timezone.utc),
                stream_names=self._source_type.tables,
            )
        except ConfigError as error:
            errors += error.errors
        else:
            maps = self._config.get("stream_maps")
            errors += stream_map_errors(maps, self._former_names)
        errors += batch_errors(self._config.get("batch_config", {}))
        errors = errors or super()._validate_config(raise_errors=False)
        errors = [redact(line, self._secrets) for line in errors]
        if errors and raise_errors:
            raise ConfigError(errors)
        if message := sandbox_shell.sandbox_message(of_sandbox):
            self.logger.info("%s", message)
        return errors

    def _environment_errors(self, *, warn: bool = True) -> list[str]:
        """Find variables that can't be read; log those of unknown settings."""
        if not self._reads_environment:
            return []
        self.append_builtin_config(self.config_jsonschema)
        known = self.config_jsonschema["properties"]
        values = {name: os.environ.get(f"{_PREFIX}{name.upper()}") for name in known}
        self._secrets.add(*source_settings.secret_values(values))
        if warn:
            for line in environment.unknown_variables(os.environ, _PREFIX, known):
                self.logger.warning("%s", line)
        unreadable = environment.unreadable_variables(os.environ, _PREFIX, known)
        return [redact(line, self._secrets) for line in unreadable]

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop on SIGTERM and SIGINT, with a signal's exit code.

        The SDK's own handler may write the state into the middle of another line, and
        exits with 0, as if the sync were complete.
        """
        del frame
        self._writer.shutdown.request(signum)
