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
