"""Passwords are hashed by two threads; who comes too many is asked to try again."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, check_password

from accounts.signing_in import hashing


@pytest.fixture
def hasher(settings):
    settings.PASSWORD_HASHERS = ["accounts.signing_in.hashing.PBKDF2"]


@pytest.fixture
def full():
    """All places are taken."""
    for _ in range(hashing.PLACES):
        hashing._places.acquire()
    yield
    hashing._places.release(hashing.PLACES)


def test_hashes_are_those_of_django(hasher):
    stored = PBKDF2PasswordHasher().encode("secret", "salt", 10)

    assert hashing.PBKDF2().encode("secret", "salt", 10) == stored
    assert check_password("secret", stored)


def test_all_hashes_run_in_two_threads(monkeypatch):
    def thread(self, *_):
        return threading.current_thread().name

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", thread)
    with ThreadPoolExecutor(hashing.PLACES) as pool:
        names = list(pool.map(lambda _: hashing.PBKDF2().encode("secret", "salt"), range(4)))

    assert set(names) <= {"hashing_0", "hashing_1"}


@pytest.mark.django_db
def test_who_signs_in_beyond_that_is_asked_to_try_again(client, user, hasher, full):
    response = client.post("/login/", {"username": "robin", "password": "a-long-password"})

    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert "Wait a few seconds" in response.content.decode()


def test_place_is_given_back_after_a_failure(monkeypatch):
    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", lambda *_: 1 / 0)

    for _ in range(hashing.PLACES + 1):
        with pytest.raises(ZeroDivisionError):
            hashing.PBKDF2().encode("secret", "salt")
