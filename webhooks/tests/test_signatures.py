"""The signature: what Customer.io signed is accepted, and nothing else."""

import time

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from webhooks.signatures import Verifier, is_too_old, sign

SECRETS = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable())
TIMESTAMPS = st.integers(0, 2**40).map(str) | st.text(st.characters(exclude_categories=["Cs"]))


def accepts(secrets, timestamp, body, signature):
    verifier = Verifier(secrets, timestamp)
    verifier.update(body)
    return verifier.accepts(signature)


def test_documented_example_is_signed_as_documented():
    body = b'{"event_id":"abc","object_type":"email","metric":"delivered"}'

    assert sign("signing-secret", "1614265384", body) == (
        "6f55cf23f9b73a2ff07733fe04421f64ce9ec5e409696edda6b2a80311944230"
    )


@given(SECRETS, TIMESTAMPS, st.binary())
def test_what_was_signed_is_accepted(secret, timestamp, body):
    assert accepts([secret], timestamp, body, sign(secret, timestamp, body))


@given(SECRETS, TIMESTAMPS, st.binary(), st.binary())
@example("s", "1", b"{}", b"{} ")
@example("s", "1", b"", b"\0")
def test_any_other_body_is_refused(secret, timestamp, body, other):
    assume(body != other)

    assert not accepts([secret], timestamp, other, sign(secret, timestamp, body))


@given(SECRETS, SECRETS, TIMESTAMPS, st.binary())
@example("secret", "Secret", "1", b"")
@example("secret", "secret ", "1", b"")
def test_any_other_secret_is_refused(secret, other, timestamp, body):
    # HMAC fills a short key up with zero bytes, so keys that differ in those alone are one key.
    assume(secret.encode().rstrip(b"\0") != other.encode().rstrip(b"\0"))

    assert not accepts([secret], timestamp, body, sign(other, timestamp, body))


@given(SECRETS, TIMESTAMPS, TIMESTAMPS, st.binary())
@example("s", "1", "01", b"")
@example("s", "1", "1:", b"")
def test_any_other_timestamp_is_refused(secret, timestamp, other, body):
    assume(timestamp != other)

    assert not accepts([secret], timestamp, body, sign(secret, other, body))


@given(SECRETS, TIMESTAMPS, st.binary(), st.text())
@example("s", "1", b"", "0" * 64)
@example("s", "1", b"", "\udcff")
def test_any_other_signature_is_refused(secret, timestamp, body, signature):
    assume(signature.strip().lower() != sign(secret, timestamp, body))

    assert not accepts([secret], timestamp, body, signature)


@given(SECRETS, st.binary(), st.integers(0, 63))
def test_no_part_of_a_signature_is_enough(secret, body, length):
    assert not accepts([secret], "1", body, sign(secret, "1", body)[:length])


@given(st.lists(st.binary(), max_size=6))
def test_body_may_arrive_in_any_pieces(pieces):
    verifier = Verifier(["secret"], "1")
    for piece in pieces:
        verifier.update(piece)

    assert verifier.accepts(sign("secret", "1", b"".join(pieces)))


@pytest.mark.parametrize("secret", ["old", "new"])
def test_any_of_several_secrets_is_valid_during_a_rotation(secret):
    assert accepts(["old", "new"], "1", b"{}", sign(secret, "1", b"{}"))


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_accepted(secrets):
    assert not accepts(secrets, "1", b"{}", sign("any", "1", b"{}"))
    assert not accepts(secrets, "1", b"{}", "")


def test_case_and_space_around_the_digits_do_not_matter():
    signature = sign("secret", "1", b"{}")

    assert accepts(["secret"], "1", b"{}", f" {signature.upper()}\n")


def test_age_is_not_checked_unless_asked_for():
    assert not is_too_old("0", 0)
    assert not is_too_old("whatever", 0)


@pytest.mark.parametrize(("seconds", "is_old"), [(-400, True), (-200, False), (200, False),
                                                 (400, True)])  # fmt: skip
def test_age_counts_in_both_directions(seconds, is_old):
    assert is_too_old(str(int(time.time()) + seconds), 300) == is_old


@given(st.text() | st.integers().map(str))
@example("1e9")
@example("NaN")
@example("9" * 400)
@example("9" * 5000)
def test_any_timestamp_but_the_present_is_too_old(timestamp):
    assert is_too_old(timestamp, 300)
