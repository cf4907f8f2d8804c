"""Lists in the order in which rules are tried: rows are dragged, moved by buttons, or numbered.

The script static/ordering.js writes the numbers 10, 20, 30 … into the list's form, which saves them
as if they had been typed. So without JavaScript the numbers do the same.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.views.main import ALL_VAR
from django.db.models import Max
from django.http import HttpRequest

STEP = 10
FACETS_VAR = "_facets"  # of the filters' counts


class OrderedAdmin:
    """For a model with a position that its list lets people edit."""

    model: Any
    order_words = ""  # what the order means, above the list
    order_filters: frozenset[str] = frozenset()  # that never show only a part of an order

    def placed(self) -> Any:
        """The rows that have a place in an order."""
        return self.model.objects.all()

    def order_of(self, row: Any) -> str | None:
        """A key of the rows among which this one has its place; None if it has none."""
        return ""

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        form: type[Any] = super().get_changelist_form(request, **kwargs)  # type: ignore[misc]  # of the admin
        order_of: Callable[[Any], str | None] = self.order_of

        def prepare(row_form: Any, *args: Any, **kwargs: Any) -> None:
            form.__init__(row_form, *args, **kwargs)
            order = order_of(row_form.instance)
            if order is None:
                del row_form.fields["position"]
            else:
                attributes = {"data-order": order, "data-name": str(row_form.instance)}
                row_form.fields["position"].widget.attrs.update(attributes)

        return type("OrderedRowForm", (form,), {"__init__": prepare})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        response: Any = super().changelist_view(request, extra_context)  # type: ignore[misc]  # of the admin
        context = getattr(response, "context_data", None) or {}
        if shown := context.get("cl"):
            context["order_words"] = self.order_words
            context["can_order"] = bool(shown.formset) and self._is_whole(shown)
        return response

    def _is_whole(self, shown: Any) -> bool:
        """Whether the list has all rows of each order that it shows, in their order."""
        chosen = set(shown.params) - self.order_filters - {ALL_VAR, FACETS_VAR}
        return not chosen and not shown.query and (not shown.multi_page or shown.show_all)

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """A new rule comes last, so that it takes nothing from another one before it is moved."""
        last = self.placed().aggregate(last=Max("position"))["last"] or 0
        initial: Any = super().get_changeform_initial_data(request)  # type: ignore[misc]  # of the admin
        return {"position": last + STEP, **initial}


def make_room_after(row: Any, others: Any) -> int:
    """A position right after this row. Moves the later ones of `others` if none is free."""
    own = (row.position, row.pk)
    later = [one for one in others.order_by("position", "pk") if (one.position, one.pk) > own]
    if later and later[0].position > row.position + 1:
        return int(row.position + later[0].position) // 2
    shift = row.position + 2 * STEP - later[0].position if later else 0
    for one in later:
        one.position += shift
        one.save(update_fields=["position"])
    return int(row.position) + STEP
