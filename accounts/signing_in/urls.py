"""The addresses of signing in, apart from `login` and `logout` themselves."""

from django.urls import path

from accounts.signing_in import login, second_factor, team, to_provider

urlpatterns = [
    path("login/code/", login.code, name="code"),
    path("login/single-sign-on/", to_provider.Begin.as_view(), name="single_sign_on"),
    path(
        "login/single-sign-on/callback/",
        to_provider.Callback.as_view(),
        name="single_sign_on_callback",
    ),
    path("account/second-factor/", second_factor.page, name="second_factor"),
    path("account/second-factor/begin/", second_factor.begin, name="second_factor_begin"),
    path("account/second-factor/confirm/", second_factor.confirm, name="second_factor_confirm"),
    path("account/second-factor/codes/", second_factor.renew_codes, name="second_factor_codes"),
    path("account/second-factor/remove/", second_factor.remove, name="second_factor_remove"),
    path("team/sign-in/", team.policy, name="sign_in_policy"),
    path("team/sign-in/unlock/", team.unlock, name="unlock"),
    path(
        "team/<int:pk>/second-factor/remove/",
        team.remove_second_factor,
        name="remove_second_factor",
    ),
]
