"""The databases that the store is tested on."""

from tests.storage.conftest import deployment, postgres, postgres_urls, templates

__all__ = ["deployment", "postgres", "postgres_urls", "templates"]
