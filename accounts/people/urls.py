"""The addresses of the team and of one's own account."""

from django.contrib.auth import views as auth
from django.urls import path

from accounts.people import account, keys, pages, telling, zones

urlpatterns = [
    path("team/", pages.team, name="team"),
    path("team/add/", pages.add, name="add_person"),
    path("team/<int:pk>/", pages.person, name="person"),
    path("team/<int:pk>/link/", pages.new_link, name="new_link"),
    path("team/<int:pk>/deactivate/", pages.deactivate, name="deactivate"),
    path("team/<int:pk>/reactivate/", pages.reactivate, name="reactivate"),
    path("account/", account.account, name="account"),
    path("account/time-zone/", zones.choose, name="time_zone"),
    path("account/keys/", keys.choose, name="keys"),
    path("account/telling/", telling.choose, name="telling"),
    path("account/password/", account.ChangePassword.as_view(), name="change_password"),
    path("password-reset/", account.Forgotten.as_view(), name="forgotten"),
    path(
        "password-reset/sent/",
        auth.PasswordResetDoneView.as_view(template_name="accounts/reset_sent.html"),
        name="reset_sent",
    ),
    path(
        "password-reset/done/",
        auth.PasswordResetCompleteView.as_view(template_name="accounts/password_set.html"),
        name="password_set",
    ),
    path("password-reset/<uidb64>/<token>/", account.SetPassword.as_view(), name="set_password"),
]
