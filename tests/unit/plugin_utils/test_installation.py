# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the step install, and packages that lie on the controller."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mondoo.fleet.plugins.plugin_utils.errors import FleetError
from ansible_collections.mondoo.fleet.plugins.plugin_utils.install_plan import Archive
from ansible_collections.mondoo.fleet.plugins.plugin_utils.installation import want, want_repository
from ansible_collections.mondoo.fleet.plugins.plugin_utils.package_archive import read
from ansible_collections.mondoo.fleet.plugins.plugin_utils.package_files import File
from ansible_collections.mondoo.fleet.plugins.plugin_utils.package_proxy import Proxy, Route
from ansible_collections.mondoo.fleet.plugins.plugin_utils.repository_writer import Change

FINGERPRINT = "4CE909E26AE7439C39CE7647AC69C65100E1C42B"
OPTIONS = {"package_url": "https://releases.mondoo.com", "package_key_fingerprint": FINGERPRINT}
CONTROL = b"Package: cnspec\nVersion: 1:13.0.1-2\nArchitecture: amd64\nDescription: x\n Version: 9\n"


def ar(*members: tuple[str, bytes]) -> bytes:
    text = b"!<arch>\n"
    for name, content in members:
        text += f"{name:<16}{'0':<12}{'0':<6}{'0':<6}{'100644':<8}{len(content):<10}`\n".encode() + content
        text += b"\n" * (len(content) % 2)
    return text


def tar(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def deb(control: bytes = lzma.compress(tar("./control", CONTROL)), name: str = "control.tar.xz/") -> bytes:
    return ar(("debian-binary", b"2.0\n"), ("_odd", b"x"), (name, control), ("data.tar.xz", b"no archive"))


def header(*texts: tuple[int, str]) -> bytes:
    index, store = b"", b""
    for tag, text in texts:
        index += struct.pack(">IIII", tag, 6, len(store), 1)
        store += text.encode() + b"\0"
    return b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", len(texts), len(store)) + index + store


def rpm() -> bytes:
    signature = header((1000, "signature"))
    lead = b"\xed\xab\xee\xdb" + bytes(92)
    padding = bytes(-len(signature) % 8)
    return lead + signature + padding + header((1000, "cnspec"), (1001, "13.0.1"), (1002, "1")) + b"payload"


def file(folder: Path, content: bytes) -> str:
    path = folder / "package"
    path.write_bytes(content)
    return str(path)


def refusal(options: dict[str, t.Any]) -> str:
    with pytest.raises(FleetError) as error:
        want({**OPTIONS, **options})
    return str(error.value)


def test_a_deb_and_an_rpm_say_themselves_what_they_hold(tmp_path: Path) -> None:
    for content, kind in ((deb(), "deb"), (deb(tar("control", CONTROL), "control.tar"), "deb"), (rpm(), "rpm")):
        path = file(tmp_path, content)
        assert read(path) == Archive(path, t.cast("t.Any", kind), "cnspec", "13.0.1")


def test_a_deb_in_a_form_that_python_does_not_read_tells_nothing(tmp_path: Path) -> None:
    path = file(tmp_path, deb(b"\x28\xb5\x2f\xfdrest", "control.tar.zst"))
    assert read(path) == Archive(path, "deb", None, None)


@pytest.mark.parametrize(
    "content",
    [deb()[:60], deb(b"nothing"), deb(tar("other", b"")), ar(("x", b"")), rpm()[:100], rpm()[:200], rpm()[:-20]],
)
def test_a_damaged_package_is_refused(tmp_path: Path, content: bytes) -> None:
    path = file(tmp_path, content)
    with pytest.raises(FleetError) as error:
        read(path)
    assert str(error.value) == f"Cannot use the option package_file: {path} is damaged. Fetch it again."


def test_a_file_that_is_no_package_or_is_not_there_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, b"PK")
    assert refusal({"package_file": [path]}) == (
        f"Cannot use the option package_file: {path} is no .deb and no .rpm. Name a package."
    )
    assert refusal({"package_file": ["/nowhere/x.deb"]}) == (
        "Cannot use the option package_file: /nowhere/x.deb cannot be read on the controller "
        "(No such file or directory). Check the path."
    )
    assert refusal({"package_file": ["x.deb"]}) == (
        "Cannot use the option package_file: x.deb is not found on the controller. "
        "Put it in files/ beside the playbook."
    )


@pytest.mark.parametrize(
    "url", ["releases.mondoo.com", "ftp://x", "http://", "https://x/?a=b", "https://x y", "http://x:y"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    for name in ("package_url", "package_key_url"):
        assert refusal({name: url}) == (
            f"Cannot use the option {name}: its value is no URL of a folder or file. "
            "Give one such as https://releases.mondoo.com."
        )


def test_a_password_in_the_address_is_refused_because_every_user_of_the_host_could_read_it() -> None:
    assert refusal({"package_url": "https://user:canary@mirror.example.com"}) == (
        "Cannot use the option package_url: it holds a user or password. Let the mirror know the hosts by other means."
    )


@pytest.mark.parametrize("version", ["13", "13.0", "v13.0.1", "newest", "13.0.1; rm", "13.0.1*", "1 3.0.1"])
def test_a_version_that_is_not_a_whole_one_is_refused(version: str) -> None:
    assert refusal({"version": version}) == (
        "Cannot use the option version: its value is no full version. Give one such as 13.0.1, or latest."
    )


@pytest.mark.parametrize("version", ["13.0.1", "13.0.1-1", "13.0.1~rc1", "latest"])
def test_a_whole_version_is_taken(version: str) -> None:
    assert want({**OPTIONS, "version": version}).version == version
    assert want({**OPTIONS, "version": "Latest"}).version == "latest"


@pytest.mark.parametrize("text", ["00E1C42B", "AC69C65100E1C42B", FINGERPRINT + "0", FINGERPRINT.replace("4", "G")])
def test_a_fingerprint_that_is_not_a_whole_one_is_refused(text: str) -> None:
    assert refusal({"package_key_fingerprint": text}) == (
        "Cannot use the option package_key_fingerprint: its value is not 40 (or 64) hexadecimal digits. "
        "Give all of them."
    )


def test_a_fingerprint_may_be_written_as_gpg_prints_it() -> None:
    spaced = "4CE9 09E2 6AE7 439C 39CE  7647 AC69 C651 00E1 C42B"
    for text in (spaced, FINGERPRINT.lower(), f"0x{FINGERPRINT}"):
        assert want({**OPTIONS, "package_key_fingerprint": text}).fingerprint == FINGERPRINT


def test_the_key_of_another_host_may_have_another_way() -> None:
    wanted = want(
        {
            **OPTIONS,
            "package_url": "https://mirror.example.com/",
            "package_key_url": "https://keys.example.org/k.asc",
            "package_proxy": "http://p:1",
            "package_no_proxy": ["example.com"],
        }
    )
    assert (wanted.url, wanted.route, wanted.key_route) == (
        "https://mirror.example.com",
        Route("direct"),
        Route("proxy", Proxy("http://p:1")),
    )
    assert want_repository(OPTIONS).route == Route("kept")


def test_a_diff_hides_passwords_and_tells_that_they_changed() -> None:
    def shown(before: str, after: str) -> tuple[str, str]:
        diff = Change(File("/f", after), before.encode()).diff
        return diff["before"], diff["after"]

    login = "machine http://p:1 login fleet password {}\n"
    assert shown(login.format("old-canary"), login.format("new-canary")) == (
        login.format("(hidden)"),
        login.format("(hidden, changed)"),
    )
    for line in (
        "proxy_password={}\n",
        "proxy_password = {}\n",
        "baseurl=http://m/?proxy=x&proxyuser=u&proxypass={}\n",
    ):
        assert shown(line.format("canary"), "") == (line.format("(hidden)"), "")
        assert shown("", line.format("canary")) == ("", line.format("(hidden)"))
        assert shown("a\n" + line.format("same"), line.format("same"))[1] == line.format("(hidden)")
