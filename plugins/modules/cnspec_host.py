#!/usr/bin/python

# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: cnspec_host
short_description: Write, look and run on one host, for the other modules of this collection
version_added: 0.1.0
description:
  - This module is internal. It is what M(mondoo.fleet.mondoo_registration) and M(mondoo.fleet.mondoo_status)
    send to the host, and its options may change in any release. Use those two instead.
  - It replaces or removes the configuration file of C(cnspec), looks at that file and at the host, and runs commands,
    in this order and in one call. It decides nothing, and it does not fail for what it finds. It reports it.
author:
  - mondoo.fleet contributors (!UNKNOWN)
requirements:
  - Python 3.6 or later on the host, and nothing else. C(cnspec) does not have to be installed.
attributes:
  check_mode:
    description: Can run in check mode.
    support: partial
    details:
      - O(write) is refused in check mode. Whoever sends O(run) decides what it may do.
  diff_mode:
    description: Returns what changed. The modules that use this one make the diff, without the secrets.
    support: none
  platform:
    description: The systems that this module runs on.
    support: full
    platforms: posix
options:
  write:
    description:
      - Replace or remove a file in one step, if it still is what was seen before.
      - A file that has this content already is left as it is, and that is a success.
        Its mode, owner and group are made right.
      - A symbolic link stays, and the file behind it is replaced or removed.
    type: dict
    suboptions:
      path:
        description: The absolute path of the file, as an earlier O(look) reported it.
        type: str
        required: true
      content:
        description: The new content, encoded as base64. Not with O(write.remove).
        type: str
        default: ""
      remove:
        description: Remove the file. The directory stays, and so does a symbolic link to the file.
        type: bool
        default: false
      expect_digest:
        description: The SHA-256 (hexadecimal) of what must be in the file now. Empty means that there must be no file.
        type: str
        required: true
      mode:
        description: The mode of the file, as an octal number.
        type: str
        default: "0600"
      owner:
        description: The owner, a name or a number. The present owner is kept when this is omitted.
        type: str
      group:
        description: The group, a name or a number. The present group is kept when this is omitted.
        type: str
      backup:
        description: Keep a copy of the present file beside it, readable by its owner only.
        type: bool
        default: false
      create_parent:
        description: Make the directories that are missing, with mode V(0755) as the vendor's packages do.
        type: bool
        default: true
  look:
    description: Look at the configuration file, at the C(cnspec) command, and at the host.
    type: dict
    suboptions:
      config_path:
        description:
          - The configuration file. C(~) and variables are expanded on the host.
          - Empty means to choose from O(look.config_candidates).
        type: str
        default: ""
      config_candidates:
        description:
          - Where the file may be. The keys are what Python's C(platform.system()) returns.
            An empty key is any other system.
          - The values are dictionaries of C(plists), property lists that may name the file behind C(--config),
            and C(paths).
        type: dict
        default: {}
      shadow_candidates:
        description: Files that C(cnspec) would prefer over the configuration file if it were not told which to use.
        type: list
        elements: str
        default: []
      owner:
        description: Who is to own the file. Empty means whoever owns it now.
        type: str
        default: ""
      group:
        description: The group that is to own the file. Empty means the one that owns it now.
        type: str
        default: ""
      read_config:
        description: Whether to return the content of the file, all of it or without private keys.
        type: str
        choices: [all, without_keys, "no"]
        default: all
      cnspec_path:
        description: The C(cnspec) command. Empty means the first of O(look.cnspec_candidates), else the one on C(PATH).
        type: str
        default: ""
      cnspec_candidates:
        description: Where the C(cnspec) command may be.
        type: list
        elements: str
        default: []
      files:
        description: Absolute paths of other files whose content is wanted.
        type: list
        elements: str
        default: []
  scratch:
    description:
      - Let O(run) work on a copy of the configuration, in a directory beside it that only its owner can enter, and
        that is removed at the end, whatever happens. Where the configuration's directory is missing or cannot be
        written to, it is made where the system keeps temporary files.
      - What runs that were killed left behind is removed as well.
    type: dict
    suboptions:
      path:
        description: The absolute path of the configuration, as an earlier O(look) reported it. It is not touched.
        type: str
        required: true
      content:
        description: The content of the copy, encoded as base64.
        type: str
        default: ""
      once:
        description:
          - An id of 32 hexadecimal digits. The commands of O(run) are run at most once for it, however often the
            module is, because a connection may run a module twice.
        type: str
        default: ""
      forget:
        description: An id that was given as O(scratch.once) and will not be given again.
        type: str
        default: ""
  run:
    description: Run commands, one after another, each in a session of its own of which nothing is left running.
    type: dict
    suboptions:
      commands:
        description:
          - The commands by name. Each is a dictionary of C(argv), a list of strings, and C(time_limit), in seconds.
          - The items C({cnspec}) and C({config}) of C(argv) are replaced by the paths that O(look) found,
            C({copy}) by that of the copy that O(scratch) makes.
        type: dict
        required: true
      output_limit:
        description: How many bytes of each stream to keep. The rest is read and thrown away.
        type: int
        default: 1048576
      unset_env:
        description: Shell patterns of environment variables that the commands do not get.
        type: list
        elements: str
        default: []
      set_env:
        description: Environment variables that the commands get.
        type: dict
        default: {}
"""

EXAMPLES = r"""
- name: Look at the configuration file without its private key
  mondoo.fleet.cnspec_host:
    look:
      config_path: /etc/opt/mondoo/mondoo.yml
      read_config: without_keys

- name: Ask cnspec for its status
  mondoo.fleet.cnspec_host:
    look:
      config_path: /etc/opt/mondoo/mondoo.yml
      read_config: "no"
    run:
      commands:
        status:
          argv: ["{cnspec}", status, --config, "{config}", -o, json]
          time_limit: 60
      unset_env: ["MONDOO_*"]
"""

RETURN = r"""
written:
  description: What came of O(write).
  returned: when O(write) is given
  type: dict
  contains:
    written:
      description: Whether the file was replaced. It is false too when the file had this content already.
      type: bool
    digest:
      description: The SHA-256 (hexadecimal) of the file as it was left, empty when there is none or it cannot be read.
      type: str
    backup_file:
      description: The path of the copy, null when none was made.
      type: str
    error:
      description:
        - Why the file is not what was asked for, null when it is.
        - RV(written.error.code) is one of C(changed_meanwhile), C(read_only), C(permission), C(no_space),
          C(is_directory), C(no_such_owner), C(no_such_group) and C(other).
        - RV(written.error.cause) is the system's own sentence.
      type: dict
      contains:
        code:
          description: The kind of problem.
          type: str
        cause:
          description: The problem in words.
          type: str
  sample:
    written: true
    digest: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
    backup_file: null
    error: null
look:
  description: What O(look) saw. C(time) is the host's clock in seconds since the epoch, read last of all.
  returned: when O(look) is given
  type: dict
  contains:
    config:
      description:
        - The configuration file.
        - C(path) is where it is, C(source) what chose that path (C(option), C(plist) or C(default)),
          C(symlink_to) the file behind it if it is a symbolic link.
        - C(kind) is one of C(file), C(missing), C(directory), C(other), C(relative), C(too_large) and C(unreadable),
          and C(problem) the system's own sentence where it could not be read. C(exists) is false for C(missing) and
          C(relative) only.
        - C(content) is encoded as base64. C(digest) is always that of the whole file, private keys included.
        - C(size), C(mode), C(uid), C(gid), C(owner), C(group) and C(mtime) are null where they cannot be known.
        - C(writable) tells whether O(write) could replace the file, and give it to O(look.owner) and O(look.group).
          If not, C(not_writable) tells why, as RV(written.error) does.
      type: dict
    shadow:
      description: The file that C(cnspec) would prefer, null when there is none.
      type: str
    cnspec:
      description:
        - The C(path) of the command (null when there is none), whether it is C(executable), and the C(problem) if not.
      type: dict
    system:
      description: The host's operating system, names, address, machine id, Python, user and init system.
      type: dict
    files:
      description: For each path of O(look.files) its C(kind), as for the configuration, and its C(content) as base64.
      type: dict
    time:
      description: The host's clock.
      type: float
scratch:
  description:
    - What became of the copy. C(content) is what the commands left in it, encoded as base64, null when it cannot be
      read. C(done_before) tells that nothing was run, because the commands of this O(scratch.once) were already.
    - C(error) is null, or why there was no copy (and nothing was run), or why it could not be read afterwards. It is
      like RV(written.error).
  returned: when O(scratch) is given
  type: dict
  sample:
    content: bXJuOiB4Cg==
    done_before: false
    error: null
ran:
  description:
    - What each command of O(run) did, by its name.
    - C(found) is false when there is no such command. C(rc) is null when it did not start, or did not end by itself.
  returned: when O(run) is given
  type: dict
  sample:
    status:
      found: true
      rc: 0
      stdout: "{}"
      stderr: ""
      timed_out: false
      truncated: false
      seconds: 0.2
      problem: null
"""

import base64
import binascii
import os
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mondoo.fleet.plugins.module_utils.host_command import (
    Ran,
    clean_environment,
    find_program,
    run_command,
)
from ansible_collections.mondoo.fleet.plugins.module_utils.host_config import (
    choose_config,
    find_shadow,
    look_at_config,
)
from ansible_collections.mondoo.fleet.plugins.module_utils.host_file import read_view
from ansible_collections.mondoo.fleet.plugins.module_utils.host_scratch import (
    ID,
    Scratch,
    Scratched,
    forget,
    work_on_copy,
)
from ansible_collections.mondoo.fleet.plugins.module_utils.host_signals import end_cleanly
from ansible_collections.mondoo.fleet.plugins.module_utils.host_swap import Swap, replace_file
from ansible_collections.mondoo.fleet.plugins.module_utils.host_system import look_at_system

WRITE = dict(
    path=dict(type="str", required=True),
    content=dict(type="str", default="", no_log=True),
    remove=dict(type="bool", default=False),
    expect_digest=dict(type="str", required=True),
    mode=dict(type="str", default="0600"),
    owner=dict(type="str"),
    group=dict(type="str"),
    backup=dict(type="bool", default=False),
    create_parent=dict(type="bool", default=True),
)
LOOK = dict(
    config_path=dict(type="str", default=""),
    config_candidates=dict(type="dict", default={}),
    shadow_candidates=dict(type="list", elements="str", default=[]),
    owner=dict(type="str", default=""),
    group=dict(type="str", default=""),
    read_config=dict(type="str", choices=["all", "without_keys", "no"], default="all"),
    cnspec_path=dict(type="str", default=""),
    cnspec_candidates=dict(type="list", elements="str", default=[]),
    files=dict(type="list", elements="str", default=[]),
)
SCRATCH = dict(
    path=dict(type="str", required=True),
    content=dict(type="str", default="", no_log=True),
    once=dict(type="str", default=""),
    forget=dict(type="str", default=""),
)
RUN = dict(
    commands=dict(type="dict", required=True),
    output_limit=dict(type="int", default=1048576),
    unset_env=dict(type="list", elements="str", default=[]),
    set_env=dict(type="dict", default={}),
)


def read_swap(module, write):
    """Return the swap that `write` asks for; bad arguments end the module."""
    if module.check_mode:
        module.fail_json(msg="write is refused in check mode")
    if not os.path.isabs(write["path"]):
        module.fail_json(msg="write.path is not an absolute path")
    try:
        content = base64.b64decode(write["content"], validate=True)
    except (binascii.Error, ValueError):
        module.fail_json(msg="write.content is not base64")
    try:
        mode = int(write["mode"], 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        module.fail_json(msg="write.mode is not an octal mode between 0000 and 0777")
    remove = write.pop("remove")
    return Swap(**dict(write, content=None if remove else content, mode=mode))


def label_like_target(module, temporary, target):
    """Give the new file the SELinux context of the one it replaces, as AnsibleModule.atomic_move does."""
    if module.selinux_enabled():
        known = os.path.exists(target)
        context = module.selinux_context(target) if known else module.selinux_default_context(target)
        module.set_context_if_different(temporary, context, False)


def look(options):
    """Return what `look` asks for, all but the time."""
    choice = choose_config(options["config_path"], options["config_candidates"])
    return {
        "config": look_at_config(choice, options["read_config"], options["owner"], options["group"]),
        "shadow": find_shadow(options["shadow_candidates"], choice.path),
        "cnspec": find_program("cnspec", options["cnspec_path"], options["cnspec_candidates"])._asdict(),
        "system": look_at_system()._asdict(),
        "files": {path: look_at_file(path) for path in options["files"]},
    }


def look_at_file(path):
    """Return what kind of thing lies at `path`, and the content of a file, as base64."""
    view = read_view(path)
    content = None if view.content is None else base64.b64encode(view.content).decode("ascii")
    return {"kind": view.kind, "content": content}


def check_commands(module):
    """End the module if `run` is not well formed, before anything is done."""
    for command in module.params["run"]["commands"].values():
        argv = command.get("argv") if isinstance(command, dict) else None
        limit = command.get("time_limit") if isinstance(command, dict) else None
        if not isinstance(argv, list) or not argv or not all(isinstance(item, str) for item in argv):
            module.fail_json(msg="run.commands: argv is not a list of strings")
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit <= 0:
            module.fail_json(msg="run.commands: time_limit is not a number of seconds")
        if {"{cnspec}", "{config}"} & set(argv) and module.params["look"] is None:
            module.fail_json(msg="run.commands: argv asks for a path that only look finds")
        if "{copy}" in argv and module.params["scratch"] is None:
            module.fail_json(msg="run.commands: argv asks for a copy that only scratch makes")


def read_scratch(module, scratch):
    """Return what `scratch` asks for; bad arguments end the module."""
    if not os.path.isabs(scratch["path"]):
        module.fail_json(msg="scratch.path is not an absolute path")
    if not all(ID.fullmatch(scratch[name]) for name in ("once", "forget") if scratch[name]):
        module.fail_json(msg="scratch.once and scratch.forget are 32 hexadecimal digits")
    try:
        return Scratch(**dict(scratch, content=base64.b64decode(scratch["content"], validate=True)))
    except (binascii.Error, ValueError):
        module.fail_json(msg="scratch.content is not base64")


def run_commands(options, scratch, seen):
    """Return the parts of the result for `run` and `scratch`, each of which may be None."""
    if scratch is None:
        return {"ran": run(options, seen)} if options else {}
    if not options:
        forget(scratch)
        return {"scratch": dict(Scratched().to_result(), content=None)}
    outcome, ran = work_on_copy(scratch, lambda copy: run(options, seen, copy))
    content = None if outcome.content is None else base64.b64encode(outcome.content).decode("ascii")
    return {"ran": ran or {}, "scratch": dict(outcome.to_result(), content=content)}


def run(options, seen, copy=None):
    """Return what each command did; `seen` is the result of `look`, or None; `copy` the path that stands for {copy}."""
    paths = {"{cnspec}": seen["cnspec"]["path"], "{config}": seen["config"]["path"]} if seen else {}
    paths.update({"{copy}": copy} if copy else {})
    set_env = {name: str(value) for name, value in options["set_env"].items()}
    environment = clean_environment(options["unset_env"], set_env)
    ran = {}
    for name, command in options["commands"].items():
        argv = [paths.get(item, item) for item in command["argv"]]
        if None in argv:
            done = Ran(False, problem=seen["cnspec"]["problem"])
        else:
            done = run_command(argv, command["time_limit"], options["output_limit"], environment)
        ran[name] = done._asdict()
    return ran


def main():
    """Write, look and run, in this order, as far as asked for."""
    module = AnsibleModule(
        argument_spec=dict(
            write=dict(type="dict", options=WRITE),
            look=dict(type="dict", options=LOOK),
            scratch=dict(type="dict", options=SCRATCH),
            # A command's arguments and environment may hold a token: none of it belongs into the system's log.
            run=dict(type="dict", options=RUN, no_log=True),
        ),
        supports_check_mode=True,
    )
    end_cleanly()
    swap = read_swap(module, module.params["write"]) if module.params["write"] else None
    if module.params["run"]:
        check_commands(module)
    scratch = read_scratch(module, module.params["scratch"]) if module.params["scratch"] else None

    result = {}
    if swap:
        result["written"] = replace_file(swap, lambda new, old: label_like_target(module, new, old)).to_result()
    seen = look(module.params["look"]) if module.params["look"] else None
    result.update(run_commands(module.params["run"], scratch, seen))
    if seen:
        result["look"] = dict(seen, time=time.time())
    # From here on only what the caller asked to see is told (no arguments: an empty invocation). Masking it would cut
    # holes into it, such as each "json" that is also an argument of a command, or the content just written.
    module.no_log_values.clear()
    module.exit_json(changed=bool(swap and result["written"]["written"]), invocation={}, **result)


if __name__ == "__main__":
    main()
