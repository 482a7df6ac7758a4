#!/usr/bin/python

# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: cnspec_keyring
short_description: Put the key that signs a package repository in place, if it has the right fingerprint
version_added: 0.1.0
description:
  - This module is internal. It is what the role P(mondoo.fleet.cnspec#role) fetches the key of the package repository
    with, and its options may change in any release.
  - It fetches the key on the host, computes its fingerprint, and writes the key only if that is the wanted one. Of a
    file with several keys the wanted one is taken, and no other.
  - A file that has the wanted key already, and no other, is left as it is, and nothing is fetched.
author:
  - mondoo.fleet contributors (!UNKNOWN)
requirements:
  - Python 3.6 or later on the host, and nothing else. C(gpg) does not have to be installed.
attributes:
  check_mode:
    description: Can run in check mode. The key is not fetched then.
    support: full
  diff_mode:
    description: A key says nothing to people; the result names its fingerprint.
    support: none
  platform:
    description: The systems that this module runs on.
    support: full
    platforms: posix
options:
  path:
    description: The file, an absolute path. Its directory is made if it is missing.
    type: str
    required: true
  url:
    description: Where the key is, armored or binary.
    type: str
    required: true
  fingerprint:
    description: The fingerprint of the primary key, 40 hexadecimal digits (64 for version 5 and 6).
    type: str
    required: true
  armored:
    description: Write the key as text, as C(rpm) wants it, and not binary, as C(apt) does.
    type: bool
    default: false
  proxy:
    description: The proxy to fetch it through, with its user and password. The default is the environment's.
    type: str
  use_proxy:
    description: Set to V(false) to use no proxy at all.
    type: bool
    default: true
  reach:
    description: Only find out whether the server answers, and fail if it does not. Nothing is written.
    type: bool
    default: false
  timeout:
    description: How long the server may keep silent, in seconds.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Install the key of the package repository
  mondoo.fleet.cnspec_keyring:
    path: /usr/share/keyrings/mondoo-archive-keyring.gpg
    url: https://releases.mondoo.com/debian/pubkey.gpg
    fingerprint: 4CE909E26AE7439C39CE7647AC69C65100E1C42B
"""

RETURN = r"""
fingerprint:
  description: The fingerprint of the key that is there now, or would be.
  returned: success
  type: str
  sample: 4CE909E26AE7439C39CE7647AC69C65100E1C42B
path:
  description: The file.
  returned: success
  type: str
  sample: /usr/share/keyrings/mondoo-archive-keyring.gpg
"""

import os
import socket
import tempfile
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

from ansible_collections.mondoo.fleet.plugins.module_utils.host_file import read_view
from ansible_collections.mondoo.fleet.plugins.module_utils.openpgp_key import BadKey, armored, holds_only, read_keys

# A key has some KiB.
SIZE_LIMIT = 1024 * 1024
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class CannotFetch(Exception):
    """Say why there is no file; its text holds no password. `answered`: the server said so itself."""

    def __init__(self, cause, answered):
        super().__init__(cause)
        self.answered = answered


def is_there(module):
    """Tell whether the file holds the wanted key, nothing else, in the wanted form."""
    content = read_view(module.params["path"]).content
    return holds_only(content, module.params["fingerprint"], module.params["armored"])


def set_proxy(url):
    """Let this process, and nothing else, use a proxy."""
    for name in PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    os.environ["http_proxy"] = os.environ["https_proxy"] = url


def fetch(module):
    """Return what the server gives. Raises CannotFetch."""
    if module.params["proxy"] and module.params["use_proxy"]:
        set_proxy(module.params["proxy"])
    options = {name: module.params[name] for name in ("use_proxy", "timeout")}
    try:
        return open_url(module.params["url"], **options).read(SIZE_LIMIT + 1)
    except Exception as error:
        # Of the errors of urllib, http.client and Ansible's own for certificates, no class is common.
        answered = isinstance(error, HTTPError) and error.code < 500 and error.code != 407  # 407: the proxy said it
        raise CannotFetch(" ".join(explain(error).split()), answered) from None


def explain(error):
    """Return why something could not be fetched, in words."""
    if isinstance(error, HTTPError):
        return "the answer is %d %s" % (error.code, error.reason)
    reason = error.reason if isinstance(error, URLError) else error
    return (
        "there is no answer in time" if isinstance(reason, socket.timeout) else str(reason) or error.__class__.__name__
    )


def choose(module, content):
    """Return the wanted key of a file; ends the module if it is not in it."""
    wanted = module.params["fingerprint"]
    if len(content) > SIZE_LIMIT:
        refuse(module, "what is there is too large to be one", "Check cnspec_package_key_url")
    try:
        keys = read_keys(content)
    except BadKey as error:
        refuse(module, str(error), "Check cnspec_package_key_url")
    for key in keys:
        if key.fingerprint == wanted:
            return armored(key.packets) if module.params["armored"] else key.packets
    found = " and ".join(key.fingerprint for key in keys)
    remedy = "Ask whoever runs the repository, and set cnspec_package_key_fingerprint only if that is its new key"
    return refuse(module, "its fingerprint is %s, not %s" % (found, wanted), remedy)


def refuse(module, cause, remedy):
    """End the module."""
    module.fail_json(msg="Cannot install the key %s: %s. %s." % (module.params["url"], cause.rstrip("."), remedy))


def proxy_of(module):
    """Return the proxy as a place without user and password, and remember these as secrets."""
    try:
        proxy = urlsplit(module.params["proxy"] or "")
        module.no_log_values.update(word for word in (proxy.password, unquote(proxy.password or "")) if word)
        return " by way of the proxy %s:%s" % (proxy.hostname, proxy.port or 80) if proxy.hostname else ""
    except ValueError:
        return " by way of the proxy"


def have_key(module):
    """Fetch and write the key, if it is not there; return whether it was not."""
    way = proxy_of(module)
    if is_there(module):
        return False
    if not module.check_mode:
        try:
            content = fetch(module)
        except CannotFetch as error:
            remedy = "Check that the host can reach it, or set cnspec_package_proxy"
            refuse(module, "it cannot be fetched%s (%s)" % (way, error), remedy)
        write(module, choose(module, content))
    return True


def reach(module):
    """End the module if the server does not answer."""
    way = proxy_of(module)
    try:
        fetch(module)
    except CannotFetch as error:
        if not error.answered:
            msg = "Cannot reach the package repository%s: %s gives nothing (%s). %s."
            remedy = "Check cnspec_package_proxy and cnspec_package_no_proxy"
            module.fail_json(msg=msg % (way, module.params["url"], error, remedy))


def write(module, content):
    """Write the file in one step; its directory is made if it is missing."""
    path = module.params["path"]
    try:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".cnspec_keyring.")
        module.add_cleanup_file(temporary)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
    except OSError as error:
        refuse(module, "%s cannot be written (%s)" % (path, error.strerror), "Run as root (become: true)")
    module.atomic_move(temporary, path)


def main():
    """Have the key in place."""
    module = AnsibleModule(
        argument_spec=dict(
            path=dict(type="str", required=True),
            url=dict(type="str", required=True),
            fingerprint=dict(type="str", required=True, no_log=False),
            armored=dict(type="bool", default=False),
            proxy=dict(type="str", no_log=True),
            use_proxy=dict(type="bool", default=True),
            reach=dict(type="bool", default=False),
            timeout=dict(type="int", default=30),
        ),
        supports_check_mode=True,
    )
    module.params["fingerprint"] = "".join(module.params["fingerprint"].split()).upper()
    if module.params["reach"]:
        reach(module)
        module.exit_json(changed=False)
    changed = have_key(module)
    if not changed or not module.check_mode:
        changed = module.set_mode_if_different(module.params["path"], "0644", changed)
    module.exit_json(changed=changed, path=module.params["path"], fingerprint=module.params["fingerprint"])


if __name__ == "__main__":
    main()
