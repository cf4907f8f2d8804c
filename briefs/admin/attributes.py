"""The page of an attribute name, with a trial of the names on customers and events."""

from typing import Any

from django.contrib import admin

from briefs.admin.trying import TryAdmin
from personas.admin import AttributeNameAdmin
from personas.models import AttributeName
from personas.rules.serving import filled_words

admin.site.unregister(AttributeName)


@admin.register(AttributeName)
class TriedAttributeNameAdmin(TryAdmin, AttributeNameAdmin):
    can_be_tried = True

    def trial_words(self, obj: Any) -> str:
        return filled_words(obj)
