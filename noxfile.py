# Copyright (c) mondoo.fleet contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The developer's commands: nox -l lists them, CONTRIBUTING.md explains them, make test runs the fast ones."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import nox

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / "tests"))

from tooling import ansible_test, pythons, steps  # noqa: E402
from tooling.environments import cell, environment  # noqa: E402
from tooling.paths import BUILD, COLLECTIONS, HOME, LOCKS, PLACE, link_collection  # noqa: E402

nox.options.sessions = ["lint", "types", "units"]
nox.options.envdir = BUILD / "nox"

BIN = Path(sys.executable).parent
UNITS = ["tests/unit", "tests/states", "--ignore", "tests/unit/sandbox"]
PACKAGE = "ansible_collections.mondoo.fleet.plugins"
TYPED = ["plugin_utils", "action", "filter"]


def tool(name: str, *options: str | Path, title: str = "", cwd: Path = ROOT, **env: str) -> steps.Step:
    """Return a step that runs a tool of .build/venv, which says only yes or no."""
    settings = environment(BIN.parent, HOME, ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), **env)
    return steps.Step(title or name, [BIN / name, *options], steps.one, settings, cwd)


def run_all(session: nox.Session, todo: Iterable[steps.Step]) -> None:
    """Run every step, also after one that fails, and fail at the end."""
    steps.forget(session.name)
    link_collection()
    total = sum((steps.run(session.name, step) for step in todo), steps.Count())
    if total.failed:
        session.error(f"{total.passed} passed, {total.failed} failed")
    session.log(f"{total.passed} passed, {total.skipped} skipped")


@nox.session(venv_backend="none")
def format(session: nox.Session) -> None:
    """Sort imports, repair what ruff can, and format."""
    run_all(session, [tool("ruff", "check", "--fix", "."), tool("ruff", "format", ".")])


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    """Check style, YAML, roles and playbooks, documentation of plugins, and changelog fragments."""
    # antsibull-docs copies the whole folder that it is given: not that of the tree, which holds .build.
    copy = ansible_test.copy_collection(BUILD / "docs/collections" / PLACE, not_recorded)
    docs = tool("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", copy)
    run_all(
        session,
        [
            tool("ruff", "check", "."),
            tool("ruff", "format", "--check", ".", title="ruff format"),
            tool("yamllint", "--strict", "."),
            tool("ansible-lint", "--strict", ANSIBLE_HOME=str(BUILD / "ansible")),
            docs,
            tool("antsibull-changelog", "lint"),
        ],
    )


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """Check the types of the brain, the sandbox, the demo and the tools."""
    packages = [word for name in TYPED if (ROOT / "plugins" / name).exists() for word in ("-p", f"{PACKAGE}.{name}")]
    packages += [
        word
        for name in ("sandbox", "states", "faults", "bench", "fuzz", "hosts", "scenarios", "tooling")
        for word in ("-p", name)
    ]
    files = [name for name in ("demo", "noxfile.py", "tests/run.py") if (ROOT / name).exists()]
    run_all(session, [tool("mypy", *packages, title="mypy packages"), tool("mypy", *files, title="mypy files")])


def brain(session: nox.Session, version: str, core: str, tests: list[str]) -> steps.Step:
    """Return the step that runs tests of the brain on one Python with one ansible-core."""
    venv = cell(version, core)
    env = environment(venv, HOME, ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS))
    argv = [venv / "bin/python", "-m", "pytest", *(session.posargs or tests)]
    return steps.Step(f"brain on Python {version}, ansible-core {core}", argv, steps.pytest, env)


def here(session: nox.Session, folder: str) -> steps.Step:
    """Return the step that runs the tests of one folder with .build/venv."""
    argv = [BIN / "python", "-m", "pytest", *(session.posargs or [folder])]
    return steps.Step(folder, argv, steps.pytest, environment(BIN.parent, HOME))


def hands_on(version: str) -> steps.Step:
    """Return the step that runs the units of the hands on one Python, where nothing is installed."""
    python = pythons.find(version)
    assert python is not None
    path = os.pathsep.join([str(COLLECTIONS), str(ROOT / "tests")])
    env = environment(BIN.parent, HOME, PYTHONPATH=path)
    argv = [python, "-m", "unittest", "discover", "--verbose", "-s", "tests/unit/hands"]
    return steps.Step(f"hands on Python {version}", argv, steps.unittest, env)


@nox.session(venv_backend="none")
def hands(session: nox.Session) -> None:
    """Test the hands with unittest on each Python found, 3.6 to 3.13."""
    run_all(session, [hands_on(version) for version in pythons.found(pythons.HANDS, "units of the hands on it")])


@nox.session(venv_backend="none")
def units(session: nox.Session) -> None:
    """Test the brain on each Python found: the oldest with the oldest ansible-core, others with their newest."""
    for version, core in pythons.default_cells("units of the brain on it"):
        session.notify(f"units-{core}-{version}")


def units_of(core: str, session: nox.Session) -> None:
    """Test the brain with one ansible-core on each Python found that it supports."""
    for version in pythons.found(pythons.CORES[core], f"units with ansible-core {core} on it"):
        session.notify(f"units-{core}-{version}")


def units_on(core: str, version: str, session: nox.Session) -> None:
    """Test the brain with one ansible-core on one Python."""
    run_all(session, [brain(session, version, core, UNITS)])


@nox.session(venv_backend="none")
def canary(session: nox.Session) -> None:
    """Send marked secrets through every path, with the oldest and the newest ansible-core, and look for them."""
    cores = pythons.default_cores()
    cells = [(str(pythons.python_for(core)), core) for core in dict.fromkeys((cores[0], cores[-1]))]
    # What ansible-runner stores is what the newest hands it.
    newest, oldest = ["tests/canary"], ["tests/canary", "-k", "local or ssh"]
    todo = [(*cell, newest if cell == cells[-1] else oldest) for cell in cells]
    run_all(session, [brain(session, version, core, tests) for version, core, tests in todo])


@nox.session(venv_backend="none")
def cnspec(session: nox.Session) -> None:
    """Register by way of the host's own cnspec, in every version."""
    run_all(session, [here(session, "tests/cnspec")])


@nox.session(venv_backend="none")
def hosts(session: nox.Session) -> None:
    """Test what only hosts that run systemd can show, in a network of their own (root; -- --fast: some of it)."""
    env = environment(BIN.parent, HOME, PYTHONPATH=str(ROOT / "tests"))
    fast = "--fast" in session.posargs
    images = ["--images", "debian-bookworm,services,uml"] if fast else []
    tests = ["-m", "not slow", "tests/hosts"] if fast else session.posargs or ["tests/hosts"]
    argv = [BIN / "python", "-m", "hosts.lab", "--go-on", *images, BIN / "python", "-m", "pytest", *tests]
    run_all(session, [steps.Step("tests/hosts", argv, steps.pytest, env)])


@nox.session(venv_backend="none")
def molecule(session: nox.Session) -> None:
    """Run the molecule scenarios on hosts of every family (root; -- --fast: two hosts; -- SCENARIO...: only these)."""
    path = os.pathsep.join([str(COLLECTIONS), str(ROOT / "tests")])
    argv = [BIN / "python", "-m", "scenarios", *session.posargs]
    run_all(session, [steps.Step("molecule", argv, steps.closing, environment(BIN.parent, HOME, PYTHONPATH=path))])


@nox.session(venv_backend="none")
def sandbox(session: nox.Session) -> None:
    """Test the sandbox platform and the stand-in for cnspec."""
    run_all(session, [here(session, "tests/unit/sandbox")])


def module(session: nox.Session, *argv: str) -> None:
    """Run a module of tests/ in the terminal: its table is what the session is for."""
    env = environment(BIN.parent, HOME, PYTHONPATH=os.pathsep.join([str(COLLECTIONS), str(ROOT / "tests")]))
    env["ANSIBLE_COLLECTIONS_PATH"] = str(COLLECTIONS)
    link_collection()
    session.run(str(BIN / "python"), "-m", *argv, *session.posargs, env=env, external=True)


@nox.session(venv_backend="none")
def transcripts(session: nox.Session) -> None:
    """Compare sandbox, stand-in and parser with every recording, and print a row for each."""
    module(session, "sandbox.transcripts")


def table(session: nox.Session, name: str) -> None:
    """Run a package of tests/ that prints a table; its closing line is like pytest's."""
    path = os.pathsep.join([str(COLLECTIONS), str(ROOT / "tests")])
    env = environment(BIN.parent, HOME, PYTHONPATH=path, ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS))
    run_all(session, [steps.Step(name, [BIN / "python", "-m", name, *session.posargs], steps.pytest, env)])


@nox.session(venv_backend="none")
def states(session: nox.Session) -> None:
    """Run every cell of the table of states with ansible-playbook, and print what is done (-- --only TEXT: fewer)."""
    table(session, "states")


@nox.session(venv_backend="none")
def faults(session: nox.Session) -> None:
    """Make everything go wrong that can, at every step of a registration, and print what comes of each."""
    table(session, "faults")


@nox.session(venv_backend="none")
def storm(session: nox.Session) -> None:
    """Register 200 hosts at a platform that is busy, then let it reject them all (-- --hosts N: as many)."""
    module(session, "faults.storm")


@nox.session(venv_backend="none")
def fuzz(session: nox.Session) -> None:
    """Feed a million mutated transcripts to the parser (-- --count N: as many, --seed N: the same again)."""
    module(session, "fuzz")


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Register 200 hosts, and measure the sandbox's share of the CPU."""
    module(session, "bench.storm")


def not_recorded(name: str) -> bool:
    """Leave out the recordings, whose bytes are what they are: ansible-test sanity takes offence at some.

    A terminal's line ends (line-endings) and a configuration that is meant to be malformed (yamllint) are among them.
    """
    return not name.startswith("tests/transcripts/")


def sanity_of(core: str, session: nox.Session) -> None:
    """Run all of ansible-test sanity with one ansible-core."""
    place = ansible_test.workplace(core, "sanity", not_recorded)
    argv = [place.command, "sanity", "--color", "no", "--truncate", "0", *session.posargs]
    step = steps.Step(f"sanity of ansible-core {core}", argv, steps.ansible_test, place.env, place.collection)
    run_all(session, [step])


def integration_of(core: str, session: nox.Session) -> None:
    """Run ansible-test integration with one ansible-core, on this machine and against the sandbox platform."""
    place = ansible_test.workplace(core, "integration")
    argv = [place.command, "integration", "--color", "no", "--continue-on-error", *session.posargs]
    step = steps.Step(f"integration with ansible-core {core}", argv, steps.ansible_test, place.env, place.collection)
    run_all(session, [step])


@nox.session(venv_backend="none")
def sanity(session: nox.Session) -> None:
    """Run ansible-test sanity of the newest ansible-core for each Python found, and of the oldest (sanity-X.Y: one)."""
    pythons.found(pythons.BRAIN, "sanity with its newest ansible-core")
    for core in pythons.default_cores():
        session.notify(f"sanity-{core}")


@nox.session(venv_backend="none")
def integration(session: nox.Session) -> None:
    """Run ansible-test integration with each ansible-core that a Python found can have (integration-X.Y: one)."""
    for core in filter(pythons.python_for, pythons.CORES):
        session.notify(f"integration-{core}")


@nox.session(venv_backend="none")
def artifact(session: nox.Session) -> None:
    """Build the collection, install it elsewhere and use it with nothing of the tree on the path."""
    run_all(session, [here(session, "tests/artifact")])


def sphinx(builder: str, external: bool) -> steps.Step:
    """Return the step that makes a site of the pages in .build/docs/rst, or asks other sites for what they link to."""
    options = ["--nitpicky", "--fail-on-warning", "--keep-going", "--quiet", "--fresh-env", "--builder", builder]
    folders: list[str | Path] = ["-c", "tests/docs", BUILD / "docs/rst", BUILD / "docs" / builder]
    env = {"PYTHONPATH": str(ROOT / "tests"), "DOCS_EXTERNAL": str(int(external))}
    return tool("sphinx-build", *options, *folders, title=f"sphinx {builder}", cwd=ROOT, **env)


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Render the docsite in .build/docs/html and follow every link (-- --external: those to other sites, too)."""
    pages, external = BUILD / "docs/rst", "--external" in session.posargs
    pages.mkdir(parents=True, exist_ok=True)
    pages.chmod(0o755)  # antsibull-docs wants a folder that nobody else can write to
    render = ["collection", "--use-current", "--squash-hierarchy", "--fail-on-error", "--cleanup", "everything"]
    render += ["--dest-dir", str(pages), "mondoo.fleet"]
    links = ["-m", "tooling.docs_links", str(BUILD / "docs/html")]
    todo = [
        tool("antsibull-docs", "--config-file", "tests/docs/antsibull-docs.cfg", *render),
        sphinx("html", external),
        tool("python", *links, title="links", PYTHONPATH=str(ROOT / "tests")),
        steps.Step(
            "tests/docs", [BIN / "python", "-m", "pytest", "tests/docs"], steps.pytest, environment(BIN.parent, HOME)
        ),
    ]
    run_all(session, [*todo, sphinx("linkcheck", external)] if external else todo)


@nox.session(venv_backend="none")
def demo(session: nox.Session) -> None:
    """Test that the whole demo keeps what it promises (make demo shows it)."""
    run_all(session, [here(session, "tests/demo")])


@nox.session(venv_backend="none")
def lock(session: nox.Session) -> None:
    """Write requirements/*.txt anew from requirements/*.in, with the newest versions that there are today."""
    maker = BUILD / "venvs/lock"
    session.run(sys.executable, "-m", "venv", str(maker), external=True)
    session.run(str(maker / "bin/pip"), "install", "--quiet", "--upgrade", "-r", str(LOCKS / "lock.in"), external=True)
    oldest = {"dev": "3.11", **{f"core-{core}": versions[0] for core, versions in pythons.CORES.items()}}
    for name, version in oldest.items():
        command = [str(maker / "bin/uv"), "pip", "compile", "--quiet", "--universal", "--upgrade", "--no-annotate"]
        command += ["--custom-compile-command", "make lock", "--python-version", version]
        with session.chdir(LOCKS):
            cache = {"UV_CACHE_DIR": str(BUILD / "cache/uv")}
            session.run(*command, f"{name}.in", "-o", f"{name}.txt", external=True, env=cache)


def register(name: str, function: Callable[..., None], *given: str) -> None:
    """Make a session of a function and what it is given; such sessions run when asked for by name."""
    bound = functools.update_wrapper(functools.partial(function, *given), function)
    nox.session(venv_backend="none", name=name, default=False)(bound)


for _core, _versions in pythons.CORES.items():
    register(f"units-{_core}", units_of, _core)
    register(f"sanity-{_core}", sanity_of, _core)
    register(f"integration-{_core}", integration_of, _core)
    for _version in _versions:
        register(f"units-{_core}-{_version}", units_on, _core, _version)
