# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host says who it is, as far as it knows."""

import os
import platform
import socket
import sys
import unittest
from unittest import mock

from scratch import NO_MOUNT, ScratchCase, in_child, in_mounts

from ansible_collections.mondoo.fleet.plugins.module_utils import host_system
from ansible_collections.mondoo.fleet.plugins.module_utils.host_system import look_at_system, machine_id, os_release

AMAZON = b"""NAME="Amazon Linux"
VERSION="2023"
ID="amzn"
ID_LIKE="fedora rhel"
VERSION_ID="2023"
PRETTY_NAME="Amazon Linux 2023"
# a comment=1

ODD='it"s'
CUT="half
"""


class SystemTest(ScratchCase):
    def test_everything_is_told(self) -> None:
        system = look_at_system()
        self.assertEqual(system.system, platform.system())
        self.assertEqual(system.hostname, socket.gethostname())
        self.assertEqual(system.python, ".".join(map(str, sys.version_info[:3])))
        self.assertEqual((system.arch, system.kernel), (os.uname().machine, os.uname().release))
        self.assertEqual(system.uid, os.geteuid())
        self.assertNotEqual(system.user, "")

    def test_os_release_is_read_as_a_shell_would(self) -> None:
        fields = os_release(["/no/such/file", self.make("os-release", AMAZON)])
        self.assertEqual((fields["ID"], fields["ID_LIKE"], fields["VERSION_ID"]), ("amzn", "fedora rhel", "2023"))
        self.assertEqual((fields["PRETTY_NAME"], fields["ODD"], fields["CUT"]), ("Amazon Linux 2023", 'it"s', "half"))

    def test_the_fields_of_os_release_are_told(self) -> None:
        with mock.patch.object(host_system, "OS_RELEASE", (self.make("os-release", AMAZON),)):
            system = look_at_system()
        if platform.system() == "Darwin":
            self.assertEqual(system.os_id, "macos")
            return
        self.assertEqual((system.os_id, system.os_like), ("amzn", ["fedora", "rhel"]))
        self.assertEqual((system.os_version, system.os_name), ("2023", "Amazon Linux 2023"))

    def test_a_host_without_os_release_still_has_a_name(self) -> None:
        with mock.patch.object(host_system, "OS_RELEASE", ()):
            self.assertNotEqual(look_at_system().os_id, "")

    def test_a_machine_that_has_no_id_yet_has_none(self) -> None:
        empty, raw = self.make("empty", b"\n"), self.make("raw", b"uninitialized\n")
        known = self.make("known", b"0123456789abcdef0123456789abcdef\n")
        self.assertEqual(machine_id(["/no/such/file", empty, raw]), None)
        self.assertEqual(machine_id([raw, known]), "0123456789abcdef0123456789abcdef")

    def test_systemd_is_told_by_its_directory(self) -> None:
        with mock.patch.object(host_system, "SYSTEMD", self.scratch):
            self.assertEqual(look_at_system().init, "systemd")
        with mock.patch.object(host_system, "SYSTEMD", self.path("not-there")):
            self.assertEqual(look_at_system().init, "")

    def test_the_address_is_one_of_this_host(self) -> None:
        address = look_at_system().ip
        if address is None:
            self.skipTest("this machine has no route to the world")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))

    @unittest.skipIf(NO_MOUNT, NO_MOUNT)
    def test_a_host_without_a_network_has_no_address(self) -> None:
        code = "import json; from ansible_collections.mondoo.fleet.plugins.module_utils import host_system as h;"
        code += "print(json.dumps(h.look_at_system().ip))"
        self.assertEqual(in_mounts('exec unshare -n "$PYTHON" -c "$CODE"', code), None)

    def test_a_user_without_a_name_is_told_by_number(self) -> None:
        if os.geteuid() != 0:
            self.skipTest("needs root, to become a user without a name")

        def work() -> str:
            os.setuid(54321)
            return look_at_system().user

        self.assertEqual(in_child(work).value, "54321")


if __name__ == "__main__":
    unittest.main()
