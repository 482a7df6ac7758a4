# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found on a host: each builder makes it from nothing, by plain calls and plain text."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.authority import key_pem, new_key
from states.ground import LONG_AGO, OTHER_SPACE, Place

PROXY = "http://proxy.example.com:3128"
# What nobody mentions. PyYAML and cnspec read most of it differently, so it has to stay as it is written.
KEPT = b"""\
kept: on
number: 01234
time: 12:30:45
quoted: 'yes'
tagged: !!str 12
nested:
  deep: off
"""
OTHER_SPACE_MRN = f"//captain.api.mondoo.app/spaces/{OTHER_SPACE}"


def yaml_text(fields: Mapping[str, Any]) -> str:
    """Return fields as cnspec writes them: by name, PEM texts as blocks."""
    lines = []
    for key, value in sorted(fields.items()):
        if "\n" in str(value):
            lines += [f"{key}: |", *(f"    {line}" for line in str(value).strip().splitlines())]
        else:
            lines.append(f"{key}: {value}")
    return "\n".join(lines) + "\n"


def write(place: Place, content: str | bytes, kept: bytes = b"") -> None:
    """Put a config on the host."""
    place.config.parent.mkdir(parents=True, exist_ok=True)
    place.config.write_bytes((content.encode() if isinstance(content, str) else content) + kept)
    place.config.chmod(0o600)
    place.kept = kept


def settings(place: Place, **more: Any) -> dict[str, Any]:
    """Return the settings of a host: its name, which is that of its agent, and a proxy."""
    return {"name": place.name, "api_proxy": PROXY, **more}


def identity(place: Place, **claims: Any) -> dict[str, Any]:
    """Register the host with a token; return the identity as `cnspec login` writes it (12.11.0 and later)."""
    answer = place.ground.register(place.name, place.ground.here, **claims)
    return _fields(place, answer)


def _fields(place: Place, answer: Mapping[str, Any]) -> dict[str, Any]:
    account = answer["credential"]
    place.agent = answer["agent_mrn"]
    return {
        "agent_mrn": place.agent,
        "mrn": account["mrn"],
        "private_key": account["private_key"],
        "certificate": account["certificate"],
        "space_mrn": account["scope_mrn"],
        "api_endpoint": account["api_endpoint"],
    }


def _under(place: Place) -> dict[str, Any]:
    place.agent = place.ground.register_under(place.document, place.name)
    return {**place.document, "agent_mrn": place.agent}


def no_file(place: Place) -> None:
    place.folder.mkdir(parents=True, exist_ok=True)


def empty(place: Place) -> None:
    write(place, "")


def malformed(place: Place) -> None:
    write(place, yaml_text({**identity(place), **settings(place)}) + "annotations: [\n")


def cut_in_half(place: Place) -> None:
    text = KEPT.decode() + yaml_text({**identity(place), **settings(place)})
    write(place, text[: text.index("PRIVATE KEY") + 90])
    place.kept = KEPT


def cut_in_certificate(place: Place) -> None:
    text = KEPT.decode() + yaml_text({**identity(place), **settings(place)})
    write(place, text[: text.index("BEGIN CERTIFICATE") + 90])
    place.kept = KEPT


def as_json(place: Place) -> None:
    write(place, json.dumps({**place.document, **settings(place, kept="on")}, indent=2) + "\n")
    place.kept = b'"kept": "on"'


def service_account(place: Place) -> None:
    write(place, yaml_text({**place.document, **settings(place)}), KEPT)


def managed(place: Place) -> None:
    write(place, yaml_text({**identity(place), **settings(place)}), KEPT)


def managed_under_document(place: Place) -> None:
    write(place, yaml_text({**_under(place), **settings(place)}), KEPT)


def another_space(place: Place) -> None:
    write(place, yaml_text({**identity(place, space=OTHER_SPACE), **settings(place)}), KEPT)


def stale_scope(place: Place) -> None:
    write(place, yaml_text({**identity(place), **settings(place), "scope_mrn": OTHER_SPACE_MRN}), KEPT)


def another_endpoint(place: Place) -> None:
    answer = place.ground.register(place.name, place.ground.there)
    write(place, yaml_text({**_fields(place, answer), **settings(place)}), KEPT)
    place.endpoint = True


def revoked(place: Place) -> None:
    fields = identity(place)
    write(place, yaml_text({**fields, **settings(place)}), KEPT)
    place.ground.here.revoke_service_account(fields["mrn"])


def revoked_document(place: Place) -> None:
    place.document = place.ground.here.create_service_account()
    managed_under_document(place)
    place.ground.here.revoke_service_account(place.document["mrn"])


def another_key(place: Place) -> None:
    write(place, yaml_text({**identity(place), **settings(place), "private_key": key_pem(new_key())}), KEPT)


def expired_certificate(place: Place) -> None:
    write(place, yaml_text({**identity(place, cert_valid_until=LONG_AGO), **settings(place)}), KEPT)


def logged_out(place: Place) -> None:
    fields = identity(place)
    place.ground.unregister(fields, place.agent)
    del fields["agent_mrn"]
    place.agent = ""
    write(place, yaml_text({**fields, **settings(place)}), KEPT)


def settings_only(place: Place) -> None:
    write(place, yaml_text(settings(place)), KEPT)


def unreadable(place: Place) -> None:
    managed(place)
    place.config.chmod(0 if os.geteuid() else 0o600)
    place.as_nobody = os.geteuid() == 0


def symlink(place: Place) -> None:
    managed(place)
    behind = place.folder / "elsewhere.yml"
    place.config.rename(behind)
    place.config.symlink_to(behind)


def directory(place: Place) -> None:
    place.config.mkdir(parents=True)


def shadowed_by_home(place: Place) -> None:
    home = place.folder / "home"
    managed(place)
    (home / ".config/mondoo").mkdir(parents=True)
    place.config.rename(home / ".config/mondoo/mondoo.yml")
    managed(place)
    place.environment = {"HOME": str(home)}


def base64_in_environment(place: Place) -> None:
    other = place.ground.here.create_service_account(space=OTHER_SPACE)
    managed(place)
    place.environment = {"MONDOO_CONFIG_BASE64": base64.b64encode(yaml_text(other).encode()).decode()}


def dotted_scan_interval(place: Place) -> None:
    write(place, yaml_text({**identity(place), **settings(place), "scan_interval.timer": 45}), KEPT)


def api_proxy_of_8(place: Place) -> None:
    fields = {**identity(place), **settings(place), "api-proxy": PROXY}
    del fields["api_proxy"]
    write(place, yaml_text(fields), KEPT)


def both_auto_updates(place: Place) -> None:
    write(place, yaml_text({**identity(place), **settings(place), "auto-update": "true", "auto_update": "false"}), KEPT)


def damaged_under_document(place: Place) -> None:
    text = KEPT.decode() + yaml_text({**_under(place), **settings(place)})
    write(place, text[: text.index("PRIVATE KEY") + 90])
    place.kept = KEPT


def bare_identity(place: Place) -> None:
    write(place, yaml_text(identity(place)))


def readable_by_all(place: Place) -> None:
    managed(place)
    place.config.chmod(0o644)


Builder = Callable[[Place], None]


def build(builder: Builder, place: Place) -> None:
    """Make what is found, as if it lay there for an hour: what has just changed may be half written."""
    builder(place)
    hour_ago = time.time() - 3600
    for path in [*place.folder.rglob("*"), place.folder]:
        os.utime(path, (hour_ago, hour_ago), follow_symlinks=False)
