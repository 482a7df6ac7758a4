# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the brain asks a host, and what the host answers, as values."""

from __future__ import annotations

import base64
import typing as t
from dataclasses import asdict, dataclass, field

ReadConfig = t.Literal["all", "without_keys", "no"]
Arguments = dict[str, t.Any]


@dataclass(frozen=True)
class Candidates:
    """Where the config may be on one system: a plist that names it, else the first of the paths that exists."""

    plists: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class LookRequest:
    """Ask for the config, the cnspec command and the system. An empty path means: choose from the candidates.

    `config_candidates` is keyed by what `platform.system()` says on the host; the key "" is any other system.
    """

    config_path: str = ""
    config_candidates: t.Mapping[str, Candidates] = field(default_factory=dict)
    shadow_candidates: tuple[str, ...] = ()
    owner: str = ""
    group: str = ""
    read_config: ReadConfig = "all"
    cnspec_path: str = ""
    cnspec_candidates: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def to_arguments(self) -> Arguments:
        """Return the module's option `look`."""
        candidates = {name: _plain(asdict(value)) for name, value in self.config_candidates.items()}
        return {**_plain(_fields(self)), "config_candidates": candidates}


@dataclass(frozen=True)
class WriteRequest:
    """Ask to replace the file at `path`, if it still has `expect_digest` (SHA-256 hex; "" = the file was absent).

    `content` None: remove the file.
    """

    path: str
    content: bytes | None = field(repr=False)
    expect_digest: str
    mode: str = "0600"
    owner: str | None = None
    group: str | None = None
    backup: bool = False
    create_parent: bool = True

    def to_arguments(self) -> Arguments:
        """Return the module's option `write`."""
        given = {name: value for name, value in _fields(self).items() if value is not None}
        if self.content is None:
            return {**given, "remove": True}
        return {**given, "content": base64.b64encode(self.content).decode("ascii")}


@dataclass(frozen=True)
class ScratchRequest:
    """Ask to run the commands of that call on a copy of the config, in a private directory beside it.

    `once`: an id (32 hexadecimal digits); a module that is run twice runs the commands once. `forget`: an id that
    will not be given again.
    """

    path: str
    content: bytes = field(default=b"", repr=False)
    once: str = ""
    forget: str = ""

    def to_arguments(self) -> Arguments:
        """Return the module's option `scratch`."""
        return {**_fields(self), "content": base64.b64encode(self.content).decode("ascii")}


@dataclass(frozen=True)
class Command:
    """One command: the items `{cnspec}` and `{config}` of `argv` become the paths found by the look of that call.

    The item `{copy}` becomes the path of the copy that the scratch of that call makes.
    """

    argv: tuple[str, ...] = field(repr=False)
    time_limit: float  # seconds


@dataclass(frozen=True)
class RunRequest:
    """Ask to run commands, one after another, in an environment without what matches `unset_env` (shell patterns)."""

    commands: t.Mapping[str, Command]
    output_limit: int = 1048576  # bytes of each stream
    unset_env: tuple[str, ...] = ()
    set_env: t.Mapping[str, str] = field(default_factory=dict, repr=False)

    def to_arguments(self) -> Arguments:
        """Return the module's option `run`."""
        commands = {
            name: {"argv": list(command.argv), "time_limit": command.time_limit}
            for name, command in self.commands.items()
        }
        return {**_plain(_fields(self)), "commands": commands, "set_env": dict(self.set_env)}


@dataclass(frozen=True)
class Problem:
    """Why something cannot be done: `code` for programs, `cause` for people (the system's own words)."""

    code: str
    cause: str


@dataclass(frozen=True)
class Written:
    """What came of a write. Without error the file has what was asked for, written now or there already."""

    written: bool
    digest: str
    backup_file: str | None
    error: Problem | None


@dataclass(frozen=True)
class ConfigFile:
    """The config as found. `kind`: file, missing, directory, other, relative, too_large or unreadable."""

    path: str
    source: str
    exists: bool
    kind: str
    symlink_to: str | None
    content: bytes | None = field(repr=False)
    digest: str
    size: int | None
    mode: str | None
    uid: int | None
    gid: int | None
    owner: str | None
    group: str | None
    mtime: float | None
    problem: str | None
    writable: bool
    not_writable: Problem | None


@dataclass(frozen=True)
class CnspecFile:
    """The cnspec command as found; `path` is None when there is none."""

    path: str | None
    executable: bool
    problem: str | None


@dataclass(frozen=True)
class System:
    """The host itself. `os_*` come from os-release; `init` is `systemd` or empty.

    `clock_settable`: whether its services may set the clock; None when that is not known.
    """

    system: str
    hostname: str
    ip: str | None
    os_id: str
    os_like: tuple[str, ...]
    os_version: str
    os_name: str
    kernel: str
    arch: str
    machine_id: str | None
    python: str
    user: str
    uid: int
    init: str
    container: bool = False
    clock_settable: bool | None = None


@dataclass(frozen=True)
class FileSeen:
    """Another file as found. `kind` is as of the config; `content` is None for what is no file or cannot be read."""

    kind: str
    content: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Look:
    """What a look saw. `time` is the host's clock (seconds since the epoch) at the end of the whole call."""

    config: ConfigFile
    shadow: str | None
    cnspec: CnspecFile
    system: System
    time: float
    files: t.Mapping[str, FileSeen] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """What a command did. `found` false: there was no such command. `rc` is None when it did not end by itself."""

    found: bool
    rc: int | None
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)
    timed_out: bool
    truncated: bool
    seconds: float
    problem: str | None


@dataclass(frozen=True)
class Scratched:
    """What became of the copy. `done_before`: nothing was run, it was already. `error`: why there is no copy."""

    content: bytes | None = field(repr=False)
    done_before: bool
    error: Problem | None


@dataclass(frozen=True)
class Answer:
    """One answer of the host; `round_trip` is the controller's clock before and after the call."""

    look: Look | None
    written: Written | None
    ran: t.Mapping[str, Ran]
    round_trip: tuple[float, float]
    scratch: Scratched | None = None

    @classmethod
    def from_result(cls, result: Arguments, *, round_trip: tuple[float, float]) -> Answer:
        """Read the module's result. Raises KeyError, TypeError or ValueError for one that is not complete."""
        look, written, scratch = result.get("look"), result.get("written"), result.get("scratch")
        return cls(
            look=None if look is None else _look(look),
            written=None if written is None else _written(written),
            ran={str(name): _record(Ran, value) for name, value in (result.get("ran") or {}).items()},
            round_trip=round_trip,
            scratch=None if scratch is None else _scratched(scratch),
        )


R = t.TypeVar("R")


def _record(kind: type[R], values: t.Mapping[str, t.Any]) -> R:
    return kind(**{name: values[name] for name in kind.__dataclass_fields__})  # type: ignore[attr-defined]


def _problem(value: t.Mapping[str, t.Any] | None) -> Problem | None:
    return None if value is None else _record(Problem, value)


def _written(value: t.Mapping[str, t.Any]) -> Written:
    return _record(Written, {**value, "error": _problem(value["error"])})


def _scratched(value: t.Mapping[str, t.Any]) -> Scratched:
    content = value["content"]
    decoded = None if content is None else base64.b64decode(content, validate=True)
    return _record(Scratched, {**value, "content": decoded, "error": _problem(value["error"])})


def _look(value: t.Mapping[str, t.Any]) -> Look:
    config, system = value["config"], value["system"]
    content = config["content"]
    return Look(
        config=_record(
            ConfigFile,
            {
                **config,
                "content": None if content is None else base64.b64decode(content, validate=True),
                "not_writable": _problem(config["not_writable"]),
            },
        ),
        shadow=value["shadow"],
        cnspec=_record(CnspecFile, value["cnspec"]),
        system=_record(System, {**system, "os_like": tuple(system["os_like"])}),
        time=float(value["time"]),
        files={path: _file_seen(seen) for path, seen in value["files"].items()},
    )


def _file_seen(value: t.Mapping[str, t.Any]) -> FileSeen:
    content = value["content"]
    return FileSeen(value["kind"], None if content is None else base64.b64decode(content, validate=True))


def _fields(record: t.Any) -> Arguments:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _plain(values: t.Mapping[str, t.Any]) -> Arguments:
    """Return `values` with lists for tuples: module arguments are JSON."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
