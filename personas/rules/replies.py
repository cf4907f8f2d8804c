"""What a reply to a text message says: the words that carriers treat as STOP and START.

A reply counts only if it holds nothing else: "please do not stop" is for a person to read.
Sources: https://help.twilio.com/articles/223134027 (Twilio, through which Customer.io sends),
https://api.ctia.org/wp-content/uploads/2023/05/230523-CTIA-Messaging-Principles-and-Best-Practices-FINAL.pdf
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

STOP, START = "stop", "start"
_STOP = frozenset(
    """
    stop stopall unsubscribe cancel end quit revoke optout stopp arret arreter desabonner abmelden
    abbestellen stoppen baja parar pare sair cancelar salir annulla cancella
    해지 수신거부 停止 配信停止 退订 取消订阅 td стоп отписаться
    """.split()  # noqa: SIM905 - shorter than a list - a list of words, one beside the other
)
# Of the words for yes only the one that Twilio takes for START: "sim" also confirms a delivery.
_START = frozenset("start unstop subscribe yes 시작 订阅 старт".split())  # noqa: SIM905 - shorter than a list
_LONGEST = 100  # characters: a longer text says more than one word
# Customer.io documents no key for the words of a reply.
_KEYS = ("content", "body", "text", "message")


def reply(data: Mapping[str, Any]) -> str:
    """`stop`, `start`, or empty where the reply says something else, or its words were not sent."""
    words = next((data[key] for key in _KEYS if isinstance(data.get(key), str)), "")
    if len(words) > _LONGEST:
        return ""
    letters = unicodedata.normalize("NFKC", words).casefold()  # full-width letters too
    word = re.sub(r"[\W_]+", "", letters).replace("ê", "e").replace("é", "e")
    return STOP if word in _STOP else START if word in _START else ""
