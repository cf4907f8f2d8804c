"""BROKER_URL and what django-q2 makes of it."""

from pathlib import Path

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured

from config import brokers
from config.brokers import broker_settings, queue_prefix


def parse(url):
    return broker_settings(url, timeout_seconds=0.5)


def test_orm_is_the_default_database():
    assert parse("orm://") == {"orm": "default"}


@pytest.mark.parametrize(
    ("url", "host", "port", "password", "number"),
    [
        ("redis://host", "host", 6379, None, 0),
        ("redis://:se%2Fcret@host:7000/2", "host", 7000, "se/cret", 2),
        ("rediss://user:p@host/1?health_check_interval=5", "host", 6379, "p", 1),
    ],
)
def test_redis_keeps_its_address_and_gets_time_outs(url, host, port, password, number):
    parsed = redis.from_url(parse(url)["redis"]).connection_pool.connection_kwargs

    assert (parsed["host"], parsed.get("port", 6379)) == (host, port)
    assert (parsed.get("password"), parsed.get("db", 0)) == (password, number)
    assert (parsed["socket_timeout"], parsed["socket_connect_timeout"]) == (0.5, 0.5)


def test_query_of_a_redis_address_is_kept():
    url = parse("redis://host?health_check_interval=5")["redis"]

    assert redis.from_url(url).connection_pool.connection_kwargs["health_check_interval"] == 5


def test_sqs_names_the_region_and_takes_the_key_from_the_environment():
    assert parse("sqs://eu-west-1") == {
        "sqs": {"aws_region": "eu-west-1", "receive_message_wait_time_seconds": 1}
    }


def test_sqs_key_may_stand_in_the_address():
    options = parse("sqs://AKIA123:se%2Fcr%2Bet@us-east-1")["sqs"]

    assert (options["aws_access_key_id"], options["aws_secret_access_key"]) == (
        "AKIA123",
        "se/cr+et",
    )
    assert options["aws_region"] == "us-east-1"


@pytest.mark.parametrize(
    ("url", "scheme"), [("amqp://user:hidden@host", "amqp"), ("hidden", "nothing"), ("", "nothing")]
)
def test_any_other_address_is_refused_without_being_repeated(url, scheme):
    with pytest.raises(ImproperlyConfigured) as caught:
        parse(url)

    assert str(caught.value) == (
        f"BROKER_URL starts with {scheme}://; use orm://, redis:// or sqs://."
    )


@pytest.mark.parametrize(
    ("url", "package", "file"),
    [
        ("redis://:hidden@host", "redis", "requirements-redis.txt"),
        ("rediss://:hidden@host", "redis", "requirements-redis.txt"),
        ("sqs://key:hidden@us-east-1", "boto3", "requirements-sqs.txt"),
    ],
)
def test_package_that_is_missing_is_named_with_its_cure(monkeypatch, url, package, file):
    monkeypatch.setattr(brokers, "find_spec", lambda name: None)

    with pytest.raises(ImproperlyConfigured) as caught:
        parse(url)

    assert f"the package {package} is not installed" in str(caught.value)
    assert str(caught.value).endswith(f"pip install --require-hashes -r {file}")
    assert "hidden" not in str(caught.value)
    assert (Path(__file__).parents[2] / file).exists()


def test_queues_in_our_own_database_need_no_prefix():
    assert queue_prefix("savedesk", "orm://") == ""
    assert queue_prefix("shop_2", "redis://host") == "shop_2"


@pytest.mark.parametrize("prefix", ["", "a b", "a:b", "a" * 41])
def test_prefix_that_sqs_would_not_take_is_refused(prefix):
    with pytest.raises(ImproperlyConfigured, match="QUEUE_PREFIX is"):
        queue_prefix(prefix, "orm://")
