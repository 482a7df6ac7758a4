# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No private key leaves the host when it was not asked for, in whatever form it stands in the file."""

import base64
import json
import unittest
from typing import List

from ansible_collections.mondoo.fleet.plugins.module_utils.hidden_keys import HIDDEN, hide_private_keys

# A key of the size of a real one, with a length that leaves its last line short.
DER = bytes((number * 37 + 11) % 256 for number in range(185))
LINES = base64.encodebytes(DER).decode().replace("\n", "")
LINES = "\n".join(LINES[start : start + 64] for start in range(0, len(LINES), 64))
PEM = "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n" % LINES
CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % base64.b64encode(b"certificate" * 9).decode()
)

HEAD = "agent_mrn: //agents.api.mondoo.app/spaces/s/agents/1\napi_endpoint: https://us.api.mondoo.com\n"
TAIL = "space_mrn: //captain.api.mondoo.app/spaces/s\n"


def indented(text: str) -> str:
    """Return a text as it stands in a YAML block."""
    return "".join("    %s\n" % line for line in text.splitlines())


BLOCK = HEAD + "certificate: |\n" + indented(CERTIFICATE) + "private_key: |\n" + indented(PEM) + TAIL
DOCUMENT = {"mrn": "//agents/1", "certificate": CERTIFICATE, "private_key": PEM, "space_mrn": "//spaces/s"}

FORMS = {
    "a YAML block": BLOCK,
    "a YAML block with CRLF": BLOCK.replace("\n", "\r\n"),
    "a YAML block with the key last": HEAD + "private_key: |\n" + indented(PEM),
    "a folded YAML scalar": HEAD + 'private_key: "' + PEM.replace("\n", "\\n\\\n  ") + '"\n' + TAIL,
    "a single-quoted YAML scalar": HEAD + "private_key: '" + PEM.replace("\n", "\n\n    ") + "'\n" + TAIL,
    "a marker folded in two": HEAD + 'private_key: "' + PEM.replace(" KEY", "\n    KEY").replace("\n", "\\n") + '"\n',
    "one line of JSON": json.dumps(DOCUMENT),
    "JSON with escaped CRLF": json.dumps(dict(DOCUMENT, private_key=PEM.replace("\n", "\r\n"))),
    "indented JSON": json.dumps(DOCUMENT, indent=2),
    "an EC key": BLOCK.replace("PRIVATE KEY", "EC PRIVATE KEY"),
    "an encrypted key": BLOCK.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
    "a key without any name": HEAD + PEM + TAIL,
    "two keys": BLOCK + "other: |\n" + indented(PEM),
    "DER on the line of its name": HEAD + "private_key: " + LINES.replace("\n", "") + "\n" + TAIL,
    "DER in quotes": HEAD + "private_key: '" + LINES.replace("\n", "") + "'\n" + TAIL,
    "DER in a block": HEAD + "private_key: |\n" + indented(LINES) + TAIL,
    "DER in a block that is not indented": HEAD + "private_key: |\n" + LINES + "\n" + TAIL,
    "DER in JSON": json.dumps(dict(DOCUMENT, private_key=LINES.replace("\n", ""))),
    "DER in a flow mapping": "{mrn: x, private_key: %s, space_mrn: y}\n" % LINES.replace("\n", ""),
    "DER under another spelling": HEAD
    + "privateKey: "
    + LINES.replace("\n", "")
    + "\nPRIVATE-KEY="
    + LINES[:64]
    + "\n",
    "DER in a nested mapping": HEAD + "credentials:\n  private_key: >-\n" + indented(LINES) + "  mrn: x\n" + TAIL,
    "base64 of the document": base64.b64encode(json.dumps(DOCUMENT).encode()).decode(),
    "base64 of the document in lines": base64.encodebytes(json.dumps(DOCUMENT).encode()).decode(),
    "base64 of the key": HEAD + "private_key_base64: " + base64.b64encode(PEM.encode()).decode() + "\n" + TAIL,
}
UTF_16 = BLOCK.encode("utf-16")


def pieces(text: str, length: int = 12) -> List[bytes]:
    """Return every piece of a text of some length."""
    return [text[start : start + length].encode() for start in range(len(text) - length + 1)]


# What may not be found afterwards: any dozen characters of the key, as written in the file or as base64 of that.
SECRETS = [piece for line in LINES.split("\n")[:2] for piece in pieces(line)]
SECRETS_TWICE = SECRETS + pieces(base64.b64encode(PEM.encode()).decode()[40:-4])


class HidingTest(unittest.TestCase):
    def assert_hidden(self, content: bytes, what: str) -> bytes:
        hidden = hide_private_keys(content)
        shown = [secret for secret in SECRETS_TWICE if secret in hidden]
        self.assertEqual(shown, [], "%s: %r" % (what, hidden))
        return hidden

    def test_a_key_is_hidden_in_every_form(self) -> None:
        for name, text in sorted(FORMS.items()):
            with self.subTest(name):
                self.assertTrue(any(secret in text.replace("\\n\\\n  ", "").encode() for secret in SECRETS_TWICE))
                self.assertIn(HIDDEN, self.assert_hidden(text.encode(), name))

    def test_a_key_is_hidden_wherever_the_file_was_cut_off(self) -> None:
        for name in ("a YAML block", "one line of JSON", "DER on the line of its name", "a folded YAML scalar"):
            for end in range(0, len(FORMS[name]), 3):
                self.assert_hidden(FORMS[name][:end].encode(), "%s, cut at %d" % (name, end))

    def test_a_key_is_hidden_when_the_first_part_of_the_file_is_gone(self) -> None:
        for name in ("a YAML block", "one line of JSON"):
            for start in range(0, len(FORMS[name]), 3):
                self.assert_hidden(FORMS[name][start:].encode(), "%s, from %d" % (name, start))

    def test_a_file_in_utf_16_is_hidden_whole(self) -> None:
        self.assertEqual(hide_private_keys(UTF_16), HIDDEN)

    def test_what_is_not_a_key_stays_as_it_is(self) -> None:
        frame = "    -----BEGIN PRIVATE KEY-----(hidden)-----END PRIVATE KEY-----\n"
        self.assertEqual(
            hide_private_keys(BLOCK.encode()).decode(),
            HEAD + "certificate: |\n" + indented(CERTIFICATE) + "private_key: |\n" + frame + TAIL,
        )

    def test_json_stays_json(self) -> None:
        for name in ("one line of JSON", "indented JSON", "DER in JSON"):
            hidden = json.loads(hide_private_keys(FORMS[name].encode()).decode())
            self.assertEqual(dict(hidden, private_key=""), dict(DOCUMENT, private_key=""))
            self.assertIn("(hidden)", hidden["private_key"])

    def test_what_stands_after_the_key_stays(self) -> None:
        for name, text in sorted(FORMS.items()):
            if text.endswith(TAIL):
                with self.subTest(name):
                    hidden = hide_private_keys(text.encode()).decode()
                    self.assertTrue(hidden.startswith(HEAD) and hidden.endswith(TAIL), hidden)

    def test_a_file_without_a_key_stays_as_it_is(self) -> None:
        long = "annotations:\n  note: %s\n" % ("word " * 40)
        for text in ("", "\n", HEAD, TAIL, HEAD + "certificate: |\n" + indented(CERTIFICATE), "private_key:\n", long):
            self.assertEqual(hide_private_keys(text.encode()), text.encode())

    def test_hiding_again_changes_nothing(self) -> None:
        for name, text in sorted(FORMS.items()):
            with self.subTest(name):
                once = hide_private_keys(text.encode())
                self.assertEqual(hide_private_keys(once), once)

    def test_a_large_file_of_anything_is_done_soon(self) -> None:
        for part in (
            b"-----BEGIN ",
            b"private_key: ",
            b"A",
            b"a\n",
            b'"\\',
            b"private_key: |\n",
            b" ",
            b"\n \t",
            b"private_key",
            LINES.encode(),
            b"A" * 40 + b" ",
        ):
            hide_private_keys(part * (1024 * 1024 // len(part) // 4))


if __name__ == "__main__":
    unittest.main()
