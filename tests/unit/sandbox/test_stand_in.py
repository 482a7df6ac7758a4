# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stand-in does beside the recordings: how it is installed, where it calls, what it keeps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox
from sandbox import Platform, Proxy
from sandbox.cnspec_stand_in import install
from sandbox.stand_in import go_words, go_yaml
from sandbox.stand_in.settings import Settings

SPACE = "lunalectric-prod"
Done = subprocess.CompletedProcess[str]


class Cnspec:
    """The stand-in on a host in a folder."""

    def __init__(self, root: Path, version: str = "12.11.0", **settings: object) -> None:
        self.root, self.path = root, root / "usr/bin/cnspec"
        self.config = root / "etc/opt/mondoo/mondoo.yml"
        given = {"version": version, "root": str(root), "hostname": "web1", **settings}
        install(str(self.path), Settings(**given))  # type: ignore[arg-type]

    def __call__(self, *argv: str, **environment: str) -> Done:
        inherited = {"PATH": "/usr/bin:/bin", "HOME": str(self.root / "root"), "TZ": "UTC"}
        command = [str(self.path), *argv, "--config", str(self.config)]
        return subprocess.run(command, env=inherited | environment, capture_output=True, text=True, check=False)

    def settle(self, **settings: object) -> None:
        path = Path(f"{self.path}.json")
        path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@pytest.fixture(scope="module")
def lab() -> Iterator[Platform]:
    with Platform() as running:
        yield running


@pytest.fixture
def token(lab: Platform) -> str:
    return lab.mint_token(space=SPACE)


@pytest.mark.parametrize("config", [None, "api_endpoint: http://127.0.0.1:9\n", "mrn: [\n"])
def test_serve_stays_until_it_is_told_to_end_with_or_without_credentials(tmp_path: Path, config: str | None) -> None:
    cnspec = Cnspec(tmp_path)
    if config is not None:
        cnspec.config.parent.mkdir(parents=True)
        cnspec.config.write_text(config)
    with subprocess.Popen([cnspec.path, "--config", cnspec.config, "serve"], stderr=subprocess.DEVNULL) as agent:
        with pytest.raises(subprocess.TimeoutExpired):
            agent.wait(2)
        agent.terminate()
        assert agent.wait(10) == 0


def test_serve_ends_with_78_where_the_config_cannot_be_decoded(tmp_path: Path) -> None:
    cnspec = Cnspec(tmp_path)
    cnspec.config.parent.mkdir(parents=True)
    cnspec.config.write_text("api_endpoint: [1]\n")
    assert cnspec("serve").returncode == 78


def test_a_login_registers_an_agent_under_the_name_of_the_host_and_proves_it(
    tmp_path: Path, lab: Platform, token: str
) -> None:
    cnspec, seen = Cnspec(tmp_path), max((call.number for call in lab.calls()), default=0)
    assert cnspec("login", "--token", token).returncode == 0
    calls = [(call.method, call.host, call.outcome) for call in lab.calls(since=seen)]
    assert calls == [("RegisterAgent", "web1", "ok"), ("PingPong", "web1", "ok")]
    assert cnspec.config.stat().st_mode & 0o777 == 0o644
    assert json.loads(cnspec("status", "-o", "json").stdout)["client"]["registered"] is True


def test_a_wrong_clock_reads_like_revoked_credentials_until_it_is_set_right(
    tmp_path: Path, lab: Platform, token: str
) -> None:
    cnspec = Cnspec(tmp_path)
    cnspec("login", "--token", token)
    cnspec.settle(clock_offset=-259200)
    wrong = cnspec("status")
    assert wrong.returncode == 1
    assert 'error="rpc error: code = Unauthenticated desc = request permission unauthenticated"' in wrong.stderr
    assert "! possible clock skew detected: 7" in wrong.stderr
    cnspec.settle(clock_offset=0)
    assert cnspec("status").returncode == 0


def test_the_environment_and_the_flags_of_a_login_become_permanent(tmp_path: Path, lab: Platform, token: str) -> None:
    cnspec = Cnspec(tmp_path)
    with Proxy(user="fleet", password="s3cret") as proxy:
        done = cnspec("login", "--token", token, "-v", MONDOO_API_PROXY=proxy.url_with_password, MONDOO_NAME="db1")
        written = go_yaml.read(cnspec.config.read_text())
        assert (done.returncode, len(proxy.requests)) == (0, 2)
        assert written["api_proxy"] == proxy.url_with_password
    assert (written["name"], written["verbose"], written["log-level"]) == ("db1", True, "info")


@pytest.mark.parametrize(("version", "used"), [("12.11.0", True), ("9.14.0", False)])
def test_https_proxy_is_asked_even_for_loopback_from_v11_19_on(
    tmp_path: Path, lab: Platform, token: str, version: str, used: bool
) -> None:
    cnspec = Cnspec(tmp_path, version)
    with Proxy() as proxy:
        assert cnspec("login", "--token", token, HTTPS_PROXY=proxy.url, NO_PROXY="*").returncode == 0
        assert bool(proxy.requests) is used


@pytest.mark.parametrize("name", ["https_proxy", "http_proxy"])
def test_a_proxy_variable_in_small_letters_does_not_count_for_loopback(
    tmp_path: Path, lab: Platform, token: str, name: str
) -> None:
    assert Cnspec(tmp_path)("login", "--token", token, **{name: "http://127.0.0.1:9"}).returncode == 0


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ("https://us.api.mondoo.com", "dial tcp: lookup us.api.mondoo.com on 192.0.2.53:53: no such host"),
        ("https://8.8.8.8", "dial tcp 8.8.8.8:443: connect: network is unreachable"),
        ("http://127.0.0.1:9", "dial tcp 127.0.0.1:9: connect: connection refused"),
    ],
)
def test_nothing_is_called_outside_the_machine(tmp_path: Path, endpoint: str, reason: str) -> None:
    done = Cnspec(tmp_path, default_endpoint=endpoint)("status", "-o", "json")
    assert f'failed to do request: Post \\"{endpoint}/Health/Check\\": {reason}"' in done.stderr


def test_a_private_authority_is_trusted_by_ssl_cert_file_only(tmp_path: Path) -> None:
    with Platform(tls=True) as secure:
        cnspec = Cnspec(tmp_path, default_endpoint=secure.url)
        words = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
        assert words in cnspec("status").stderr
        assert "API Status:\t\tSERVING" in cnspec("status", SSL_CERT_FILE=str(secure.ca)).stderr


def test_a_flag_of_a_later_version_is_refused_before_any_call(tmp_path: Path, lab: Platform, token: str) -> None:
    seen = max((call.number for call in lab.calls()), default=0)
    done = Cnspec(tmp_path, "9.14.0")("login", "--token", token, "--timer", "60")
    assert (done.returncode, lab.calls(since=seen)) == (1, [])
    assert done.stderr.splitlines()[1] == "Error: unknown flag: --timer"
    assert done.stderr.splitlines()[-1] == "x unknown flag: --timer"


def test_a_file_that_cannot_be_written_leaves_an_agent_that_no_host_uses(
    tmp_path: Path, lab: Platform, token: str
) -> None:
    cnspec, before = Cnspec(tmp_path), len(lab.agents())
    cnspec.config.parent.parent.mkdir(parents=True)
    cnspec.config.parent.write_text("a file where the folder should be")
    done = cnspec("login", "--token", token)
    assert (done.returncode, len(lab.agents())) == (1, before + 1)
    reason = f"failed to save mondoo config: open {cnspec.config}: not a directory"
    assert f'! could not write mondoo configuration error="{reason}"' in done.stderr


def test_only_trace_shows_the_token(tmp_path: Path, lab: Platform, token: str) -> None:
    cnspec = Cnspec(tmp_path)
    assert token not in cnspec("login", "--token", token, "--log-level", "debug").stderr
    assert token in cnspec("login", "--token", token, TRACE="1").stderr


def test_a_release_of_ones_own_is_not_told_to_be_newer(tmp_path: Path, lab: Platform) -> None:
    done = Cnspec(tmp_path, default_endpoint=lab.url, latest_version="12.11.0")("status")
    assert "→ Latest Version:\t12.11.0\n→ Providers URL:" in done.stderr


def test_the_command_line_installs_and_finds_the_root_of_the_host(tmp_path: Path) -> None:
    path = tmp_path / "usr/bin/cnspec"
    _install_by_command_line("--install", str(path), "--version", "13.0.1", "--clock-offset", "60")
    assert json.loads(Path(f"{path}.json").read_text()) == {
        "clock_offset": 60.0,
        "root": str(tmp_path),
        "version": "13.0.1",
    }
    assert subprocess.check_output([path, "version"], stderr=subprocess.DEVNULL) == b"cnspec 13.0.1 (lab, unknown)\n"


def test_cnspec_in_the_environment_is_installed_instead_with_its_arguments_unchanged(tmp_path: Path) -> None:
    real, path = tmp_path / "real cnspec", tmp_path / "usr/bin/cnspec"
    real.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 3\n')
    real.chmod(0o755)
    _install_by_command_line("--install", str(path), CNSPEC=str(real))
    done = subprocess.run([path, "login", "--name", "a b", ""], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "login|--name|a b||")


def _install_by_command_line(*argv: str, **environment: str) -> None:
    tests = str(Path(sandbox.__file__).parents[1])
    known = {name: value for name, value in os.environ.items() if name != "CNSPEC"}
    command = [sys.executable, "-m", "sandbox.cnspec_stand_in", *argv]
    subprocess.run(command, env=known | {"PYTHONPATH": tests} | environment, check=True)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (259_199_117_468_520, "71h59m59.11746852s"),
        (-3_600_256_086_277, "-1h0m0.256086277s"),
        (-40_639_937_489, "-40.639937489s"),
        (20_012_440_300, "20.0124403s"),
        (90_000_000_000, "1m30s"),
        (1_500_000, "1.5ms"),
        (0, "0s"),
    ],
)
def test_durations_are_written_as_go_writes_them(nanoseconds: int, text: str) -> None:
    assert go_words.duration(nanoseconds) == text


def test_viper_writes_sorted_keys_with_four_spaces_and_quotes_what_would_not_be_a_string() -> None:
    values = {"b": "false", "a": ["x", "12.10"], "c": {"d": "yes"}, "e": "", "f": "l1\nl2\n", "g": "::not"}
    assert go_yaml.write_viper(values) == (
        'a:\n    - x\n    - "12.10"\nb: "false"\nc:\n    d: "yes"\ne: ""\nf: |\n    l1\n    l2\ng: ::not\n'
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mrn: [\n", "yaml: line 1: did not find expected node content"),
        ("- a\n", "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into map[string]interface {}"),
    ],
)
def test_yaml_is_refused_in_the_words_of_go(text: str, reason: str) -> None:
    with pytest.raises(go_yaml.GoYamlError) as refused:
        go_yaml.read(text)
    assert str(refused.value) == reason
