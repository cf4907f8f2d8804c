import pytest

from briefs.finding.words.folding import LONGEST, places, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann.Doe+x@example.com", "ann doe x example com"),
        ("Müller-Lüdenscheid", "muller ludenscheid"),
        ("Mu\u0308ller", "muller"),  # written as two signs
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("snake_case, don't", "snake case don t"),
        ("東京都 is here", "東 京 都 is here"),
        ("สมชายทำงาน", "ส ม ช า ย ทํ า ง า น"),
        ("မြန်မာ, ភាសា", "မြ န မာ ភា សា"),
        ("ｆｕｌｌ ２", "full 2"),
        ("हिन्दी", "हिनदी"),
        ("\ud800 \0 🙂 % _", ""),
        ("x" * 100, "x" * LONGEST),
        ("YILDIZ, Yıldız, Łukasz, Søren, Đorđe", "yildiz yildiz lukasz soren dorde"),
        ("news\u00adletter, An\u200bna \u202bmail\u202c \u2764\ufe0f", "newsletter anna mail"),
        ("محـــمد مُحَمَّد", "محمد محمد"),
        ("O\u02bcBrien, O’Brien, O'Brien", "o brien o brien o brien"),
    ],
)
def test_words_of(text, expected):
    assert words(text) == expected.split()


def test_no_end_of_a_paragraph_without_spaces_is_lost():
    text = "東" * 300 + "京" + "é" * 300

    assert words(text)[299:] == ["東", "京", "e" * LONGEST]
    assert words(text) == [word for word, _, _ in places(text)]


def test_places_lead_back_into_the_text():
    text = "Frau Müller, 東京 ทำ"

    assert [(word, text[begin:end]) for word, begin, end in places(text)] == [
        ("frau", "Frau"), ("muller", "Müller"), ("東", "東"), ("京", "京"), ("ทํ", "ทำ"),
        ("า", "ทำ"),
    ]  # fmt: skip
