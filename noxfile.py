"""The suite on every pair of Python and Django that is supported: nox, or nox -s "suite(3.12-6.1)".

`nox -s lowest` runs the quick part of it on the lowest version of each dependency that pyproject.toml allows, and
`nox -s hosts` the widget inside Wagtail, django CMS and a site with allauth.

Where the interpreters are pyenv's, name them first: PYENV_VERSION=3.11:3.12:3.13 nox
"""

import nox
from packaging.requirements import Requirement

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True

PROJECT = nox.project.load_toml("pyproject.toml")
TEST_GROUP = nox.project.dependency_groups(PROJECT, "test")
PROGRAMS = nox.project.dependency_groups(PROJECT, "programs")
QUICK = (
    "tests/api",
    "tests/booking",
    "tests/doctor",
    "tests/mail",
    "tests/views/test_steps.py",
    "tests/webhooks",
)
"""Where each dependency is used, in about a minute; the other tests use nothing else of them."""


@nox.session
@nox.parametrize(
    ("python", "django"),
    [("3.11", "5.2"), ("3.12", "6.1"), ("3.13", "6.1")],
    ids=["3.11-5.2", "3.12-6.1", "3.13-6.1"],
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
    # The system's own time zone data would stand in for tzdata's.
    session.run(
        *("python", "-m", "pytest", "-m", "not (packaging or slow or journey or processes)"),
        *("-n", "2", "--dist", "loadfile", *(session.posargs or QUICK)),
        env={"PYTHONTZPATH": ""},
    )


@nox.session
def hosts(session: nox.Session) -> None:
    """The widget inside the base templates of other people's sites: Wagtail, django CMS, allauth with django-csp."""
    session.install("--editable", ".", *TEST_GROUP, "wagtail", "django-cms", "django-allauth", "django-csp")
    session.run("python", "-m", "pytest", "-n", "0", "tests/hosts", *session.posargs)


def _lower_bound(dependency: str) -> str:
    """Return `name==version` for a dependency written as `name>=version`."""
    requirement = Requirement(dependency)
    (least,) = [each.version for each in requirement.specifier if each.operator == ">="]
    return f"{requirement.name}=={least}"
