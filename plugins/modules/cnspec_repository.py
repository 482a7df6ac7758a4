#!/usr/bin/python

# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of cnspec_repository; the work is done by the action plugin of the same name."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: cnspec_repository
short_description: Tell a host's package manager of the repository and of the proxy on the way to it
version_added: 0.1.0
description:
  - This module is internal. It is what the role P(mondoo.fleet.cnspec#role) writes the files with that may hold the
    password of a proxy, and its options may change in any release.
  - With C(apt), that is the proxy for the repository's host. With C(dnf) and C(zypper), it is the repository.
  - A file that holds a password can be read by its owner only. What nobody mentioned stays in the files.
  - An empty text or list counts as not given, for every option.
author:
  - mondoo.fleet contributors (!UNKNOWN)
requirements:
  - Python 3.6 or later on the host, and nothing else.
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Shows the files before and after, without the password.
    support: full
  platform:
    description: The systems that this module runs on.
    support: full
    platforms: posix
  action:
    description: Runs on the controller, and asks the host by way of M(mondoo.fleet.cnspec_host).
    support: full
  async:
    description: Can be used with C(async).
    support: none
options:
  hold:
    description: Whether C(dnf) is to leave the package as it is. The default is to leave that.
    type: bool
  package_url:
    description: Where the package repositories are.
    type: str
    default: https://releases.mondoo.com
  package_proxy:
    description:
      - The proxy on the way to the repository. A password in it is masked everywhere.
      - V(none) removes what this module wrote of a proxy.
    type: str
  package_no_proxy:
    description: Hosts, domains and networks that are reached without any proxy.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Reach the repository by way of a proxy
  mondoo.fleet.cnspec_repository:
    package_proxy: http://proxy.example.com:3128
"""

RETURN = r"""
diff:
  description: For each file that was written, what was in it and what is. Passwords are hidden.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mondoo.fleet.plugins.module_utils.options import REPOSITORY_OPTIONS


def main():
    """Refuse to run: reached only when the action plugin was not found."""
    module = AnsibleModule(argument_spec=REPOSITORY_OPTIONS, supports_check_mode=True)
    module.fail_json(
        msg="Cannot run cnspec_repository on the host: it runs on the controller. "
        "Call it as mondoo.fleet.cnspec_repository."
    )


if __name__ == "__main__":
    main()
