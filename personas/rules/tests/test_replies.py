"""Which replies to a text message mean that no more may be sent, or that more may."""

import pytest

from personas.rules.replies import reply


@pytest.mark.parametrize(
    "words",
    ["STOP", "stop", " Stop. ", "STOP ALL", "StopAll", "Unsubscribe", "opt-out", "OPT OUT", "END",
     "cancel!", "Quit", "REVOKE", "ARRÊT", "Arrêter", "abmelden", "BAJA", "parar", "SAIR",
     "수신거부", "退订", "СТОП", "ＳＴＯＰ", "arre\u0302t", "配信停止", "TD", "stoppen"],
)  # fmt: skip
def test_stop_in_any_of_its_words(words):
    assert reply({"content": words}) == "stop"


@pytest.mark.parametrize("words", ["START", "start", "UNSTOP", "Yes", "Subscribe"])
def test_start_in_any_of_its_words(words):
    assert reply({"body": words}) == "start"


@pytest.mark.parametrize(
    "words",
    ["please do not stop", "Stop calling me at work", "HELP", "", "?", "don't cancel my plan"],
)
def test_reply_that_says_more_is_for_a_person_to_read(words):
    assert reply({"text": words}) == ""


@pytest.mark.parametrize("words", ["Sim", "ja", "Oui", "SI"])
def test_yes_that_no_carrier_takes_for_start_is_no_consent(words):
    assert reply({"content": words}) == ""


@pytest.mark.parametrize("data", [{}, {"content": None}, {"content": ["STOP"]}, {"to": "STOP"}])
def test_reply_without_its_words_says_nothing(data):
    assert reply(data) == ""
