"""The pages of tokens: one's own, and everybody's for those who manage people."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_variables

from accounts.models import ApiToken
from accounts.models.roles import leads, role_of
from accounts.models.tokens import TokenQuerySet
from accounts.tokens.forms import TokenForm
from briefs.permissions import needs
from webhooks.clock import database_now

MANAGE = "accounts.manage_people"


@login_required
@sensitive_variables("token")
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens. A POST makes one, and its answer is the only page that shows it."""
    own = role_of(request.user)
    form = TokenForm(request.POST or None, own=own) if own else None
    made, token = None, ""
    if form and form.is_valid():
        made, token = ApiToken.make(request.user, **form.cleaned_data)
        form = None
    response = render(
        request,
        "accounts/tokens.html",
        {
            "form": form,
            "made": made,
            "token": token,
            "rows": _rows(ApiToken.objects.of(request.user)),
            "leads": [] if own else leads(),
            "may_see_all": request.user.has_perm(MANAGE),
        },
    )
    if token:
        response.headers["Cache-Control"] = "no-store"  # nor does "back" show it again
    return response


@needs(MANAGE)
def team(request: HttpRequest) -> HttpResponse:
    """Everybody's tokens, to be revoked; nobody can read one."""
    rows = _rows(ApiToken.objects.select_related("user").order_by("user__username", "-created"))
    return render(request, "accounts/team_tokens.html", {"rows": rows})


@login_required
def revoke(request: HttpRequest) -> HttpResponse:
    """POST: end a token, one's own or, as somebody who manages people, anybody's."""
    is_of_team = request.user.has_perm(MANAGE) and "team" in request.POST
    if request.method == "POST":
        key = request.POST.get("token", "")
        mine = ApiToken.objects.all() if is_of_team else ApiToken.objects.of(request.user)
        token = get_object_or_404(mine, pk=key if key.isalnum() else "")  # PostgreSQL takes no NUL
        ApiToken.objects.filter(pk=token.pk).end()
        messages.success(request, f"“{token.name}” is revoked: from now on it is refused.")
    return redirect("accounts:team_tokens" if is_of_team else "accounts:tokens")


def _rows(tokens: TokenQuerySet) -> list[dict[str, Any]]:
    now = database_now()
    return [
        {
            "token": token,
            "is_expired": token.is_expired(now),
            "expires_soon": token.expires_soon(now),
        }
        for token in tokens
    ]
