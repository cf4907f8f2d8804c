"""What tests of tokens use of other rooms."""

from operations.tests.test_upgrade import empty_database

__all__ = ["empty_database"]
