#!/usr/bin/env bash

# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The same value written as a literal, from a template, from a vault and as a JSON text gives the same result.

set -eux -o pipefail

folder=$(mktemp -d)
sandbox_pid=
trap 'test -z "${sandbox_pid}" || kill "${sandbox_pid}"; rm -rf "${folder}"' EXIT
python=$(ansible --version | sed -n 's/^ *python version = .*(\(\/.*\))$/\1/p')
export PYTHONPATH="${ANSIBLE_COLLECTIONS_PATH}/ansible_collections/mondoo/fleet/tests${PYTHONPATH:+:${PYTHONPATH}}"

"${python}" -m sandbox --port 0 >"${folder}/ready.json" &
sandbox_pid=$!
for _ in $(seq 100); do
    test -s "${folder}/ready.json" && break
    sleep 0.1
done

"${python}" - "${folder}" <<'END'
import json, pathlib, sys
from sandbox import Remote

folder = pathlib.Path(sys.argv[1])
platform = Remote(json.loads((folder / "ready.json").read_text())["url"])
token, document = platform.mint_token(), platform.create_service_account()
(folder / "token").write_text(token)
(folder / "document.json").write_text(json.dumps(document))
(folder / "plain.yml").write_text(json.dumps({"literal_token": token, "document": document}))
END

echo a-password-of-the-test >"${folder}/password"
ansible-vault encrypt_string --vault-password-file "${folder}/password" --stdin-name vaulted_token \
    <"${folder}/token" >"${folder}/vaulted.yml"
ansible-vault encrypt_string --vault-password-file "${folder}/password" --stdin-name vaulted_document \
    <"${folder}/document.json" >>"${folder}/vaulted.yml"

ansible-playbook -i localhost, -c local values.yml "$@" --vault-password-file "${folder}/password" \
    -e "@${folder}/plain.yml" -e "@${folder}/vaulted.yml" -e "folder=${folder}" \
    -e ansible_python_interpreter="${python}"

# A date without quotes, which YAML makes an object of, means the same text. It stands here because ansible-lint cannot
# check a playbook that holds one.
cat >"${folder}/dated.yml" <<END
- name: A date
  hosts: all
  gather_facts: false
  tasks:
    - name: Give a date as a literal
      mondoo.fleet.mondoo_registration:
        config_path: "${folder}/literal.yml"
        annotations: {env: "on", number: 1, since: 2026-11-21}
      register: dated
      failed_when: dated is failed or dated is changed
END
ansible-playbook -i localhost, -c local "${folder}/dated.yml" "$@" -e ansible_python_interpreter="${python}"

# An extra variable is text: what a word means in YAML it has to mean there too. PingPong without a verdict tells the
# three apart: nobody asks, a host is asked about and left alone, a host fails.
"${python}" - "${folder}" "$@" <<'END'
import json, os, pathlib, subprocess, sys
from sandbox import Remote

folder, given = pathlib.Path(sys.argv[1]), sys.argv[2:]
platform = Remote(json.loads((folder / "ready.json").read_text())["url"])
platform.fault(method="PingPong", status=503)
command = ["ansible-playbook", "-i", "localhost,", "-c", "local", "mondoo.fleet.register", *given]
settings = {"config_path": folder / "literal.yml", "become": "no"}
settings.update(dict.fromkeys(("preflight", "time", "install", "service", "verify"), "no"))
for name, value in settings.items():
    command += ["-e", f"cnspec_{name}={value}"]
command += ["-e", f"ansible_python_interpreter={sys.executable}"]
nobody_asks, left_alone, fails = (0, False), (1, False), (1, True)
words = {"no": nobody_asks, "0": nobody_asks, "Yes": left_alone, "on": left_alone, "STRICT": fails}
for word, expected in words.items():
    asked = len(platform.calls(method="PingPong"))
    played = subprocess.run([*command, "-e", f"cnspec_registration_verify={word}"], env=os.environ, check=False)
    seen = (len(platform.calls(method="PingPong")) - asked, played.returncode != 0)
    assert seen == expected, f"cnspec_registration_verify={word}: {seen} instead of {expected}"
END
