#!/usr/bin/python

# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of mondoo_preflight; the work is done by the action plugin of the same name."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: mondoo_preflight
short_description: Warn of what will keep a fleet from being registered
version_added: 0.1.0
description:
  - Looks, once for a run and on the controller alone, at what registering a fleet depends on, and warns.
  - It warns of a registration token or credentials document that cannot be used, and of a token that expires before a
    fleet of this size is registered (two seconds for each host, divided by how many are worked on at once).
  - It warns of a platform that is not reached or not serving, and of a controller whose clock is more than 30 seconds
    off.
  - It never fails and never changes anything. A token that has expired is fine where no host needs it, and a failing
    task with C(run_once) would end the play for every host. Each host says what is wrong when its turn comes.
  - An empty text, dictionary or list counts as not given, for every option.
author: mondoo.fleet contributors (!UNKNOWN)
extends_documentation_fragment:
  - mondoo.fleet.mondoo.platform
requirements:
  - requests and cryptography (on the controller)
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: There is nothing to show, because nothing is changed.
    support: none
  platform:
    description: No host is asked anything, so it may be of any kind.
    support: full
    platforms: all
  action:
    description: Runs on the controller only.
    support: full
  async:
    description: Can be used with C(async).
    support: none
options:
  api_endpoint:
    description:
      - The API endpoint to ask.
      - The default is what the token or the credentials document says. Without any of them the platform is not asked.
    type: str
  packages:
    description:
      - Whether packages of hosts will be managed. It warns of a collection which that needs, and the controller does
        not have, for hosts that M(mondoo.fleet.cnspec_prepare) looked at in this run.
    type: bool
    default: false
notes:
  - Use it with C(run_once). In a play with C(serial) that is once for each batch; the second and later batches of a run
    are not asked or warned again, and get the result of the first.
  - The role P(mondoo.fleet.cnspec#role) verifies no host in a run that began with a platform that is not serving,
    unless C(cnspec_registration_verify) is V(strict).
seealso:
  - module: mondoo.fleet.mondoo_registration
"""

EXAMPLES = r"""
- name: Warn of what will keep hosts from being registered
  mondoo.fleet.mondoo_preflight:
    token: "{{ vaulted_registration_token }}"
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
api_endpoint:
  description: The API endpoint that was asked; none when nothing said which.
  returned: when the options can be used
  type: str
  sample: https://us.api.mondoo.com
platform_serving:
  description: Whether the platform was reached and is serving; none when it was not asked.
  returned: when the options can be used
  type: bool
controller_offset:
  description: The controller's clock minus the platform's, in seconds; none when the platform was not reached.
  returned: when the options can be used
  type: float
space_mrn:
  description: MRN of the space that hosts will be registered in.
  returned: when the options can be used
  type: str
  sample: //captain.api.mondoo.app/spaces/lunalectric-prod
token_expires_at:
  description: When the token expires, in seconds since the epoch; none for a token that does not.
  returned: when the options can be used
  type: float
hosts:
  description: How many hosts the play has.
  returned: when the options can be used
  type: int
seconds_needed:
  description: How long registering all of them takes, about.
  returned: when the options can be used
  type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mondoo.fleet.plugins.module_utils.options import PREFLIGHT_OPTIONS


def main():
    """Refuse to run: reached only when the action plugin was not found."""
    module = AnsibleModule(argument_spec=PREFLIGHT_OPTIONS, supports_check_mode=True)
    module.fail_json(
        msg="Cannot run mondoo_preflight on the host: it runs on the controller. Call it as "
        "mondoo.fleet.mondoo_preflight."
    )


if __name__ == "__main__":
    main()
