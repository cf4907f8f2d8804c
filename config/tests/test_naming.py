"""What a process is called: in pg_stat_activity, in logs and in metrics."""

import pytest

from config import naming


@pytest.mark.parametrize(
    ("environment", "arguments", "service"),
    [
        ({"SAVEDESK_PROCESS": "web"}, ["web_worker.py", "3"], "web"),
        ({"Q_CLUSTER_NAME": "default"}, ["/srv/manage.py", "qcluster"], "queue"),
        ({"Q_CLUSTER_NAME": "research"}, ["/srv/manage.py", "qcluster"], "research"),
        ({}, ["manage.py", "supervise"], "supervise"),
        ({}, ["manage.py"], "python"),
        ({}, ["-c"], "python"),
    ],
)
def test_service_is_that_of_the_process(environment, arguments, service):
    assert naming.service(environment, arguments) == service


def test_name_of_a_connection_is_as_long_as_postgresql_keeps_it():
    assert naming.application("queue", "one.example") == "savedesk-queue@one.example"
    assert naming.application("web", "a" * 80) == "savedesk-web@" + "a" * 50
    assert naming.application("web", "hôst") == "savedesk-web@h?st"
