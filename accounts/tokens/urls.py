"""The addresses of the pages of tokens."""

from django.urls import path

from accounts.tokens import pages

urlpatterns = [
    path("account/tokens/", pages.tokens, name="tokens"),
    path("account/tokens/revoke/", pages.revoke, name="revoke_token"),
    path("team/tokens/", pages.team, name="team_tokens"),
]
