"""The suite on every pair of Python and Django that is supported: nox, or nox -s "suite(3.12-6.1)".

Where the interpreters are pyenv's, name them first: PYENV_VERSION=3.11:3.12:3.13 nox
"""

import nox

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = True

TEST_GROUP = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "test")


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
