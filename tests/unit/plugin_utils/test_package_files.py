# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in the files that tell a package manager of the repository: ours, and what others have put there."""

from __future__ import annotations

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils import package_files as files
from ansible_collections.mondoo.fleet.plugins.plugin_utils.package_proxy import Proxy, Route

URL = "https://releases.mondoo.com"
PLACE = "http://proxy.example.com:3128"
PROXY = Route("proxy", Proxy(PLACE))
LOGIN = Route("proxy", Proxy(PLACE, "fleet", "p@ss:w/ord%1&x=#"))
KEPT = Route("kept")

YUM = """\
# Written by the role mondoo.fleet.cnspec.
[mondoo]
name=Mondoo
baseurl=https://releases.mondoo.com/rpm/$basearch/
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-mondoo
"""
ZYPP = """\
# Written by the role mondoo.fleet.cnspec.
[mondoo]
name=Mondoo
baseurl=https://releases.mondoo.com/rpm/$basearch/{query}
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-mondoo
autorefresh=1
type=rpm-md
repo_gpgcheck=0
pkg_gpgcheck=1
"""
VENDOR = """\
[mondoo]
name=Mondoo Repository
baseurl=https://releases.mondoo.com/rpm/$basearch/
enabled=1
gpgcheck=1
gpgkey=https://releases.mondoo.com/rpm/pubkey.gpg
"""
LOCK = "\ntype: package\nmatch_type: glob\ncase_sensitive: on\nsolvable_name: cnspec\n"
OTHER_LOCK = "\ntype: package\nmatch_type: glob\ncase_sensitive: on\nsolvable_name: kernel-default\n"


def test_the_source_of_apt_is_in_the_form_deb822_with_its_own_key() -> None:
    assert files.sources(URL).text == (
        "# Written by the role mondoo.fleet.cnspec.\n"
        "Types: deb\nURIs: https://releases.mondoo.com/debian/\nSuites: stable\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/mondoo-archive-keyring.gpg\n"
    )


def test_apt_is_told_of_a_proxy_for_that_host_alone() -> None:
    login, way = files.apt_proxy(URL, PROXY)
    assert login.text == ""
    assert way.text == (
        "// Written by the role mondoo.fleet.cnspec.\n"
        f'Acquire::http::Proxy::releases.mondoo.com "{PLACE}";\n'
        f'Acquire::https::Proxy::releases.mondoo.com "{PLACE}";\n'
    )


def test_apt_has_the_password_in_a_file_that_only_root_reads_and_nowhere_else() -> None:
    login, way = files.apt_proxy(URL, LOGIN)
    assert login.secret and not way.secret
    assert login.text.splitlines()[1] == f"machine {PLACE} login fleet password p@ss:w/ord%1&x=#"
    assert way.text == files.apt_proxy(URL, PROXY)[1].text


def test_apt_reaches_the_host_directly_even_where_it_has_a_proxy_for_all_others() -> None:
    login, way = files.apt_proxy(URL, Route("direct"))
    assert login.text == ""
    assert 'Acquire::https::Proxy::releases.mondoo.com "DIRECT";' in way.text


def test_apt_keeps_its_way_or_loses_ours() -> None:
    assert files.apt_proxy(URL, KEPT) == []
    assert [file.text for file in files.apt_proxy(URL, Route("removed"))] == ["", ""]


@pytest.mark.parametrize("found", ["", VENDOR, YUM, "no section\n"])
def test_the_repository_of_dnf_is_ours_whatever_was_there(found: str) -> None:
    file = files.yum_repository(URL, KEPT, None, found)
    assert (file.text, file.secret) == (YUM, False)


def test_dnf_has_user_and_password_as_they_are_and_only_root_reads_them() -> None:
    file = files.yum_repository(URL, LOGIN, None, "")
    assert file.text == YUM + f"proxy={PLACE}\nproxy_username=fleet\nproxy_password=p@ss:w/ord%1&x=#\n"
    assert file.secret


def test_the_proxy_of_dnf_stays_when_nobody_mentions_it_and_so_does_what_others_have_set() -> None:
    before = files.yum_repository(URL, LOGIN, True, "[other]\nname=Other\n\n[mondoo]\npriority=5\n").text
    file = files.yum_repository(URL, KEPT, None, before)
    assert file.text == before
    assert file.secret
    assert "[other]\nname=Other\n\n[mondoo]\npriority=5\n" in before


@pytest.mark.parametrize(("route", "line"), [(Route("removed"), ""), (Route("direct"), "proxy=_none_\n")])
def test_the_proxy_of_dnf_is_removed_or_none_at_all(route: Route, line: str) -> None:
    before = files.yum_repository(URL, LOGIN, None, "").text
    after = files.yum_repository(URL, route, None, before)
    assert (after.text, after.secret) == (YUM + line, False)


def test_another_proxy_of_dnf_replaces_the_password_too() -> None:
    before = files.yum_repository(URL, LOGIN, None, "").text
    assert files.yum_repository(URL, PROXY, None, before).text == YUM + f"proxy={PLACE}\n"


def test_dnf_holds_the_package_by_excluding_it_and_other_exclusions_stay() -> None:
    before = YUM + "exclude=other*, more\n"
    held = files.yum_repository(URL, KEPT, True, before).text
    assert held == YUM + "exclude=other* more cnspec\n"
    assert files.is_excluded(held) and not files.is_excluded(before)
    assert files.yum_repository(URL, KEPT, None, held).text == held
    assert files.yum_repository(URL, KEPT, False, held).text == YUM + "exclude=other* more\n"
    assert files.yum_repository(URL, KEPT, False, YUM + "exclude=cnspec\n").text == YUM


@pytest.mark.parametrize("found", ["", VENDOR])
def test_the_repository_of_zypper_checks_the_signature_of_packages(found: str) -> None:
    file = files.zypp_repository(URL, KEPT, found)
    assert (file.text, file.secret) == (ZYPP.format(query=""), False)


def test_zypper_has_the_proxy_in_the_address_with_its_password_encoded() -> None:
    query = f"?proxy={PLACE}&proxyuser=fleet&proxypass=p%40ss:w/ord%251%26x%3D%23"
    file = files.zypp_repository(URL, LOGIN, "")
    assert (file.text, file.secret) == (ZYPP.format(query=query), True)
    assert files.zypp_repository(URL, KEPT, file.text) == file
    assert files.zypp_repository("https://mirror", KEPT, file.text).text == file.text.replace(URL, "https://mirror")


@pytest.mark.parametrize(
    ("route", "query"), [(Route("removed"), ""), (Route("direct"), "?proxy=_none_"), (PROXY, f"?proxy={PLACE}")]
)
def test_the_proxy_of_zypper_is_removed_none_at_all_or_another(route: Route, query: str) -> None:
    before = files.zypp_repository(URL, LOGIN, "").text
    after = files.zypp_repository(URL, route, before)
    assert (after.text, after.secret) == (ZYPP.format(query=query), False)


def test_zypper_holds_the_package_by_a_lock_and_other_locks_stay() -> None:
    assert files.with_lock("", True) == LOCK
    assert files.with_lock(OTHER_LOCK, True) == OTHER_LOCK + LOCK
    assert files.with_lock(LOCK + OTHER_LOCK, False) == OTHER_LOCK
    assert files.with_lock(LOCK, True) == LOCK
    assert files.with_lock(LOCK, False) == ""
    assert files.is_locked(OTHER_LOCK + LOCK) and not files.is_locked(OTHER_LOCK)


def test_the_proxy_that_a_file_names_is_told_without_user_and_password() -> None:
    assert files.proxy_in(files.apt_proxy(URL, LOGIN)[1].text) == PLACE
    assert files.proxy_in(files.yum_repository(URL, LOGIN, None, "").text) == PLACE
    assert files.proxy_in(files.zypp_repository(URL, LOGIN, "").text) == PLACE
    assert files.proxy_in('Acquire::http::Proxy::h "http://fleet:canary@p:1";') == "http://p:1"
    assert files.proxy_in(YUM + "proxy=_none_\n") is None
    assert files.proxy_in("") is None
