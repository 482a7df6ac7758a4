# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key is known by its fingerprint, in whatever form it lies in a file, and nothing else is taken for one."""

import base64
import unittest

from ansible_collections.mondoo.fleet.plugins.module_utils.openpgp_key import (
    BadKey,
    PublicKey,
    armored,
    is_armored,
    read_keys,
)

# Made by gpg 2.2, which says that these are their fingerprints; nobody has the secret halves.
WANTED_FINGERPRINT = "7DF770B922B2F7A4406B0913853CFE58332BA841"
WANTED = b"""\
-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawFy0hYJKwYBBAHaRw8BAQdAxpBgaW+aa7Kej8cm8uxSsikwe3S+5nmr71DG
SS9zcHu0G3RoZSB3YW50ZWQga2V5IG9mIHRoZSB0ZXN0c4iQBBMWCAA4FiEEffdw
uSKy96RAawkThTz+WDMrqEEFAmsBctICGwMFCwkIBwIGFQoJCAsCBBYCAwECHgEC
F4AACgkQhTz+WDMrqEGKIwEAvy1Xdwv4EOF0k37nahNbMQThzxeKF6WF2dkdZmHI
yLIA/2DruVavFbNHrgb5BRNRZlxI8sq5BEF93WmneCxL18cB
=Z+H7
-----END PGP PUBLIC KEY BLOCK-----
"""
OTHER_FINGERPRINT = "5AB8CD1A4960E8279F60BE129A23B5EA9F08EE20"
OTHER = b"""\
-----BEGIN PGP PUBLIC KEY BLOCK-----
Comment: some programs write a line like this

mDMEawFy0hYJKwYBBAHaRw8BAQdA1q47wg9HgN8TbKzLeQAms2aAK/zcXVDKhJGJ
9tIEQfy0GnRoZSBvdGhlciBrZXkgb2YgdGhlIHRlc3RziJAEExYIADgWIQRauM0a
SWDoJ59gvhKaI7XqnwjuIAUCawFy0gIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIX
gAAKCRCaI7XqnwjuIApTAQCzEP6hj9uWQ8Ouu4z5MJeOD0E5MqmUdb4aPIFAzjyx
NQD/SdBJezHBpAYPORzvu7YhM9MBxxDurFzTZA5sOVvkAgA=
=CVNW
-----END PGP PUBLIC KEY BLOCK-----
"""
# The primary key of the sample of version 6 in RFC 9580, A.3, with the fingerprint that is said there.
VERSION_6 = base64.b64decode("xioGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laM=")
VERSION_6_FINGERPRINT = "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9"


def binary(text: bytes) -> bytes:
    """Return what gpg --dearmor makes of a key."""
    return b"".join(key.packets for key in read_keys(text))


class Fingerprints(unittest.TestCase):
    def test_the_fingerprint_is_the_one_that_gpg_prints(self) -> None:
        self.assertEqual([key.fingerprint for key in read_keys(WANTED)], [WANTED_FINGERPRINT])
        self.assertEqual([key.fingerprint for key in read_keys(OTHER)], [OTHER_FINGERPRINT])

    def test_the_fingerprint_of_a_key_of_version_6_is_the_one_of_its_specification(self) -> None:
        self.assertEqual([key.fingerprint for key in read_keys(VERSION_6)], [VERSION_6_FINGERPRINT])

    def test_a_version_that_nobody_knows_is_refused(self) -> None:
        with self.assertRaisesRegex(BadKey, r"^its version \(9\) is not known$"):
            read_keys(VERSION_6.replace(b"\xc6\x2a\x06", b"\xc6\x2a\x09"))


class Forms(unittest.TestCase):
    def test_text_and_binary_are_the_same_key(self) -> None:
        self.assertEqual(read_keys(binary(WANTED)), read_keys(WANTED))

    def test_several_keys_in_one_file_are_kept_apart_each_with_what_belongs_to_it(self) -> None:
        both = [read_keys(WANTED)[0], read_keys(OTHER)[0]]
        self.assertEqual(read_keys(binary(WANTED) + binary(OTHER)), both)
        self.assertEqual(read_keys(WANTED + b"\nand another:\n" + OTHER), both)

    def test_line_ends_of_windows_do_no_harm(self) -> None:
        self.assertEqual(read_keys(WANTED.replace(b"\n", b"\r\n")), read_keys(WANTED))

    def test_a_key_is_written_as_text_with_the_checksum_that_gpg_writes(self) -> None:
        self.assertEqual(armored(binary(WANTED)), WANTED)
        self.assertTrue(is_armored(WANTED))
        self.assertFalse(is_armored(binary(WANTED)))

    def test_each_form_of_a_length_is_read(self) -> None:
        body = VERSION_6[2:]
        for head in (b"\xc6\xff\x00\x00\x00\x2a", b"\x98\x2a", b"\x99\x00\x2a", b"\x9a\x00\x00\x00\x2a"):
            self.assertEqual(read_keys(head + body), [PublicKey(VERSION_6_FINGERPRINT, head + body)])
        # Two octets say a length from 192 on: a user ID of that length.
        long_id = b"\xcd\xc0\x08" + b"x" * 200
        self.assertEqual(read_keys(VERSION_6 + long_id)[0].packets, VERSION_6 + long_id)


class NoKeys(unittest.TestCase):
    def test_what_is_no_key_is_refused(self) -> None:
        for content in (b"", b"<html>not found</html>", b"-----BEGIN CERTIFICATE-----\n", b"\xcd\x01x"):
            with self.assertRaisesRegex(BadKey, "^there is no OpenPGP public key in it$"):
                read_keys(content)

    def test_a_key_that_is_cut_off_is_refused(self) -> None:
        whole = binary(WANTED)
        for length in (1, 2, 30, len(whole) - 1):
            with self.assertRaises(BadKey):
                read_keys(whole[:length])

    def test_text_that_is_damaged_is_refused(self) -> None:
        with self.assertRaisesRegex(BadKey, "^its text is damaged$"):
            read_keys(WANTED.replace(b"mDMEawFy", b"mDME*wFy"))

    def test_a_secret_key_is_refused(self) -> None:
        with self.assertRaisesRegex(BadKey, "^it holds a secret key$"):
            read_keys(b"\xc5" + VERSION_6[1:])

    def test_a_length_that_is_not_given_is_refused(self) -> None:
        for head in (b"\x9b", b"\xc6\xe5"):
            with self.assertRaisesRegex(BadKey, "^the length of a part of it is not given$"):
                read_keys(head + VERSION_6[2:])


if __name__ == "__main__":
    unittest.main()
