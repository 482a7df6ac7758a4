# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""By which way a host reaches the package repository: a proxy, none, or whatever was set before."""

from __future__ import annotations

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.package_proxy import (
    Proxy,
    Route,
    is_exempt,
    parse,
    route,
)

URL = "https://releases.mondoo.com"
PROXY = "http://proxy.example.com:3128"


def test_a_proxy_that_is_not_given_leaves_the_way_as_it_was() -> None:
    assert route(URL, "", []) == Route("kept")
    assert route(URL, "", ["other.example.com"]) == Route("kept")


@pytest.mark.parametrize("word", ["none", "None", "NONE"])
def test_the_word_none_removes_the_proxy_whatever_no_proxy_says(word: str) -> None:
    assert route(URL, word, ["mondoo.com"]) == Route("removed")


def test_a_repository_that_no_proxy_names_is_reached_directly_with_or_without_a_proxy() -> None:
    assert route(URL, PROXY, ["mondoo.com"]) == Route("direct")
    assert route(URL, "", ["mondoo.com"]) == Route("direct")


def test_a_proxy_that_is_given_is_the_way() -> None:
    assert route(URL, PROXY, ["example.org"]) == Route("proxy", Proxy(PROXY))


@pytest.mark.parametrize(
    ("entry", "exempt"),
    [
        ("releases.mondoo.com", True),
        ("Releases.Mondoo.COM", True),
        ("mondoo.com", True),
        (".mondoo.com", True),
        ("*.mondoo.com", True),
        ("com", True),
        ("*", True),
        ("releases.mondoo.com:443", True),
        ("releases.mondoo.com:80", False),
        ("mondoo.com.", True),
        ("doo.com", False),
        ("releases.mondoo.com.example.org", False),
        ("192.0.2.0/24", False),
        ("", False),
        ("*.", False),
    ],
)
def test_an_entry_of_no_proxy_is_a_host_or_a_domain(entry: str, exempt: bool) -> None:
    assert is_exempt(URL, [entry]) is exempt


@pytest.mark.parametrize(
    ("url", "entry", "exempt"),
    [
        ("http://192.0.2.7", "192.0.2.7", True),
        ("http://192.0.2.7:8080", "192.0.2.7:8080", True),
        ("http://192.0.2.7", "192.0.2.7:8080", False),
        ("http://192.0.2.7", "192.0.2.0/24", True),
        ("http://192.0.2.7", "192.0.2.9/24", True),
        ("http://192.0.2.7", "198.51.100.0/24", False),
        ("http://192.0.2.7", "2.7", False),
        ("http://192.0.2.7", "192.0.2.0/nonsense", False),
        ("http://[2001:db8::7]", "2001:db8::7", True),
        ("http://[2001:db8::7]", "[2001:DB8:0::7]", True),
        ("http://[2001:db8::7]:8080", "[2001:db8::7]:8080", True),
        ("http://[2001:db8::7]", "2001:db8::/32", True),
        ("http://mirror", "mirror", True),
    ],
)
def test_an_entry_of_no_proxy_may_be_an_address_or_a_network(url: str, entry: str, exempt: bool) -> None:
    assert is_exempt(url, ["nothing.example.com", f" {entry} "]) is exempt


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        (PROXY, Proxy(PROXY)),
        (f"{PROXY}/", Proxy(PROXY)),
        ("HTTPS://proxy.example.com", Proxy("https://proxy.example.com")),
        ("http://fleet:p%40ss%3Aw%2Ford@proxy.example.com:3128", Proxy(PROXY, "fleet", "p@ss:w/ord")),
        ("http://fleet:p@ss:w/ord@proxy.example.com:3128", Proxy(PROXY, "fleet", "p@ss:w/ord")),
        ("http://fleet@proxy.example.com:3128", Proxy(PROXY, "fleet")),
        ("http://[2001:db8::1]:3128", Proxy("http://[2001:db8::1]:3128")),
    ],
)
def test_user_and_password_of_a_proxy_are_told_from_its_place_and_decoded(url: str, proxy: Proxy) -> None:
    assert parse(url) == proxy


@pytest.mark.parametrize(
    "url", ["proxy.example.com:3128", "socks5://p:1", "http://", "http://p:99999", "http://p/path", "ftp://p", "x"]
)
def test_what_is_no_url_of_a_proxy_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(FleetError) as error:
        parse(url)
    assert str(error.value) == (
        "Cannot use the option package_proxy: its value is not the URL of a proxy. "
        "Give a URL such as http://proxy.example.com:3128, or none."
    )


def test_a_password_with_white_space_is_refused_because_apt_could_not_read_it() -> None:
    with pytest.raises(FleetError) as error:
        parse("http://fleet:two%20words@proxy.example.com:3128")
    assert str(error.value) == (
        "Cannot use the option package_proxy: its user or password holds white space, which the package managers' "
        "files cannot. Choose another password."
    )


def test_a_password_is_not_in_the_text_of_a_proxy() -> None:
    assert "canary" not in repr(route(URL, "http://fleet:canary@p:1", []))
