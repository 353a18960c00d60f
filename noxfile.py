"""The suite on every pair of Python and Django that is supported: nox, or nox -s "suite(3.12-6.1)".

`nox -s lowest` runs the quick part of it on exactly the lowest version of each dependency that pyproject.toml allows,
`nox -s newest` on the newest of each, and `nox -s django_main` on what Django will be next. The latter two are not
required: others may release at any moment. `nox -s vulnerabilities` asks pip-audit's database about all packages that
an installation brings. `nox -s hosts` runs the widget inside Wagtail, django CMS and a site with allauth, on the oldest
and the newest Django that this Python runs; `nox -s hosts_matrix` on each Django and Python.

Where the interpreters are pyenv's, name them first: PYENV_VERSION=3.11:3.12:3.13 nox
"""

import sys

import nox
from packaging.requirements import Requirement

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["suite", "lowest"]

PROJECT = nox.project.load_toml("pyproject.toml")
TEST_GROUP = nox.project.dependency_groups(PROJECT, "test")
RECIPES = nox.project.dependency_groups(PROJECT, "recipes")
PROGRAMS = nox.project.dependency_groups(PROJECT, "programs")
QUICK = (
    "tests/api",
    "tests/booking",
    "tests/doctor",
    "tests/mail",
    "tests/presentation/test_calendar_event.py",
    "tests/presentation/test_locales.py",
    "tests/presentation/test_timezone_search.py",
    "tests/questions/test_fields.py",
    "tests/test_cold_start.py",
    "tests/test_normalization.py",
    "tests/views/test_steps.py",
    "tests/webhooks",
)
"""Where each dependency is used, in a few minutes; the other tests use nothing else of them.

Not test_formatting.py: the words of dates and durations are CLDR's, which improves them with each release of Babel.
"""
DJANGO_MAIN = "https://github.com/django/django/archive/refs/heads/main.tar.gz"


@nox.session
@nox.parametrize(
    ("python", "django"),
    [("3.11", "5.2"), ("3.12", "6.0"), ("3.12", "6.1"), ("3.13", "6.1")],
    ids=["3.11-5.2", "3.12-6.0", "3.12-6.1", "3.13-6.1"],
)
def suite(session: nox.Session, django: str) -> None:
    """Everything but the wheel's own check, on the newest patch release of one Django."""
    session.install("--editable", ".", *TEST_GROUP, f"django=={django}.*")
    session.run("python", "-m", "pytest", "-m", "not packaging", *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """A quick part of the suite on the lower bound of each dependency, so that no bound promises too much."""
    bounds = [_lower_bound(dependency) for dependency in PROJECT["project"]["dependencies"]]
    # Programs that read the API aren't part of a site, and want newer versions of what it shares with them.
    group = [dependency for dependency in TEST_GROUP if dependency not in PROGRAMS]
    session.install("--editable", ".", *group, *bounds)
    # The resolver fails rather than take another version; this shows which ones were tested.
    session.run("python", "-m", "pip", "list")
    _run_quick(session)


@nox.session
def newest(session: nox.Session) -> None:
    """The quick part of the suite on the newest version of everything, pre-releases aside."""
    session.install("--upgrade", "--upgrade-strategy", "eager", "--editable", ".", *TEST_GROUP)
    _run_quick(session)


@nox.session
def django_main(session: nox.Session) -> None:
    """The quick part of the suite on Django's main branch, where it can be had."""
    session.install("--editable", ".", *TEST_GROUP)
    session.install("--upgrade", DJANGO_MAIN)
    # What Django deprecates there is for the next release to mend; here it would hide what is broken.
    _run_quick(session, "-W", "default::DeprecationWarning", "-W", "default::PendingDeprecationWarning")


def _run_quick(session: nox.Session, *options: str) -> None:
    # The system's own time zone data would stand in for tzdata's.
    session.run(
        *("python", "-m", "pytest", "-m", "not (packaging or slow or journey or processes)", *options),
        *("-n", "2", "--dist", "loadfile", *(session.posargs or QUICK)),
        env={"PYTHONTZPATH": ""},
    )


@nox.session
@nox.parametrize("django", ["5.2", "6.1"], ids=["5.2", "6.1"])
def hosts(session: nox.Session, django: str) -> None:
    """The widget in other people's sites (Wagtail, django CMS, allauth with django-csp), and what recipes plug in.

    On the oldest and the newest Django that all of them support, as far as this Python runs it.
    """
    if sys.version_info < (3, 12) and django != "5.2":
        session.skip(f"Django {django} needs Python 3.12")
    _run_hosts(session, django)


@nox.session
@nox.parametrize(
    ("python", "django"),
    [("3.11", "5.2"), ("3.12", "5.2"), ("3.12", "6.0"), ("3.13", "6.1")],
    ids=["3.11-5.2", "3.12-5.2", "3.12-6.0", "3.13-6.1"],
)
def hosts_matrix(session: nox.Session, django: str) -> None:
    """The same hosts on each Django that all of them support, with the Pythons of each."""
    _run_hosts(session, django)


def _run_hosts(session: nox.Session, django: str) -> None:
    packages = ("wagtail", "django-cms", "django-allauth", "django-csp")
    session.install("--editable", ".", *TEST_GROUP, *RECIPES, *packages, f"django=={django}.*")
    session.run("python", "-m", "pytest", "-n", "0", "tests/hosts", *session.posargs)


@nox.session
def vulnerabilities(session: nox.Session) -> None:
    """Look up known vulnerabilities of all that an installation brings, with its extras."""
    extras = PROJECT["project"].get("optional-dependencies", {})
    # Without the package itself, which an index may not have yet: --strict fails for what it can't look up.
    wanted = [*PROJECT["project"]["dependencies"], *(line for lines in extras.values() for line in lines)]
    session.install(*wanted, "pip-audit")
    session.run("pip-audit", "--strict", *session.posargs)


def _lower_bound(dependency: str) -> str:
    """Return `name==version` for a dependency written as `name>=version`."""
    requirement = Requirement(dependency)
    (least,) = [each.version for each in requirement.specifier if each.operator == ">="]
    return f"{requirement.name}=={least}"
