"""The button “Preview” of a form: it shows what people would read, and saves nothing.

With JavaScript only that section of the page is replaced (htmx); without, the page comes back with
the form as it was filled in.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse

PREVIEW = "_preview"  # the name of the button


class PreviewAdmin:
    def previewed(self, row: Any, formsets: list[Any]) -> dict[str, Any] | None:
        """What the template of the preview needs. `row` may be unsaved; None: nothing to show."""
        raise NotImplementedError

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]  # of the admin
        if PREVIEW not in request.POST:
            return form
        # Never valid, so that the admin shows the form as it was filled in instead of saving it.
        return type("PreviewedForm", (form,), {"is_valid": lambda form: False})

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        formsets = [one.formset for one in context["inline_admin_formsets"]]
        context["previewed"] = self.previewed(context["adminform"].form.instance, formsets)
        context["is_preview"] = PREVIEW in request.POST
        page: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]  # of the admin
        return page
