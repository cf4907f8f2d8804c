"""Whatever stands in a variable: it is taken, or refused in words; nothing else is ever raised."""

import contextlib

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import example, given
from hypothesis import strategies as st

from config import addresses, brokers, proxies, public_url, single_sign_on, suspicions, values
from config.environment import Environment
from config.settings import env

KINDS = {
    "flag": values.flag,
    "number": values.number(least=0, most=9),
    "key": values.key,
    "hosts": values.hosts,
    "sender": values.sender,
    "web": addresses.web,
    "page_of_person": addresses.page_of_person,
    "database": addresses.database,
    "mail": addresses.mail,
    "broker": lambda text: brokers.broker_settings(addresses.broker(text), timeout_seconds=1),
    "public_url": public_url.read,
    "proxies": lambda text: proxies.networks(values.words(text)),
    "issuer": lambda text: single_sign_on.check_provider(addresses.web(text), "id", "secret"),
    "roles": lambda text: single_sign_on.roles_of_groups(values.words(text)),
}
SCHEMES = ("", "postgres://", "sqlite:///", "smtp://", "redis://", "sqs://", "http://", "https://")
SIGNS = st.text(st.sampled_from("aZ09:/?#[]@%.,*{}=&_- \n\t\u212a\u0660\uff0f"), max_size=20)
TEXTS = st.builds(str.__add__, st.sampled_from(SCHEMES), SIGNS | st.text(max_size=20))


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS)
@example(text="https://[")
@example(text="postgres://[::1")
@example(text="sqlite:///" + "a" * 5000)
@example(text="sqlite:////proc/self/mem/x")
@example(text="sqlite:///a%00/b")
def test_value_is_taken_or_refused_in_words(kind, text):
    with contextlib.suppress(ImproperlyConfigured):
        Environment({"NAME": text}, {}).read("NAME", KINDS[kind], "1")


@given(name=st.text(max_size=30), text=TEXTS)
def test_any_other_variable_is_suspicious_or_not(name, text):
    one = Environment({**dict.fromkeys(env.known, text), name: text}, {1: (name, text)})
    one.known = env.known

    assert all(isinstance(words, str) for words in suspicions.found(one))
