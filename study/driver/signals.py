"""What asks a study to end before its time: signals, output that nobody reads. On the driver."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from study import output, say
from study.driver.session import Session

GRACE_SECONDS = 20.0


class Signals:
    """Ctrl-C, SIGTERM and SIGHUP ask the study to end in order; a second one ends at once, but for
    SIGHUP, which comes more than once from a terminal that closes: from its shell and the kernel.

    So does, once, a closed pipe or terminal (SIGPIPE, which Python itself ignores). If Ray was hit
    too (a signal to the whole process group), waiting for it would take a minute and end in an
    abort: after GRACE_SECONDS `give_up` closes the books instead. Outside the main thread Python
    hears no signals: whoever runs a study there has their own.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.asked, self.books = session, False, threading.Lock()
        self.give_up: Callable[[], None] = self.books.release  # until there are any to close
        self.timer = threading.Timer(GRACE_SECONDS, self.out_of_time)
        self.timer.daemon = True

    def __enter__(self) -> "Signals":
        self.before = {}
        if threading.current_thread() is threading.main_thread():
            ends = [signal.SIGINT, signal.SIGTERM]
            if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup has it
                ends.append(signal.SIGHUP)
            self.before = {number: signal.signal(number, self.hear) for number in ends}
        output.on_loss(self.unread)
        return self

    def __exit__(self, *error: object) -> None:
        self.timer.cancel()
        output.on_loss(None)
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def hear(self, number: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.ask(number, signal.Signals(number).name)
        elif number != signal.SIGHUP:
            raise KeyboardInterrupt(self.session.go_on, number)

    def unread(self, number: int, why: str) -> None:
        if not self.asked:
            self.ask(number, why)

    def ask(self, number: int, why: str) -> None:
        """End the study in order, as if the signal of this number had come."""
        self.asked = True
        if self.books.locked():
            say("All that is left is to write down how it ended; once more stops that too.")
            return
        self.session.end("signal", why, number)
        self.timer.start()

    @contextmanager
    def closing(self) -> Iterator[None]:
        """While the books are closed, nobody else closes them, and a first signal ends nothing."""
        self.timer.cancel()
        with self.books:
            yield

    def out_of_time(self) -> None:
        if self.books.acquire(blocking=False):
            self.give_up()
