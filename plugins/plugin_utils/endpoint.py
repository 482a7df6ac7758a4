# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""API endpoints: how they are compared, and which may be used."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from .errors import FleetError


def normalise_endpoint(url: str) -> str:
    """Return an endpoint as it is compared: scheme and host in lower case, https if none is named, no final slash."""
    text = url.strip()
    scheme, rest = text.split("://", 1) if "://" in text else ("https", text)
    host, slash, path = rest.rstrip("/").partition("/")
    host = host.lower()
    host = host.removesuffix(":443") if scheme.lower() == "https" else host
    return f"{scheme.lower()}://{host}{slash}{path}"


def check_endpoint(url: str) -> str:
    """Return the normalised endpoint; raise FleetError (code `endpoint_invalid`) for one that must not be used."""
    text = normalise_endpoint(url)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        usable = usable and parts.username is None and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    # urlsplit drops tabs and line breaks silently.
    if not usable or any(character.isspace() for character in text):
        raise _endpoint("it is not a URL")
    if parts.scheme == "http" and not loopback(text):
        raise _endpoint("it is plain http")
    return text


def _endpoint(cause: str) -> FleetError:
    remedy = "Give one like https://eu.api.mondoo.com"
    return FleetError("use the API endpoint", cause, remedy, code="endpoint_invalid")


def loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine, where plain http is no risk."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # such as 127.0.0.1.example.com
