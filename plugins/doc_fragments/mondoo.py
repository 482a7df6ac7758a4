# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation that both modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that mondoo_registration and mondoo_status both take."""

    DOCUMENTATION = r"""
options:
  config_path:
    description:
      - Path of C(mondoo.yml) on the host. A leading C(~) and variables are expanded there.
      - The default is what the operating system's package uses, C(/etc/opt/mondoo/mondoo.yml) on Linux.
        On macOS it is the file that the launch daemon names, else the one that exists,
        else C(/Library/Mondoo/etc/mondoo.yml).
    type: str
  cnspec_path:
    description:
      - Path of the C(cnspec) command on the host.
      - The default is the first one found in the places that packages use and in the search path.
    type: str
  timeout:
    description:
      - Time limit in seconds for the slowest part, which is registering at the platform for
        M(mondoo.fleet.mondoo_registration), and running C(cnspec status) for M(mondoo.fleet.mondoo_status).
    type: int
    default: 60
notes:
  - The options O(config_path), O(cnspec_path) and O(timeout) are taken by both M(mondoo.fleet.mondoo_registration) and
    M(mondoo.fleet.mondoo_status), so they can be set for both with C(module_defaults) and the action group
    C(mondoo.fleet.mondoo).
"""

    # What an action plugin over the module cnspec_host can do.
    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and say what would change, without changing anything.
  diff_mode:
    description: Says what it changed (or would change) when diff mode is on.
  platform:
    description: Which systems the host can run.
    platforms: posix
  action:
    description: Runs on the controller, and asks the host only for what it needs.
  async:
    description: Can be used with C(async).
"""

    # What mondoo_registration and mondoo_preflight are told of an identity and of the controller's way to the platform.
    PLATFORM = r"""
options:
  token:
    description:
      - A registration token (a JWT) from the console. Each use makes a new agent with a service account of its own.
      - A token that has expired does no harm on a host that is registered already.
      - Not together with O(credentials).
    type: str
  credentials:
    description:
      - A credentials document from the console, which is a service account in JSON. Give a dictionary, the JSON or YAML
        text, or base64 of that.
      - Many hosts may share one.
    type: raw
  method:
    description:
      - Who talks to the platform, for registering, verifying and unregistering alike.
      - With V(api) it is the controller. The host needs neither C(cnspec) nor a way to the platform, and a registration
        token never leaves the controller.
      - With V(cnspec) it is the host's own C(cnspec login), C(cnspec status) and C(cnspec logout), for networks where
        only the hosts reach the platform. They go through C(api_proxy), or the environment of the task, and they
        work on a copy of C(mondoo.yml) in a directory that nobody else can enter. Their exit codes decide nothing.
      - With V(cnspec) a registration token stands in the host's process list while C(cnspec login) runs, and a warning
        says so. With O(credentials) nothing secret does.
      - With V(cnspec) the options O(controller_proxy), O(ca_path) and O(validate_certs) have no meaning. The host's own
        authorities count.
    type: str
    choices: [api, cnspec]
    default: api
  registration_limit:
    description:
      - How many hosts of one run may register at the same time. Hosts that need nothing are not slowed by it.
    type: int
    default: 10
  validate_certs:
    description:
      - Whether the controller checks the certificate of the platform.
    type: bool
    default: true
  ca_path:
    description:
      - A file on the controller with the certificates of the authorities to trust, in PEM.
    type: path
  controller_proxy:
    description:
      - The proxy through which the controller reaches the platform. The default is the environment of the controller's
        own process (E(HTTPS_PROXY), E(NO_PROXY)). The C(environment) keyword of a task does not reach it.
    type: str
notes:
  - With an error, Ansible itself may show the lines of the playbook around it, and so a token or password that is
    written literally into a task. Put secrets into variables, encrypted with Ansible Vault.
"""
