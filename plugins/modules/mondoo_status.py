#!/usr/bin/python

# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of mondoo_status; the work is done by the action plugin of the same name."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: mondoo_status
short_description: Tell how a host stands with Mondoo Platform
version_added: 0.1.0
description:
  - Runs C(cnspec status) on the host once, with a time limit, and turns what it says into the fact
    C(ansible_facts.mondoo), whatever the version of C(cnspec). It says whether the host is registered, whether the
    platform accepts it, how its clock is, and for each problem what to do.
  - A fact never fails a task, whatever the host is. O(expect) and O(expect_space) do, with the remedy in the message,
    and so does a O(config_path) that is relative or names a directory.
  - What cannot be known is V(null), never V(false). A host is authenticated only when C(cnspec) says so and the
    platform is V(SERVING), because C(cnspec) takes an empty answer for success. It is not authenticated only when the
    platform itself refuses it.
author: mondoo.fleet contributors (!UNKNOWN)
extends_documentation_fragment:
  - mondoo.fleet.mondoo
  - mondoo.fleet.mondoo.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is changed in any mode.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: posix
  action:
    support: full
  async:
    support: none
options:
  expect:
    description:
      - What must hold for the task to succeed. What is not known does not hold.
      - V(registered) means that the host has an identity, V(authenticated) that the platform accepts it.
      - V(clock_in_sync) means that its clock is within 30 seconds of the platform's.
      - V(reachable) means that the platform answers the host, and is serving.
      - V(service_running) means that the agent's systemd service runs.
      - V(up_to_date) means that C(cnspec) is the latest version.
    type: list
    elements: str
    choices: [registered, authenticated, clock_in_sync, reachable, service_running, up_to_date]
  expect_space:
    description: The space in which the host must be, as an MRN or as the space's ID.
    type: str
  wait:
    description:
      - How long in seconds to look again until what is expected holds.
      - V(0) looks once.
    type: int
    default: 0
notes:
  - C(cnspec status) runs with C(--config), so that a C(mondoo.yml) in a home directory does not answer for another one,
    without environment variables whose name begins with C(MONDOO_), and without proxy variables that are set but empty.
seealso:
  - module: mondoo.fleet.mondoo_registration
  - plugin: mondoo.fleet.status
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Learn how the host stands
  mondoo.fleet.mondoo_status:

- name: Show it
  ansible.builtin.debug:
    msg: "{{ ansible_facts['mondoo']['health'] }}: {{ ansible_facts['mondoo']['last_line'] }}"

- name: Require that the platform accepts the host, for at most two minutes
  mondoo.fleet.mondoo_status:
    expect: [registered, authenticated, clock_in_sync]
    expect_space: //captain.api.mondoo.app/spaces/production
    wait: 120
"""

RETURN = r"""
ansible_facts:
  description: The fact C(mondoo). Every key is always there, and V(null) where it is not known.
  returned: always
  type: dict
  contains:
    mondoo:
      description: How the host stands.
      returned: always
      type: dict
      contains:
        cnspec:
          description: The C(cnspec) command; its providers are V(null), because C(cnspec) tells them only as text.
          returned: always
          type: dict
          sample:
            installed: true
            path: /usr/bin/cnspec
            version: 12.11.0
            api_version: "12"
            latest_version: 12.11.0
            update_available: false
            providers:
            providers_outdated:
        config:
          description: The configuration; a password in C(api_proxy) is masked.
          returned: always
          type: dict
          sample:
            path: /etc/opt/mondoo/mondoo.yml
            source: default
            exists: true
            mode: "0600"
            api_proxy: http://agent:***@proxy.example.com:3128
        platform:
          description: The operating system, as C(cnspec) says.
          returned: always
          type: dict
          sample:
            name: debian
            version: "12.11"
            hostname: web01
            ip: 192.0.2.2
        api:
          description: Mondoo Platform, as the host sees it.
          returned: always
          type: dict
          sample:
            endpoint: https://us.api.mondoo.com
            status: SERVING
            time: "2026-01-15T09:30:00Z"
            version: "12"
            features:
        registration:
          description: The registration.
          returned: always
          type: dict
          sample:
            registered: true
            authenticated: true
            managed: true
            space_mrn: //captain.api.mondoo.app/spaces/production
            agent_mrn: //agents.api.mondoo.app/spaces/production/agents/2SARlZgQnFLAzj7jfiS1Fx2HBz8
            service_account_mrn: //agents.api.mondoo.app/spaces/production/serviceaccounts/2bMtksUk9EjrI5MC3tTf6UmhNC2
        clock:
          description:
            - The clock of the host.
            - C(service) is the time service that runs, and C(ntp_synchronized) what its own tool says of it
              (chrony, ntpd, ntpsec, openntpd). Without that, and for systemd-timesyncd, it is the word of timedatectl.
            - C(skew_seconds) is the platform's clock minus the host's, where C(cnspec) warns of it (above 30 seconds).
            - C(controller_offset_seconds) is the host's clock minus the controller's.
          returned: always
          type: dict
          sample:
            skew_seconds:
            controller_offset_seconds: 0.0
            ntp_enabled: true
            ntp_synchronized: true
            service: systemd-timesyncd
        health:
          description: One word for it; causes come before what they cause.
          returned: always
          type: str
          choices:
            - ok
            - not_installed
            - not_registered
            - config_invalid
            - unauthenticated
            - clock_skew
            - unreachable
            - unknown
          sample: ok
        problems:
          description:
            - What is wrong, causes first, and what is worth knowing. C(code) is stable, C(fix) is one line.
            - Problems of a host whose C(health) is V(ok) are remarks, which keep nobody from being registered.
          returned: always
          type: list
          elements: dict
          sample:
            - code: not_registered
              message: not registered
              fix: >-
                Register it with mondoo.fleet.mondoo_registration, or run there:
                sudo cnspec login --token TOKEN --config /etc/opt/mondoo/mondoo.yml
        last_line:
          description:
            - The last line that says how the host stands, as C(cnspec) said it.
            - Where it only gave JSON, the words that its text has for the same state.
          returned: always
          type: str
          sample: client authenticated successfully
        unparsed:
          description: Lines of C(cnspec) that are not known; there is a warning when there are any.
          returned: always
          type: list
          elements: str
          sample: []
health:
  description: The health of a host of which something else was expected.
  returned: failure
  type: str
  sample: clock_skew
code:
  description: A stable word for what went wrong.
  returned: failure
  type: str
  sample: expectation_failed
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mondoo.fleet.plugins.module_utils.options import STATUS_OPTIONS


def main():
    """Refuse to run: reached only when the action plugin was not found."""
    module = AnsibleModule(argument_spec=STATUS_OPTIONS, supports_check_mode=True)
    module.fail_json(
        msg="Cannot run mondoo_status on the host: it runs on the controller. Call it as mondoo.fleet.mondoo_status."
    )


if __name__ == "__main__":
    main()
