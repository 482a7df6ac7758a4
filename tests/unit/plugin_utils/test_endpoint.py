# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.mondoo.fleet.plugins.plugin_utils.endpoint import check_endpoint, loopback, normalise_endpoint
from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError

LIKE = "Give one like https://eu.api.mondoo.com."


@pytest.mark.parametrize(
    "url",
    [
        "https://eu.api.mondoo.com",
        "https://eu.api.mondoo.com/",
        "https://eu.api.mondoo.com//",
        "https://eu.api.mondoo.com:443",
        "https://eu.api.mondoo.com:443/",
        "HTTPS://EU.API.MONDOO.COM",
        "eu.api.mondoo.com",
        "  eu.api.mondoo.com/\n",
    ],
)
def test_spellings_of_one_endpoint_are_equal(url: str) -> None:
    assert normalise_endpoint(url) == "https://eu.api.mondoo.com"
    assert check_endpoint(url) == "https://eu.api.mondoo.com"


@pytest.mark.parametrize(
    "url",
    ["https://us.api.mondoo.com", "https://eu.api.mondoo.com:8443", "https://eu.api.mondoo.com/Path"],
)
def test_other_endpoints_are_not_equal(url: str) -> None:
    assert normalise_endpoint(url) == url


def test_the_path_keeps_its_case() -> None:
    assert normalise_endpoint("HTTPS://EU.example.com/Mondoo/") == "https://eu.example.com/Mondoo"


@given(st.text() | st.from_regex(r"[hH]ttps?:/{0,3}[a-z.:/?@#0-9\[\] ]{0,20}", fullmatch=True))
@settings(deadline=None, max_examples=300)
def test_normalising_twice_is_normalising_once(url: str) -> None:
    once = normalise_endpoint(url)
    assert normalise_endpoint(once) == once


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///",
        "https://:443",
        "https://host:port",
        "https://host:99999",
        "ftp://host",
        "https://two words",
        "https://ho\nst",
        "https://ho\tst/path",
        "https://user:canary@host",
        "https://host?key=canary",
        "https://host#part",
        "https://[::1",
    ],
)
def test_an_endpoint_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(FleetError) as caught:
        check_endpoint(url)
    assert (str(caught.value), caught.value.code) == (
        f"Cannot use the API endpoint: it is not a URL. {LIKE}",
        "endpoint_invalid",
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.1.2.3", "localhost", "[::1]:80", "LOCALHOST:1"])
def test_plain_http_is_used_on_this_machine(host: str) -> None:
    assert check_endpoint(f"http://{host}") == f"http://{host.lower()}"
    assert loopback(f"http://{host}")


@pytest.mark.parametrize(
    "host",
    ["eu.api.mondoo.com", "127.0.0.1.example.com", "localhost.example.com", "10.0.0.1", "[2001:db8::1]", "0.0.0.0"],
)
def test_plain_http_is_used_nowhere_else(host: str) -> None:
    with pytest.raises(FleetError) as caught:
        check_endpoint(f"http://{host}")
    assert str(caught.value) == f"Cannot use the API endpoint: it is plain http. {LIKE}"


@given(st.text())
@settings(deadline=None, max_examples=200)
def test_whatever_the_text_checking_gives_a_normal_endpoint_or_one_line(url: str) -> None:
    try:
        checked = check_endpoint(url)
    except FleetError as error:
        assert "\n" not in str(error)
    else:
        assert check_endpoint(checked) == checked
        assert checked.startswith("https://") or loopback(checked)
