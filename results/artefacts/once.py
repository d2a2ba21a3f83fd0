"""What is worked out of a study once, for as long as that study is held."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

Of = TypeVar("Of")
Found = TypeVar("Found")


def once(make: Callable[[Of], Found]) -> Callable[[Of], Found]:
    """`make` of one thing, kept while that thing is there. All who ask get the same: they must not
    change it."""
    known: WeakKeyDictionary[Of, Found] = WeakKeyDictionary()

    @wraps(make)
    def found(of: Of) -> Found:
        if of not in known:
            known[of] = make(of)
        return known[of]

    return found
