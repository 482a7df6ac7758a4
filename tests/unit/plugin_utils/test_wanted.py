# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils.config import IDENTITY_KEYS
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.wanted import Wanted, file_mode, read_wanted
from doubles.identities import EU, SPACE, account, document, token

LIKE_PROXY = "Give one like http://proxy.example.com:3128."


def refusal(**options: t.Any) -> str:
    with pytest.raises(FleetError) as caught:
        read_wanted(options)
    assert "canary" not in str(caught.value)
    return str(caught.value)


def test_nothing_given_is_nothing_wanted() -> None:
    assert read_wanted({}) == Wanted()
    assert (Wanted().has_identity, Wanted().space_mrn, Wanted().register_endpoint) == (False, None, None)


def test_a_token_says_its_space_and_its_endpoint() -> None:
    wanted = read_wanted({"token": token()})
    assert (wanted.has_identity, wanted.space_mrn, wanted.register_endpoint) == (True, SPACE, EU)
    assert (wanted.endpoint, wanted.token_problem) == (None, None)


def test_white_space_in_a_copied_token_does_not_matter() -> None:
    text = token()
    assert read_wanted({"token": f" {text[:40]}\n  {text[40:]}\n"}).token == text


def test_a_document_says_its_space_and_its_endpoint() -> None:
    wanted = read_wanted({"credentials": document(), "managed": False})
    assert wanted.document is not None
    assert (wanted.document.account, wanted.space_mrn, wanted.register_endpoint) == (account(), SPACE, EU)
    assert (wanted.has_identity, wanted.managed) == (True, False)


def test_the_option_is_the_endpoint_whatever_the_identity_says() -> None:
    wanted = read_wanted({"token": token(), "api_endpoint": "HTTPS://US.api.mondoo.com/"})
    assert (wanted.endpoint, wanted.register_endpoint) == ("https://us.api.mondoo.com",) * 2


def test_a_token_that_cannot_be_read_is_no_failure_yet() -> None:
    wanted = read_wanted({"token": "canary"})
    assert (wanted.has_identity, wanted.claims, wanted.space_mrn) == (True, None, None)
    assert str(wanted.token_problem) == (
        "Cannot read the registration token: it has 1 part between dots, not 3. Copy the whole token from the console."
    )


def test_an_expired_token_is_no_failure_yet() -> None:
    assert read_wanted({"token": token(exp=1)}).token_problem is None


def test_no_secret_stands_in_the_representation() -> None:
    wanted = read_wanted({"token": token(desc="x"), "settings": {"some_token": "canary"}})
    assert token(desc="x") not in repr(wanted)
    assert "canary" not in repr(wanted)
    assert "PRIVATE" not in repr(read_wanted({"credentials": document()}))


def test_token_and_credentials_together_are_refused() -> None:
    assert refusal(token="canary", credentials="canary") == (
        "Cannot use token and credentials: both were given. Give one of them."
    )


def test_credentials_that_cannot_be_read_are_refused() -> None:
    assert refusal(credentials="{canary") == (
        "Cannot read the credentials: it is cut off or damaged. Copy the whole service account JSON from the console."
    )


def test_an_endpoint_that_cannot_be_used_is_refused() -> None:
    assert refusal(api_endpoint="http://eu.api.mondoo.com") == (
        "Cannot use the API endpoint: it is plain http. Give one like https://eu.api.mondoo.com."
    )


@pytest.mark.parametrize("name", ["api_proxy", "controller_proxy"])
@pytest.mark.parametrize(
    "url",
    [
        "canary",
        "proxy:3128",
        "user:canary@proxy:3128",
        "ftp://proxy",
        "http://",
        "http://:3128",
        "http://proxy:port",
        "http://proxy:99999",
        "http://pro xy",
        "http://user:cana ry@proxy",
        "http://user:canary/x@proxy",
        "http://user:12/canary@proxy",
        "http://[::1",
    ],
)
def test_a_proxy_that_is_not_a_url_is_refused_and_not_quoted(name: str, url: str) -> None:
    assert refusal(**{name: url}) == f"Cannot use the option {name}: it is not the URL of a proxy. {LIKE_PROXY}"


@pytest.mark.parametrize(
    "url", ["http://proxy", "HTTP://proxy:3128/", "https://user:p%2Fw@proxy:1", "socks5://[::1]:1080"]
)
def test_a_proxy_url_is_taken_as_it_is(url: str) -> None:
    assert read_wanted({"api_proxy": url}).settings == {"api_proxy": url}


# Settings


def test_settings_are_the_options_and_the_free_ones() -> None:
    wanted = read_wanted(
        {
            "name": "web",
            "auto_update": False,
            "scan_interval": {"timer": 60, "splay": None},
            "settings": {"Log-Level": "debug"},
        }
    )
    assert wanted.settings == {
        "name": "web",
        "auto_update": False,
        "scan_interval": {"timer": 60},
        "log-level": "debug",
    }


def test_a_scan_interval_of_no_minutes_is_refused() -> None:
    assert refusal(scan_interval={"timer": 0}) == (
        "Cannot use the option scan_interval: a number of minutes is less than 1. Give positive numbers."
    )


@pytest.mark.parametrize("name", ["annotations", "labels"])
def test_keys_that_differ_only_in_case_are_refused(name: str) -> None:
    assert refusal(**{name: {"Owner": "a", "owner": "b"}}) == (
        f"Cannot use the option {name}: it has a key twice (cnspec reads keys without case). Give each key once."
    )


@pytest.mark.parametrize("name", ["annotations", "labels"])
@pytest.mark.parametrize("key", ["", " ", "\t\n"])
def test_a_key_without_text_is_refused(name: str, key: str) -> None:
    assert refusal(**{name: {"owner": "a", key: "canary"}}) == (
        f"Cannot use the option {name}: it has a key without text. Give each value a key."
    )


@pytest.mark.parametrize(
    "url",
    [
        "canary",
        "mirror.example.com/canary",
        "mirror.example.com:8080",
        "user:canary@mirror",
        "//mirror.example.com",
        "ftp://mirror",
        "socks5://mirror",
        "file:///srv/mirror",
        "https://",
        "https://:443",
        "https://mirror:port",
        "https://mirror:99999",
        "https://mirror.example.com/cana ry",
        "https://mirror.example.com/a\tb",
        "https://user:cana ry@mirror",
        "https://[::1",
    ],
)
def test_an_updates_url_that_is_not_an_http_url_is_refused_and_not_quoted(url: str) -> None:
    assert refusal(updates_url=url) == (
        "Cannot use the option updates_url: it is not an http or https URL. Give one like https://mirror.example.com."
    )


@pytest.mark.parametrize(
    "url", ["https://mirror.example.com", "HTTP://mirror:8080/a@b/", "https://user:p%2Fw@mirror/x", "http://[::1]:80"]
)
def test_an_updates_url_is_taken_as_it_is(url: str) -> None:
    assert read_wanted({"updates_url": url}).settings == {"updates_url": url}


@pytest.mark.parametrize("key", ["api_proxy", "API-Proxy", "auto-update", "scan_interval.timer", "labels"])
def test_a_free_setting_that_has_an_option_is_refused(key: str) -> None:
    assert refusal(settings={key: "canary"}) == (
        f"Cannot use the option settings: {key.lower()} has an option of its own. Use that option."
    )


@pytest.mark.parametrize("key", [*IDENTITY_KEYS, "Private_Key"])
def test_a_free_setting_that_is_part_of_the_identity_is_refused(key: str) -> None:
    assert refusal(settings={key: "canary"}) == (
        f"Cannot use the option settings: {key.lower()} belongs to the registration. Use token or credentials."
    )


# Unset


def test_names_to_unset_are_stripped_and_empty_ones_dropped() -> None:
    assert read_wanted({"unset": [" labels ", "", "x"]}).unset == ("labels", "x")


@pytest.mark.parametrize("key", [*IDENTITY_KEYS, "Private_Key", "private-key", "agent-mrn", "API-Endpoint"])
def test_what_belongs_to_the_registration_is_never_unset(key: str) -> None:
    name = key.lower().replace("-", "_")
    assert refusal(unset=[key]) == f"Cannot use the option unset: {name} belongs to the registration. Name a setting."


@pytest.mark.parametrize(
    ("unset", "options"),
    [
        ("api_proxy", {"api_proxy": "http://proxy"}),
        ("api-proxy", {"api_proxy": "http://proxy"}),
        ("auto-update", {"auto_update": True}),
        ("scan_interval.timer", {"scan_interval": {"timer": 5}}),
        ("Scan-Interval.Splay", {"scan_interval": {"timer": 5, "splay": 1}}),
        ("scan_interval", {"scan_interval": {"timer": 5}}),
        ("Log-Level", {"settings": {"log-level": "x"}}),
    ],
)
def test_what_is_given_a_value_is_not_unset_as_well(unset: str, options: dict[str, t.Any]) -> None:
    assert refusal(unset=[unset], **options) == (
        f"Cannot use the option unset: {unset.lower()} is also given a value. Do one or the other."
    )


@pytest.mark.parametrize(("given", "taken"), [("timer", "splay"), ("splay", "timer")])
def test_one_part_of_a_scan_interval_may_be_set_and_the_other_unset(given: str, taken: str) -> None:
    wanted = read_wanted({"scan_interval": {given: 5}, "unset": [f"scan_interval.{taken}"]})
    assert (wanted.settings, wanted.unset) == ({"scan_interval": {given: 5}}, (f"scan_interval.{taken}",))


# File modes


@pytest.mark.parametrize(
    ("value", "mode"),
    [("0600", "0600"), ("600", "0600"), (0o600, "0600"), (0o640, "0640"), ("0400", "0400"), ("0660", "0660")],
)
def test_a_file_mode_is_four_octal_digits(value: t.Any, mode: str) -> None:
    assert file_mode(value) == mode


@pytest.mark.parametrize("value", ["canary", "u=rw", "0o600", 600, 644, "1600", True, "0680", -1, ["0600"], 1.5])
def test_what_is_no_file_mode_is_refused(value: t.Any) -> None:
    with pytest.raises(FleetError) as caught:
        file_mode(value)
    assert str(caught.value) == "Cannot use the option mode: it is not an octal file mode. Give one like '0600'."


@pytest.mark.parametrize("value", ["0644", "0604", "0601", 0o644])
def test_a_mode_that_lets_others_read_a_key_is_refused(value: t.Any) -> None:
    with pytest.raises(FleetError) as caught:
        file_mode(value)
    assert str(caught.value) == (
        "Cannot use the option mode: it would let others read a private key. Give one like '0600' or '0640'."
    )
