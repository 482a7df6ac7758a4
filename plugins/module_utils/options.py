# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules, said once: the documentation and the actions both validate with these."""

from typing import Any, Dict

# Both modules take these, so that `module_defaults: group/mondoo.fleet.mondoo` can set them.
SHARED_OPTIONS: Dict[str, Dict[str, Any]] = dict(
    config_path=dict(type="str"),
    cnspec_path=dict(type="str"),
    timeout=dict(type="int", default=60),
)

REGISTRATION_OPTIONS: Dict[str, Dict[str, Any]] = dict(
    SHARED_OPTIONS,
    token=dict(type="str", no_log=True),
    credentials=dict(type="raw", no_log=True),
    managed=dict(type="bool", default=True),
    state=dict(type="str", choices=["present", "absent"], default="present"),
    method=dict(type="str", choices=["api", "cnspec"], default="api"),
    keep_settings=dict(type="bool", default=True),
    api_endpoint=dict(type="str"),
    api_proxy=dict(type="str"),
    annotations=dict(type="dict"),
    labels=dict(type="dict"),
    name=dict(type="str"),
    scan_interval=dict(
        type="dict",
        options=dict(
            timer=dict(type="int"),
            splay=dict(type="int"),
        ),
    ),
    updates_url=dict(type="str"),
    auto_update=dict(type="bool"),
    settings=dict(type="dict"),
    unset=dict(type="list", elements="str"),
    verify=dict(type="str", choices=["true", "false", "strict"], default="true"),
    force=dict(type="bool", default=False),
    move=dict(type="bool", default=False),
    unregister_previous=dict(type="bool", default=True),
    max_rejected=dict(type="int"),
    registration_limit=dict(type="int", default=10),
    retries=dict(type="int", default=5),
    validate_certs=dict(type="bool", default=True),
    ca_path=dict(type="path"),
    controller_proxy=dict(type="str"),
    backup=dict(type="bool", default=False),
    owner=dict(type="str"),
    group=dict(type="str"),
    mode=dict(type="raw", default="0600"),
)

EXPECTATIONS = ["registered", "authenticated", "clock_in_sync", "reachable", "service_running", "up_to_date"]

STATUS_OPTIONS: Dict[str, Dict[str, Any]] = dict(
    SHARED_OPTIONS,
    expect=dict(type="list", elements="str", choices=EXPECTATIONS),
    expect_space=dict(type="str"),
    wait=dict(type="int", default=0),
)

# What mondoo_preflight needs to know of a registration, and whether packages are managed.
PREFLIGHT_OPTIONS: Dict[str, Dict[str, Any]] = dict(
    {
        name: REGISTRATION_OPTIONS[name]
        for name in (
            "token",
            "credentials",
            "api_endpoint",
            "method",
            "registration_limit",
            "validate_certs",
            "ca_path",
            "controller_proxy",
        )
    },
    packages=dict(type="bool", default=False),
)

# What the role looks at a host for, see mondoo.fleet.cnspec_prepare.
PREPARE_OPTIONS: Dict[str, Dict[str, Any]] = dict(
    state=REGISTRATION_OPTIONS["state"],
    config_path=dict(type="str"),
    cnspec_path=dict(type="str"),
    ntp_servers=dict(type="list", elements="str"),
    ntp_wait=dict(type="int", default=60),
    wait_for_clock=dict(type="bool", default=False),
    controller_offset=dict(type="float"),
    version=dict(type="str"),
    hold=dict(type="bool"),
    package_file=dict(type="list", elements="str"),
    package_url=dict(type="str", default="https://releases.mondoo.com"),
    package_key_url=dict(type="str", no_log=False),
    package_key_fingerprint=dict(type="str", no_log=False, default="4CE909E26AE7439C39CE7647AC69C65100E1C42B"),
    package_proxy=dict(type="str"),
    package_no_proxy=dict(type="list", elements="str"),
)

# What mondoo.fleet.cnspec_repository needs of these.
REPOSITORY_OPTIONS = {
    name: PREPARE_OPTIONS[name] for name in ("hold", "package_url", "package_proxy", "package_no_proxy")
}
