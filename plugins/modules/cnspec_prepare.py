#!/usr/bin/python

# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of cnspec_prepare; the work is done by the action plugin of the same name."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: cnspec_prepare
short_description: Look at a host for the steps of the role cnspec
version_added: 0.1.0
description:
  - This module is internal. It is what the role P(mondoo.fleet.cnspec#role) looks at a host with, once, before its
    steps, and its options and its result may change in any release.
  - It changes nothing. It tells what kind of host this is, and how its package, its service and its clock stand.
  - An empty text, dictionary or list counts as not given, for every option.
author:
  - mondoo.fleet contributors (!UNKNOWN)
requirements:
  - Python 3.6 or later on the host, and nothing else. C(cnspec) does not have to be installed.
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: There is nothing to show, because nothing is changed.
    support: none
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
  state:
    description: Whether the host is to be registered, or to be taken off the platform; then no step has anything to do.
    type: str
    choices: [present, absent]
    default: present
  config_path:
    description: As of M(mondoo.fleet.mondoo_registration).
    type: str
  cnspec_path:
    description: As of M(mondoo.fleet.mondoo_status).
    type: str
  ntp_servers:
    description: Time servers that the time service is to ask.
    type: list
    elements: str
  ntp_wait:
    description: How long the clock may take to be right, in seconds.
    type: int
    default: 60
  wait_for_clock:
    description:
      - Look again and again until the clock is right, for O(ntp_wait) seconds at most, and fail for one that stays
        wrong.
    type: bool
    default: false
  controller_offset:
    description: The controller's clock minus the platform's, in seconds, where that is known.
    type: float
  version:
    description: The version of the package that is wanted, or V(latest).
    type: str
  hold:
    description: Whether the package manager is to be kept from upgrading the package. The default is to leave that.
    type: bool
  package_file:
    description: The package on the controller, and those that it needs beside it.
    type: list
    elements: str
  package_url:
    description: Where the package repositories are.
    type: str
    default: https://releases.mondoo.com
  package_key_url:
    description: Where the key of the repository is.
    type: str
  package_key_fingerprint:
    description: The fingerprint of that key.
    type: str
    default: 4CE909E26AE7439C39CE7647AC69C65100E1C42B
  package_proxy:
    description: The proxy on the way to the repository. A password in it is masked everywhere.
    type: str
  package_no_proxy:
    description: Hosts that are reached without that proxy.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Look at the host
  mondoo.fleet.cnspec_prepare:
    version: 13.0.1
  register: host
"""

RETURN = r"""
family:
  description: Debian, RedHat, Suse, Darwin or Windows; an empty text for any other system.
  returned: success
  type: str
  sample: Debian
init:
  description: V(systemd), or an empty text for a host without an init system, or with another one.
  returned: success
  type: str
  sample: systemd
container:
  description: Whether the host is a container.
  returned: success
  type: bool
system:
  description: The operating system, as C(id), C(like), C(version), C(name) and C(arch); C(python), C(user) and C(uid).
  returned: success
  type: dict
config:
  description: The C(path) of the configuration, and whether it C(exists).
  returned: success
  type: dict
cnspec:
  description:
    - The C(path) of the command, the name of the C(package), its C(version), and whether it is C(held).
    - Null stands for what is not there or not known.
  returned: success
  type: dict
service:
  description:
    - The C(unit) of the agent (null when there is none), whether it is C(active), C(enabled), C(masked) or C(failed),
      and whether it C(needs_restart) because its configuration was written after it started.
    - Whether there is anything C(todo) as it stands, and what, as whether to C(enable) it, when to C(start) it (C(now),
      or once it is C(registered)), whether it is C(restartable) when its configuration changes, and why it is to
      C(restart) in any case. C(left_alone) says why nothing is done, C(problem) why nothing can be done.
  returned: success
  type: dict
collection_problem:
  description: The collection that the family's packages need and the controller lacks; an empty text without one.
  returned: success
  type: str
  sample: ""
clock:
  description:
    - C(offset) is the host's clock minus the controller's, in seconds. C(settable) tells whether services may set it.
    - C(service) is the kind of time service that runs, C(unit) its unit; C(enabled) and C(synchronized) are as of
      M(mondoo.fleet.mondoo_status).
  returned: success
  type: dict
time:
  description:
    - What the step time has to do. C(todo) is a list of some of C(look), C(say), C(install), C(configure), C(enable),
      C(start), C(step) and C(wait), in this order; an empty one where nothing has to be done.
    - C(service) is the time service to use (C(kind), C(unit), C(package), C(runs), C(enabled)), null for none; C(files)
      are the blocks of lines to add (C(path), C(block), C(own)), C(folders) what is missing for them.
    - C(problem) tells why nothing can be done, C(notes) what is left undone.
    - C(verdict) on the clock is C(right), C(wrong) or C(doubtful). C(in_step), C(can_wait), C(cause) and C(remedy) are
      what waiting for it goes by.
  returned: success
  type: dict
install:
  description:
    - What the step install has to do, if anything is C(todo); C(problem) is why it cannot be done, null when it can.
    - C(package) is C(present), C(latest), C(version) or C(file), empty when the package is as it is to be; C(version)
      is the one that is wanted. C(foretold) is what check mode says of it, null where the package manager can tell.
    - C(key), C(sources), C(obsolete) and C(repository) are what the package manager lacks to know the repository.
    - C(hold) is C(hold), C(release) or empty. C(locks) is the file of zypper with the lock and without.
    - C(files) are the packages on the controller.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mondoo.fleet.plugins.module_utils.options import PREPARE_OPTIONS


def main():
    """Refuse to run: reached only when the action plugin was not found."""
    module = AnsibleModule(argument_spec=PREPARE_OPTIONS, supports_check_mode=True)
    module.fail_json(
        msg="Cannot run cnspec_prepare on the host: it runs on the controller. Call it as mondoo.fleet.cnspec_prepare."
    )


if __name__ == "__main__":
    main()
