"""The desk's own addresses."""

from django.urls import path

from briefs.desk import actions, brief, bulk, inbox, insights, live, pausing, views, working

app_name = "briefs"
urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("live/", live.inbox, name="live"),
    path("briefs/<int:pk>/", brief.brief, name="brief"),
    path("briefs/<int:pk>/live/", live.brief, name="live_brief"),
    path("briefs/<int:pk>/research/", brief.research, name="research"),
    path("briefs/<int:pk>/assign/", actions.assign, name="assign"),
    path("briefs/<int:pk>/close/", actions.close, name="close"),
    path("briefs/<int:pk>/contact/", working.contact, name="contact"),
    path("briefs/<int:pk>/give/", working.give, name="give"),
    path("briefs/<int:pk>/give-back/", working.give_back, name="give_back"),
    path("briefs/<int:pk>/snooze/", working.snooze, name="snooze"),
    path("briefs/<int:pk>/wake/", working.wake, name="wake"),
    path("briefs/<int:pk>/comment/", working.comment, name="comment"),
    path("briefs/<int:pk>/correct/", working.correct, name="correct"),
    path("briefs/<int:pk>/reopen/", working.reopen, name="reopen"),
    path("briefs/<int:pk>/retry/", actions.retry_research, name="retry"),
    path("briefs/<int:pk>/renew/", actions.renew, name="renew"),
    path("bulk/", bulk.choose, name="bulk"),
    path("bulk/<int:pk>/", bulk.act, name="bulk_act"),
    path("bulk/<int:pk>/undo/", bulk.undo, name="undo_bulk"),
    path("views/", views.save, name="save_view"),
    path("views/<int:pk>/", views.change, name="change_view"),
    path("insights/", insights.insights, name="insights"),
    path("insights/pause/", pausing.pause, name="pause"),
    path("insights/resume/", pausing.resume, name="resume"),
    path("insights/<str:table>.csv", insights.download, name="insights_csv"),
]
