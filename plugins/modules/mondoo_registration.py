#!/usr/bin/python

# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of mondoo_registration; the work is done by the action plugin of the same name."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: mondoo_registration
short_description: Register a host with Mondoo Platform
version_added: 0.1.0
description:
  - Registers a host with Mondoo Platform, proves that the platform accepts it, and writes the agent's configuration
    C(mondoo.yml). A host that is well registered is left alone.
  - Everything is decided on the controller, which also talks to the platform. The host needs Python, but neither
    C(cnspec) nor internet access to be registered, and the registration token never reaches it. Where only hosts reach
    the platform, their own C(cnspec) asks it, with O(method=cnspec).
  - A host is registered anew when it is not registered (V(not_registered)), its configuration cannot be used
    (V(config_invalid)), the platform itself rejects its identity twice (V(credentials_rejected)), it belongs to another
    space (V(wrong_space)), endpoint (V(wrong_endpoint)) or service account (V(other_service_account)), it is to be an
    agent of its own and is not (V(not_managed)), or with O(force) (V(forced)). Nothing else is a reason; above all not
    a platform that cannot be reached.
  - The new identity is proved before the configuration is written, the file is replaced atomically and only if nobody
    changed it meanwhile, and the previous agent is unregistered last. Whatever fails on the way, the host keeps its old
    configuration whole, and the new agent is removed again or named in the error.
  - An empty text, dictionary or list counts as not given, for every option.
author: mondoo.fleet contributors (!UNKNOWN)
extends_documentation_fragment:
  - mondoo.fleet.mondoo
  - mondoo.fleet.mondoo.attributes
  - mondoo.fleet.mondoo.platform
requirements:
  - requests and cryptography (on the controller)
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Values are shown only of keys that are known to be harmless; others as C((hidden)).
  platform:
    support: full
    platforms: posix
  action:
    support: full
  async:
    support: none
options:
  managed:
    description:
      - With O(credentials), make the host an agent of its own under that service account.
      - With V(false) the document alone is the host's identity, and no agent is made. This is what goes into an image.
    type: bool
    default: true
  state:
    description:
      - Whether the host is to be registered.
      - With V(absent) its agent is unregistered on the platform, then the identity is removed from C(mondoo.yml), and
        the file with it when nothing else was in it. A service account that is no agent may be shared with other hosts,
        so it is only removed from the file.
      - Where the platform cannot be asked, V(absent) fails before it touches the file, unless O(unregister_previous) is
        V(false). Where the platform rejects the identity already, the host is taken off locally, with a warning.
      - With V(absent) neither O(token) nor O(credentials) is needed, and no setting is written. A credentials document
        helps where the key in the file is damaged. O(verify) has no meaning then.
    type: str
    choices: [present, absent]
    default: present
  keep_settings:
    description:
      - With O(state=absent), keep what is in C(mondoo.yml) beside the identity. With V(false) the file goes whole.
      - A file that is no valid YAML fails with V(true), because its settings cannot be told from the identity.
    type: bool
    default: true
  api_endpoint:
    description:
      - The API endpoint that the host has to be registered at, for example V(https://eu.api.mondoo.com).
      - The default is what the token or the credentials document says. Only when this option is given, a host at
        another endpoint counts as V(wrong_endpoint).
    type: str
  api_proxy:
    description:
      - The proxy through which the agent on the host reaches the platform. It is only written to C(mondoo.yml).
    type: str
  annotations:
    description:
      - Annotations for all assets, the whole map. Keys are compared without case, because cnspec lower-cases them.
    type: dict
  labels:
    description:
      - Labels for all assets, the whole map. Keys are compared without case.
    type: dict
  name:
    description:
      - Name of the asset on the platform. The default is the host's name.
    type: str
  scan_interval:
    description:
      - How often the agent scans.
    type: dict
    suboptions:
      timer:
        description: Minutes between two scans.
        type: int
      splay:
        description: Random delay in minutes, at most, on top of that.
        type: int
  updates_url:
    description:
      - An http or https URL that cnspec and its providers come from (cnspec 13 and later).
    type: str
  auto_update:
    description:
      - Whether cnspec updates its providers, and from version 13 on itself. Written as C(auto_update) and
        C(auto-update), because C(cnspec serve) reads one and C(cnspec scan) the other.
    type: bool
  settings:
    description:
      - Other keys of C(mondoo.yml), for those that have no option here.
    type: dict
  unset:
    description:
      - Settings to remove from C(mondoo.yml), for example V(api_proxy). Settings that nobody mentions are left alone.
      - V(scan_interval.timer) and V(scan_interval.splay) remove one part of the interval.
    type: list
    elements: str
  verify:
    description:
      - Whether to ask the platform if it accepts the host's identity, by one signed call.
      - Where the platform cannot be asked, the result is RV(verified=none) with a warning, or with V(strict) a failure.
      - With V(false) nobody asks, and a host counts as well registered by its file alone.
      - Any other word of Ansible for true or false, such as V(yes) or V(0), is taken too, in any case.
    type: str
    choices: ["true", "false", "strict"]
    default: "true"
  force:
    description:
      - Register anew even though the host is well registered. Every run makes a new agent then.
    type: bool
    default: false
  move:
    description:
      - Allow a host that is well registered in another space, or at another endpoint, to be moved. Without it such a
        host fails, so that a mispasted token cannot move a fleet.
    type: bool
    default: false
  unregister_previous:
    description:
      - Unregister the agent that the host had before, once the new one is written.
      - With O(state=absent), unregister the agent that the host has. With V(false) it stays on the platform and is
        named in RV(left_behind).
    type: bool
    default: true
  max_rejected:
    description:
      - How many hosts of one run may be registered anew because the platform rejects their identity.
      - The default is a tenth of the play's hosts, but at least three. Beyond that the platform itself is likely to be
        in trouble.
    type: int
  retries:
    description:
      - How often registering is tried, at most, where the platform is not reached. It is tried again only when nothing
        can have been made.
      - A platform that answers that it is busy is asked again until O(timeout) is over.
    type: int
    default: 5
  backup:
    description:
      - Keep a copy of the file that is replaced. It holds a private key and is readable for its owner only.
    type: bool
    default: false
  owner:
    description:
      - Owner of C(mondoo.yml). The default is to leave it.
    type: str
  group:
    description:
      - Group of C(mondoo.yml). The default is to leave it.
    type: str
  mode:
    description:
      - Mode of C(mondoo.yml). It must not let others read the private key in it.
    type: raw
    default: "0600"
notes:
  - With O(method=cnspec), C(cnspec) must be installed. All versions from 7.0.3 on will do. A login that was killed, or
    whose answer was lost, may have made an agent, and the error says so. It is never run twice. A refusal counts only
    when cnspec gives the platform's own words and its clock and the host's agree within 30 s.
  - The host's C(mondoo.yml), private key included, is read to the controller over the connection that Ansible has
    anyway. Without pipelining it lies for the task's duration in a file that only the remote user can read.
  - Setting E(ANSIBLE_KEEP_REMOTE_FILES) or E(ANSIBLE_DEBUG) makes Ansible itself keep or show what is sent to the host.
seealso:
  - module: mondoo.fleet.mondoo_status
"""

EXAMPLES = r"""
- name: Register with a registration token
  mondoo.fleet.mondoo_registration:
    token: "{{ vaulted_registration_token }}"
    annotations:
      owner: platform-team
      env: production

- name: Register as an agent of its own under a shared service account, through a proxy
  mondoo.fleet.mondoo_registration:
    credentials: "{{ lookup('ansible.builtin.file', 'service-account.json') }}"
    api_proxy: http://proxy.example.com:3128

- name: Register where only hosts reach the platform, by their own cnspec
  mondoo.fleet.mondoo_registration:
    credentials: "{{ lookup('ansible.builtin.file', 'service-account.json') }}"
    method: cnspec

- name: Move a host to the space of this token
  mondoo.fleet.mondoo_registration:
    token: "{{ vaulted_registration_token }}"
    move: true

- name: Only manage settings of a host that is registered
  mondoo.fleet.mondoo_registration:
    scan_interval:
      timer: 60
      splay: 15
    unset:
      - api_proxy

- name: Take a host off the platform
  mondoo.fleet.mondoo_registration:
    state: absent
"""

RETURN = r"""
changed:
  description:
    - Whether the host was changed, or in check mode would be.
    - Also true for a failure after the new configuration was written, which only V(strict) for O(verify) makes.
  returned: always
  type: bool
action:
  description:
    - What was done, or in check mode would be done.
    - One of V(none), V(configure) (settings or permissions), V(register) (a new agent), V(adopt) (the credentials
      document is the identity) and V(unregister).
  returned: success, and on failures of code unverified
  type: str
  sample: register
reason:
  description:
    - Why the host was registered anew; none when it was not.
    - On a failure, why it had to be, or (V(answer_differs)) why the new registration would have had to be.
  returned: success, and on failures of code answer_differs, credentials_revoked, identity_missing, token_expired,
    token_malformed, token_of_organization, token_without_space, too_many_rejected, unverified
  type: str
  sample: not_registered
agent_mrn:
  description:
    - MRN of the agent that the host is.
    - None for a service account without one, and in check mode for one that is yet to be made.
  returned: success, and on failures of code unverified
  type: str
  sample: //agents.api.mondoo.app/spaces/lunalectric-prod/agents/2SARlZgQnFLAzj7jfiS1Fx2HBz8
service_account_mrn:
  description: MRN of the service account that signs for the host.
  returned: success, and on failures of code unverified
  type: str
  sample: //agents.api.mondoo.app/spaces/lunalectric-prod/serviceaccounts/2bMtksUk9EjrI5MC3tTf6UmhNC2
space_mrn:
  description: MRN of the space.
  returned: success, and on failures of code unverified
  type: str
  sample: //captain.api.mondoo.app/spaces/lunalectric-prod
api_endpoint:
  description: API endpoint in the configuration.
  returned: success, and on failures of code unverified
  type: str
  sample: https://us.api.mondoo.com
config_path:
  description: Path of the configuration on the host.
  returned: success, and on failures of code unverified
  type: str
  sample: /etc/opt/mondoo/mondoo.yml
verified:
  description:
    - Whether the platform accepts the identity. V(none) when that could not be known.
    - For a managed host it proves the service account.
  returned: success, and on failures of code new_identity_refused, too_many_rejected, unverified, write_unknown
  type: bool
left_behind:
  description: MRNs of agents on the platform that nobody uses any more, or V(unknown) for one whose MRN is not known.
  returned: success, and on failures of code maybe_registered, unverified, write_unknown, and where the new agent could
    not be removed again
  type: list
  elements: str
api_attempts:
  description: How often registering was tried; 0 when it was not needed.
  returned: success, and on failures of code busy, identity_refused, maybe_registered, refused, unreachable, unverified
  type: int
certificate_valid_until:
  description: Until when the certificate in the configuration is valid, in RFC 3339.
  returned: success, and on failures of code unverified
  type: str
  sample: "9999-12-31T23:59:59Z"
backup_file:
  description: Path of the backup on the host; none when none was made.
  returned: success, and on failures of code unverified
  type: str
diff:
  description: The configuration before and after; values only of keys that are known to be harmless.
  returned: success, in diff mode, when something changes, and on failures of code unverified
  type: dict
warnings:
  description: What the user should know beside what was done. With O(method=cnspec) a failure may have some, too.
  returned: success, and on failures of code unverified
  type: list
  elements: str
msg:
  description: What could not be done, why, and what to do, in one line.
  returned: failure
  type: str
  sample: "Cannot register the host (not_registered): neither token nor credentials were given. Give one of them."
code:
  description: A stable word for what went wrong.
  returned: failure
  type: str
  sample: token_expired
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mondoo.fleet.plugins.module_utils.options import REGISTRATION_OPTIONS


def main():
    """Refuse to run: reached only when the action plugin was not found."""
    module = AnsibleModule(argument_spec=REGISTRATION_OPTIONS, supports_check_mode=True)
    module.fail_json(
        msg="Cannot run mondoo_registration on the host: it runs on the controller. "
        "Call it as mondoo.fleet.mondoo_registration."
    )


if __name__ == "__main__":
    main()
