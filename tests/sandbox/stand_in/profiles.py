# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions of cnspec as data: what each says, knows and does differently.

Every value was read off a recording in tests/transcripts/<version>, or, where a profile's `source` says so, off the
source code (versions.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sandbox.stand_in.arguments import Flag

CREDENTIALS_TEXT = (
    "The Mondoo Platform credentials provided at {path} didn't successfully authenticate with Mondoo Platform. "
    "Please re-authenticate with Mondoo Platform. To learn how, read "
    "https://mondoo.com/docs/cnspec/cnspec-adv-install/registration{end}"
)

RECORDED = "recorded"


@dataclass(frozen=True)
class Profile:
    """One version of cnspec. `engine` is the name under which it asks for releases and presents itself.

    `plays`: the version that this one is taken for, because it has no profile of its own.
    `panics_as`: the version whose recorded panics it prints, if not its own. `source`: what the profile was read off.
    `screen`: status draws a screen on stdout, takes 30 s at most in all, and always asks for the providers' versions.
    `empty_answer_is_success`: ranger-rpc up to 0.8.0 takes a refusal without a body for success.
    """

    version: str
    login_flags: tuple[Flag, ...]
    status_flags: tuple[Flag, ...]
    logout_flags: tuple[Flag, ...]
    global_flags: tuple[Flag, ...]
    bound_flags: tuple[tuple[str, str], ...]
    engine: str = "cnquery"
    builtin_providers: tuple[str, ...] = ("core", "mock", "sbom")
    providers_warning: str = "text"
    config_reads: int = 3
    unreadable_reads: int = 0
    asks_terminal: bool = True
    version_build: str = ""
    no_config: str = "no Mondoo configuration file provided, using defaults"
    health_failed: str = "could not check upstream health"
    wide_labels: bool = True
    owner_always: bool = False
    release_feed: str = "warn"
    tells_registry_failure: bool = True
    logs_url_as_struct: bool = False
    shows_updates_url: bool = False
    shows_providers_url: bool = True
    outdated_includes_core: bool = False
    platform_fields: tuple[str, ...] = ("technology_url_segments", "labels", "metadata")
    unauthenticated: str = CREDENTIALS_TEXT.format(path="{path}", end="/.")
    ping_report: str = "right"
    crashes_on_bad_key: bool = False
    fatal_errors: bool = False
    vtproto: bool = True
    wire_format_error: str = ""
    login_prefix: str = "failed to log in client: failed to log in client"
    checks_health_after_refusal: bool = True
    judges_token: bool = True
    token_parse_prefix: str = "token is malformed: "
    token_endpoint_wins: bool = True
    retries_aborted: bool = True
    resets_annotations: bool = True
    stores_force: bool = False
    knows_proxy: bool = True
    explicit_https_proxy: bool = True
    prefers_scope: bool = True
    dotted_interval: bool = True
    goodbye: str = "Bye bye, space cat. Client {mrn} unregistered successfully"
    force_error: str = "--force is required to logout"
    force_exit: int = 78
    settings_keys: tuple[str, ...] = ()
    plays: str = ""
    panics_as: str = ""
    source: str = RECORDED
    screen: bool = False
    empty_answer_is_success: bool = True
    joins_auto_update: bool = False

    @property
    def api_version(self) -> str:
        return self.version.split(".", maxsplit=1)[0]


_GLOBAL_12 = (
    Flag("api-proxy", "string", "Set proxy for communications with Mondoo API"),
    Flag("auto-update", "bool", "Enable automatic provider installation and update (default true)", default=True),
    Flag("config", "string", "Set config file path (default $HOME/.config/mondoo/mondoo.yml)"),
    Flag("log-level", "string", 'Set log level: error, warn, info, debug, trace (default "info")', default="info"),
    Flag("verbose", "bool", "Enable verbose output", short="v", default=False),
)
_LOGIN_12 = (
    Flag("annotation", "stringToString", "Set the client annotations (default [])", default=None),
    Flag("api-endpoint", "string", "Set the Mondoo API endpoint"),
    Flag("help", "bool", "help for login", short="h", default=False),
    Flag("name", "string", "Set asset name"),
    Flag("splay", "int", "Randomize the timer by up to this many minutes", default=0),
    Flag("timer", "int", "Set the scan interval in minutes", default=0),
    Flag("token", "string", "Set a client registration token", short="t"),
)
_STATUS_12 = (
    Flag("help", "bool", "help for status", short="h", default=False),
    Flag("output", "string", "Set output format. Accepts json or yaml.", short="o"),
)
_LOGOUT_12 = (
    Flag("force", "bool", "Force re-authentication", default=False),
    Flag("help", "bool", "help for logout", short="h", default=False),
)
_BOUND_12 = (
    ("api_proxy", "api-proxy"),
    ("auto_update", "auto-update"),
    ("auto-update", "auto-update"),
    ("log-level", "log-level"),
    ("verbose", "verbose"),
)

V12_11_0 = Profile(
    version="12.11.0",
    login_flags=_LOGIN_12,
    status_flags=_STATUS_12,
    logout_flags=_LOGOUT_12,
    global_flags=_GLOBAL_12,
    bound_flags=_BOUND_12,
    settings_keys=("providers_url",),
)


def _reworded(flags: tuple[Flag, ...], **help_texts: str) -> tuple[Flag, ...]:
    """Return the flags with other help texts, a flag named with `_` for `-`."""
    return tuple(replace(flag, help=help_texts.get(flag.name.replace("-", "_"), flag.help)) for flag in flags)


V13_0_1 = replace(
    V12_11_0,
    version="13.0.1",
    engine="mql",
    builtin_providers=("core", "mock", "sbom", "recording"),
    providers_warning="json",
    config_reads=4,
    shows_updates_url=True,
    login_flags=(
        *_LOGIN_12,
        Flag("providers-url", "string", "", hidden=True),
        Flag("updates-url", "string", "Set the updates URL for mql and provider updates"),
    ),
    status_flags=_reworded(_STATUS_12, output="Set the output format: json, yaml"),
    logout_flags=_reworded(_LOGOUT_12, force="Force the logout without confirmation"),
    global_flags=_reworded(
        _GLOBAL_12,
        api_proxy="Set the proxy for communications with Mondoo Platform API",
        log_level='Set the log level: error, warn, info, debug, trace (default "info")',
    ),
    settings_keys=("providers_url", "updates_url"),
)

_BOUND_11 = tuple(pair for pair in _BOUND_12 if pair[0] != "auto-update")

V11_69_1 = replace(
    V12_11_0,
    version="11.69.1",
    bound_flags=_BOUND_11,
    unreadable_reads=2,
    tells_registry_failure=False,
    shows_providers_url=False,
    settings_keys=(),
)

_LOGIN_9 = (
    Flag("annotation", "stringToString", "Set the client annotations. (default [])", default=None),
    Flag("api-endpoint", "string", "Set the Mondoo API endpoint."),
    Flag("help", "bool", "help for login", short="h", default=False),
    Flag("name", "string", "Set asset name."),
    Flag("token", "string", "Set a client registration token.", short="t"),
)

V9_14_0 = replace(
    V11_69_1,
    version="9.14.0",
    login_flags=_LOGIN_9,
    builtin_providers=("core", "mock"),
    asks_terminal=False,
    logs_url_as_struct=True,
    outdated_includes_core=True,
    platform_fields=("labels",),
    unauthenticated=CREDENTIALS_TEXT.format(path="{path}", end="."),
    ping_report="inverted",
    release_feed="fatal",
    vtproto=False,
    wire_format_error="proto: cannot parse invalid wire-format data",
    login_prefix="failed to log in client",
    checks_health_after_refusal=False,
    judges_token=False,
    token_endpoint_wins=False,
    retries_aborted=False,
    stores_force=True,
    dotted_interval=False,
    explicit_https_proxy=False,
    prefers_scope=False,
    force_error="",
    force_exit=1,
)

V7_12_1 = replace(
    V9_14_0,
    version="7.12.1",
    login_flags=tuple(replace(flag, help=flag.help.rstrip(".")) for flag in _LOGIN_9 if flag.name != "annotation"),
    global_flags=tuple(flag for flag in _GLOBAL_12 if flag.name in ("config", "log-level", "verbose")),
    bound_flags=(("log-level", "log-level"), ("verbose", "verbose")),
    providers_warning="",
    config_reads=2,
    no_config="no Mondoo configuration file provided. using defaults",
    version_build="development",
    knows_proxy=False,
    # protobuf for Go writes a no-break space in some builds, so that nobody relies on its texts
    wire_format_error="proto:\N{NO-BREAK SPACE}cannot parse invalid wire-format data",
    health_failed="could not run api health check",
    wide_labels=False,
    owner_always=True,
    release_feed="",
    outdated_includes_core=False,
    platform_fields=("release",),
    unauthenticated="could not connect to mondoo platform",
    ping_report="always",
    crashes_on_bad_key=True,
    fatal_errors=True,
    token_parse_prefix="",
    resets_annotations=False,
    goodbye="Bye bye space cowboy, client {mrn} unregistered successfully",
)
