"""The migrations one by one, as installations of before ran them: no squashed ones."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader


class Loader(MigrationLoader):
    def build_graph(self):
        self.replace_migrations = False
        super().build_graph()
        for node, squashed in self.replacements.items():
            self.graph.remove_replacement_node(node, squashed.replaces)
        self.replacements = {}  # nobody notes them as applied


def executor():
    """Migrates to any migration, on the tests' connection of the moment."""
    made = MigrationExecutor(connection)
    made.loader = Loader(connection)
    return made
