"""Stand-ins for Customer.io's App API and for Mavera, over real HTTP, for the demo and the tests.

Imports nothing of the project, so that what it answers comes from the vendors' documentation and
never from our own idea of it.
"""

from sandbox.options import CIO_KEY, MAVERA_KEY, REVOKED_KEY
from sandbox.server import Sandbox

__all__ = ["CIO_KEY", "MAVERA_KEY", "REVOKED_KEY", "Sandbox"]
