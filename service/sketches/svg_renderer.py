"""The child process that renders one SVG, standard input to standard output: a script that imports nothing of ours."""

import contextlib
import resource
import sys

EXIT_REJECTED = 3  # the document is at fault; standard error says why

_MEMORY_BYTES = 768 * 2**20
_CPU_S = 3


def main() -> int:
    """Argument: the longer side in pixels."""
    with contextlib.suppress(ValueError, OSError):  # not every system can limit it
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import resvg_py  # under the limits

    side = int(sys.argv[1])
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
        # Width and height together: the drawing is fitted into the square, aspect kept, whatever size it claims.
        png = resvg_py.svg_to_bytes(svg_string=text, width=side, height=side, dpi=96, skip_system_fonts=True)
    except ValueError as error:
        sys.stderr.write(str(error))
        return EXIT_REJECTED
    sys.stdout.buffer.write(png)
    return 0


if __name__ == "__main__":
    sys.exit(main())
