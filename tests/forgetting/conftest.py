"""A site with a webhook, where somebody has been."""

from tests.webhooks.conftest import hooked

__all__ = ["hooked"]
