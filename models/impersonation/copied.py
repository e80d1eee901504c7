"""What an account has copied from the profile of another: its picture, its biography."""

from __future__ import annotations

from models.impersonation.confusables import fold

_AVATAR_BITS = 8  # of 64: perceptual hashes this near show the same picture
_COPIED = 0.6  # of the words of a biography
_MIN_BIO_WORDS = 5
_MAX_BIO_CHARS = 600


def same_picture(mine: str | None, theirs: str | None) -> bool:
    """Whether two perceptual hashes, written in hexadecimal, are near."""
    if not mine or not theirs or len(mine) != len(theirs):
        return False
    try:
        return (int(mine, 16) ^ int(theirs, 16)).bit_count() <= _AVATAR_BITS * len(mine) // 16
    except ValueError:
        return mine == theirs


def is_copied(mine: str | None, theirs: str | None) -> bool:
    """Whether most words of two biographies are the same."""
    if not mine or not theirs:
        return False
    a, b = (set(text.split()) for text in fold([mine[:_MAX_BIO_CHARS], theirs[:_MAX_BIO_CHARS]]))
    return len(b) >= _MIN_BIO_WORDS and len(a & b) >= _COPIED * len(a | b)
