# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Needs git, make, Python 3.11 or later with venv, and PyPI. Everything is made inside .build.
SHELL := /bin/sh
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .build/venv
NOX := $(VENV)/bin/nox --session
# Ansible and its tools write below the home: that is a folder of .build too.
AT_HOME := HOME="$(CURDIR)/.build/home"

.DEFAULT_GOAL := help
.PHONY: help setup demo test format lint types units hands canary cnspec hosts molecule sandbox transcripts states faults storm fuzz bench sanity integration artifact docs lock clean

help: ## show these lines
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 14

setup: $(VENV)/.made-from-lock ## make .build/venv from requirements/dev.txt, and link the tree where Ansible looks

$(VENV)/.made-from-lock: requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "Cannot make .build/venv: no Python 3.11 or later is found. Install python3 and python3-venv, or name one: make PYTHON=/path/to/python3."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip --cache-dir .build/cache/pip install --quiet --disable-pip-version-check --no-deps -r requirements/dev.txt
	mkdir -p .build/home .build/collections/ansible_collections/mondoo
	test -e .build/collections/ansible_collections/mondoo/fleet || ln -s ../../../.. .build/collections/ansible_collections/mondoo/fleet
	touch $@

demo: setup ## the main job: a fleet registered, broken and repaired against a sandbox platform
	@$(AT_HOME) $(VENV)/bin/python demo/demo.py

test: setup ## the fast suite, under 25 minutes on two cores
	@$(VENV)/bin/python tests/run.py

format lint types units hands canary cnspec hosts molecule sandbox transcripts states faults storm fuzz bench sanity integration artifact docs lock: setup ## one session of nox; ARGS='--count 9' are its options (nox -l lists more)
	@$(NOX) $@ $(if $(ARGS),-- $(ARGS))

clean: ## remove all that these commands made
	rm -rf .build
