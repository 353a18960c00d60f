"""Fixtures of the commands' tests: the doctor's, and a site with a webhook."""

from tests.doctor.conftest import well  # noqa: F401 (a fixture)
from tests.webhooks.conftest import hooked  # noqa: F401 (a fixture)
