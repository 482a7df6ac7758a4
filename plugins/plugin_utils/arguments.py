# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user wrote, as plain Python, validated, with every secret in it known before anything can fail."""

from __future__ import annotations

import datetime
import difflib
import typing as t
from collections.abc import Mapping

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean

from .errors import FleetError
from .secrets import Secrets

Options = dict[str, t.Any]
Spec = Mapping[str, Mapping[str, t.Any]]

# URLs that may hold a password.
URL_OPTIONS = (
    *("api_proxy", "controller_proxy", "package_proxy"),
    *("api_endpoint", "updates_url", "package_url", "package_key_url"),
)
HARMLESS_CREDENTIALS = (
    "mrn",
    "space_mrn",
    "scope_mrn",
    "parent_mrn",
    "api_endpoint",
    "typename",
    "name",
    "description",
    "notes",
)
MINIMUM = {"timeout": 1, "retries": 1, "registration_limit": 1, "wait": 0, "ntp_wait": 0, "max_rejected": 0}
SECRET_WORDS = ("token", "key", "secret", "password", "passwd")

EXPECTED = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "dict": "a dictionary",
    "list": "a list",
    "str": "text",
    "path": "a path on the controller",
}


def plain(value: t.Any) -> t.Any:
    """Return `value` as exactly str, int, float, bool, None, list or dict.

    ansible-core hands over subclasses of these (tagged, templated) and stand-ins for them (vaulted values of 2.18 and
    older are sequences that are no str), which neither json nor yaml nor `type(x) is str` treat alike.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {plain(key) if isinstance(key, str) else str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    # A vaulted value is no str: str() decrypts it (in ansible-core 2.18 and older a Sequence of its own).
    return str.__str__(str(value))


def is_empty(value: t.Any) -> bool:
    """Tell whether `value` counts as not given: AWX fills an unanswered survey field with an empty text."""
    return value is None or value in ({}, []) or (isinstance(value, str) and not value.strip())


def read(arguments: Mapping[str, t.Any], spec: Spec, secrets: Secrets) -> Options:
    """Return the options of `spec` with their defaults, from a task's raw arguments.

    Empty counts as not given. The secrets among the arguments are added to `secrets` first, whatever is wrong with
    them. Raises FleetError (code `option_unknown` or `option_invalid`), which names the option and never its value.
    """
    given = {str(name): plain(value) for name, value in arguments.items()}
    _remember_secrets(given, spec, secrets)
    given = {name: value for name, value in given.items() if not is_empty(value)}
    for name in given:
        if name not in spec:
            raise _unknown(name, spec)
    options = {name: _validated(name, given.get(name), definition) for name, definition in spec.items()}
    for name, least in MINIMUM.items():
        if options.get(name) is not None and options[name] < least:
            cause, remedy = f"its value is less than {least}", f"Give {least} or more"
            raise FleetError(f"use the option {name}", cause, remedy, code="option_invalid")
    return {name: value for name, value in options.items() if not is_empty(value)}


def _remember_secrets(given: Options, spec: Spec, secrets: Secrets) -> None:
    for name, value in given.items():
        if name == "credentials" and isinstance(value, dict):
            secrets.add({key: item for key, item in value.items() if key not in HARMLESS_CREDENTIALS})
        elif name == "credentials" and isinstance(value, str):
            # In YAML each field has a line of its own, and an MRN is no secret.
            secrets.add([line for line in value.splitlines() if not line.strip().startswith(HARMLESS_CREDENTIALS)])
        elif name not in spec or spec[name].get("no_log"):
            # What nobody declared may be a misspelt option that holds a secret.
            secrets.add(value)
        if name in URL_OPTIONS:
            secrets.add_proxy(value)
    settings = given.get("settings")
    for key, value in settings.items() if isinstance(settings, dict) else ():
        if _is_secret(key):
            secrets.add(value)
        secrets.add_proxy(value)


def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in SECRET_WORDS)


def _unknown(name: str, spec: Spec) -> FleetError:
    near = difflib.get_close_matches(name, list(spec), n=1)
    remedy = f"Write {near[0]} instead" if near else "ansible-doc lists the options"
    return FleetError("use an option", f"there is no option {name!r}", remedy, code="option_unknown")


def _validated(name: str, value: t.Any, definition: Mapping[str, t.Any]) -> t.Any:
    """Validate one option alone: so an error can name it without ansible's message, which quotes the value."""
    if isinstance(value, (dict, list)) and definition.get("type") in ("str", "path"):
        raise _invalid(name, definition)  # ansible would turn it into the text of its Python form
    if isinstance(value, str) and "\0" in value:
        raise FleetError(f"use the option {name}", "it holds a NUL byte", "Remove it", code="option_invalid")
    if isinstance(value, bool) and definition.get("type") == "int":
        raise _invalid(name, definition)  # to Python, true is the number 1
    value = _choice(value, definition.get("choices", ()))
    if isinstance(value, dict) and definition.get("options"):
        value = {key: item for key, item in value.items() if not is_empty(item)}
    result = ArgumentSpecValidator({name: dict(definition)}).validate({} if is_empty(value) else {name: value})
    made = plain(result.validated_parameters.get(name))
    # ansible-core 2.18 and older hand back a text such as `{a.b()}` as it is, and say that it is a dictionary.
    unmade = definition.get("type") == "dict" and made is not None and not isinstance(made, dict)
    if result.errors.errors or unmade:
        raise _invalid(name, definition)
    return made


def _choice(value: t.Any, choices: t.Sequence[str]) -> t.Any:
    """Return `value` as one of choices that have true and false among them, where it means one; else as it is.

    An extra variable on the command line is text: what `no` or `Yes` mean in YAML has to mean the same there.
    """
    if not {"true", "false"} <= set(choices) or not isinstance(value, (bool, int, float, str)):
        return value
    word = str(value).strip().lower()
    if word in choices:
        return word
    try:
        return str(boolean(value)).lower()
    except TypeError:
        return value


def _invalid(name: str, definition: Mapping[str, t.Any]) -> FleetError:
    if definition.get("choices"):
        expected = "one of " + ", ".join(definition["choices"])
    elif definition.get("options"):
        parts = (f"{key} ({EXPECTED[value['type']]})" for key, value in definition["options"].items())
        expected = "a dictionary of " + " and ".join(parts)
    else:
        expected = EXPECTED[definition.get("type", "str")]
    return FleetError(
        f"use the option {name}", f"its value is not {expected}", f"Give {expected}", code="option_invalid"
    )
