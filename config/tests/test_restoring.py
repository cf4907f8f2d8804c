from django.contrib.auth.models import Group
from django.test import TransactionTestCase
from django_q.models import Schedule


def test_what_a_test_commits_is_gone_and_what_it_deletes_is_back(transactional_db):
    roles = list(Group.objects.order_by("pk").values_list("pk", "name"))
    Group.objects.all().delete()
    Group.objects.create(name="Committed")
    Schedule.objects.all().delete()

    TransactionTestCase()._fixture_teardown()

    assert list(Group.objects.order_by("pk").values_list("pk", "name")) == roles != []
    assert Schedule.objects.exists()
