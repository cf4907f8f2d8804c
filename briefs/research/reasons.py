"""What holds research back: one reason, in words for readers of a brief and for engineers."""

from dataclasses import dataclass

from providers.mavera import in_full


@dataclass(frozen=True, slots=True)
class Reason:
    """Words within a sentence; empty if nothing holds research back.

    code: Mavera's error code. then: how it ends by itself.
    """

    words: str = ""
    code: str = ""
    then: str = ""

    @property
    def plainly(self) -> str:
        """For readers of a brief."""
        return f"{self.words}; {self.then}" if self.then else self.words

    @property
    def in_full(self) -> str:
        """With Mavera's code, for the admin and for engineers."""
        words = in_full(self.words, self.code)
        return f"{words}; {self.then}" if self.then else words
