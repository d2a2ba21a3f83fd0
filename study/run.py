"""`python -m study.run`: the command line.

python -m study.run                          a whole study on drawn faces, no data needed
python -m study.run --data fer2013.csv.xz    the same on real FER-2013
python -m study.run --resume runs/NAME       go on after Ctrl-C, a crash or a reboot
python -m study.run --resume STORAGE/NAME    the same on another machine, from shared storage

It imports neither Ray nor torch, which take seconds, before it is clear that they are needed.
"""

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from study import Mistake, complain, output, say
from study.cluster.hardware import nvidia_gpu_here
from study.config import flags
from study.config.study import preset, read_preset, sized_by
from study.driver.notify import Notifier
from study.storage import errors


def main(argv: Sequence[str] | None = None, trainable: type | None = None) -> int:
    """The command line; benchmarks and tests may put a `trainable` in the place of training.

    Exit code 0: came to its end, or that of its budget; 1: and nothing could be confirmed; 2: a
    person's mistake, a node that differs, or the storage failed; 128 + signal: interrupted.
    """
    try:
        return asked(argv, trainable)
    except KeyboardInterrupt as stopped:
        again, number = stopped.args or ("", signal.SIGINT)  # Python's own has none
        complain("study.run: stopped at once" + (f"; go on with: {again}" if again else ""))
        return 128 + number
    finally:
        output.flushed()


def asked(argv: Sequence[str] | None, trainable: type | None) -> int:
    """What the command line asks for; a Ray that was started for it is shut down after it."""
    shared = ray_is_there()
    try:
        given = flags.given(parser(sys.argv[1:] if argv is None else argv).parse_args(argv))
        resume, after_test = given.pop("resume", ""), bool(given.pop("after_test", ""))
        notify, repeated = given.pop("notify", ""), given.pop("repeats", "")
        if after_test and not (resume and "seeds" in given):
            raise Mistake("--after-test does nothing without --resume and --seeds: leave it out")
        if not resume:
            refuse_wrong_values(given)
        if repeated:
            return again(given, repeated, resume, notify)
        notifier = Notifier(notify)
        say("Loading Ray and torch ...")
        from study.driver import begin

        if resume:
            return begin.go_on(resume, given, trainable, after_test, notifier)
        return begin.start(given, trainable, notifier)
    except Mistake as error:
        return flags.fail(error)
    except OSError as error:
        if why := errors.refused(error):
            return flags.fail(Mistake(why))
        raise
    finally:
        if ray_is_there() and not shared:
            with suppress(KeyboardInterrupt):  # the study's end is written and told
                sys.modules["ray"].shutdown()


def again(given: dict[str, str], repeated: str, resume: str, notify: str) -> int:
    """What --repeats asks for."""
    if resume:
        raise Mistake("--repeats goes on by itself when it is given again: leave out --resume")
    from study.driver import repeats

    return repeats.run(given, repeats.number(repeated), ["--notify", notify] if notify else [])


def ray_is_there() -> bool:
    """Whether this process is connected to a Ray."""
    return "ray" in sys.modules and sys.modules["ray"].is_initialized()


def refuse_wrong_values(given: dict[str, str]) -> None:
    """Refuse at once what no preset's size could take."""
    source = given.get("preset", "search")
    values = {name: text for name, text in given.items() if name not in ("preset", "from")}
    refused = []
    for kind in ("cpu", "gpu"):
        try:
            flags.with_flags(read_preset(source, kind)[0], values)
        except Mistake as mistake:
            refused.append(mistake)
    if len(refused) == 2:
        raise refused[0]


def parser(argv: Sequence[str]) -> flags.Parser:
    """The command line's; for --help with the values of the preset that is asked for."""
    if not {"-h", "--help"} & {*argv}:
        return flags.parser()
    asked, _ = flags.parser().parse_known_args(
        [word for word in argv if word not in ("-h", "--help")]
    )
    name = asked.preset or "search"
    device = asked.device or sized_by(preset(name))[0]
    gpu = device == "cuda" or (device == "auto" and nvidia_gpu_here())
    return flags.parser(read_preset(name, "gpu" if gpu else "cpu")[0])


if __name__ == "__main__":
    sys.exit(main())
