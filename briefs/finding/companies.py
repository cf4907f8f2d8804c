"""Which companies' names have a part. No index finds that, so all names are looked through."""

import re
from typing import Any

from django.db import connection
from django.db.models import Value

from briefs.finding import counting
from briefs.finding.words.matching import is_postgresql
from briefs.models import Brief
from personas.models.letters import folding
from personas.models.value import is_company

MOST = 500  # of which the index is asked; more names say little, such as “a”
# PostgreSQL reads every row to tell which names there are: of 200,000 for 16 ms. To go from name to
# name in the index takes 5 to 10 microseconds for each, of however many rows.
STEPS = 1_000
_WHOLE = re.compile(r'"(.+)"')
_FROM_NAME_TO_NAME = """
    WITH RECURSIVE names (name, number) AS (
        SELECT MIN(LOWER(company)), 1 FROM briefs_brief
        UNION ALL
        SELECT
            (SELECT MIN(LOWER(company)) FROM briefs_brief WHERE LOWER(company) > names.name),
            number + 1
        FROM names WHERE name IS NOT NULL AND number <= %s
    )
    SELECT name FROM names WHERE name IS NULL OR STRPOS(name, LOWER(%s)) > 0
"""
_ALL: counting.Sql = (_FROM_NAME_TO_NAME, ())  # under which it is noted that there are many


def named(part: str) -> list[str]:
    """Those of briefs, in lower case; one more than MOST at most. In quotes: of the whole name."""
    fold = folding(part)
    if whole := _WHOLE.fullmatch(part):
        same = Brief.objects.filter(is_company(whole[1])).order_by()
        return list(same.values_list(fold("company"), flat=True)[:1])
    if is_postgresql() and not counting.are_many(_ALL):
        found = _from_name_to_name(part)
        if found is not None:
            return found[: MOST + 1]
        counting.note_many(_ALL)
    briefs = Brief.objects.annotate(named=fold("company"))
    names: Any = briefs.filter(named__contains=fold(Value(part))).order_by()
    return list(names.values_list("named", flat=True).distinct()[: MOST + 1])


def _from_name_to_name(part: str) -> list[str] | None:
    """None if there are more than STEPS names."""
    with connection.cursor() as cursor:
        cursor.execute(_FROM_NAME_TO_NAME, [STEPS, part])
        found = [name for (name,) in cursor.fetchall()]
    return [name for name in found if name is not None] if None in found else None  # its end
