# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of sphinx for the docsite (make docs)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tooling.docs_labels import SITE, write_inventory  # noqa: E402

project = "mondoo.fleet"
copyright = "mondoo.fleet contributors"
title = html_short_title = "mondoo.fleet: hosts registered with Mondoo Platform"

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_theme_options = {"documentation_home_url": "https://github.com/mondoohq/ansible-mondoo-fleet", "topbar_links": {}}
html_static_path = ["static"]
html_css_files = ["docs.css"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False
# Two hyphens of a command must not become a dash.
smartquotes = False

pygments_style = "ansible"
highlight_language = "yaml+jinja"
default_role = "any"
nitpicky = True

# Labels of Ansible's own documentation: without internet from a list, else from the site itself.
EXTERNAL = os.environ.get("DOCS_EXTERNAL") == "1"
intersphinx_mapping = {"ansible": (SITE, None if EXTERNAL else str(write_inventory()))}

# What the linkcheck builder (make docs ARGS=--external) is not to ask for: forms that want a login.
linkcheck_ignore = [r"https://github\.com/mondoohq/ansible-mondoo-fleet/(edit|issues/new)\b.*"]
linkcheck_timeout = 20
linkcheck_retries = 3
