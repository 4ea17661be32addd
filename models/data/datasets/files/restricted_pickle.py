"""A pickle read without running anything in it: a dictionary of names to plain number arrays, or an error.

A pickle is a program that may call any function it names. Here the names that numpy's arrays need stand for recipes
that only store their arguments; any other name is rejected. The arrays are then built from the recipes, their
type, shape and byte count checked first. Not even numpy's own unpickling code sees a byte of the file.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from models.data.datasets.records.errors import PickleRejected

# The authors' archives are a few megabytes; this bounds what a made-up one can take.
MAX_BYTES = 512 * 2**20

_NUMBERS = frozenset({"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"})
_ARRAY_TYPE = "numpy.ndarray"  # stands for the class, which a pickle names but never calls


def load_arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    """Name -> read-only float32 array, in order of the names. Raises PickleRejected."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise PickleRejected(f"{path.name} has {size:,} bytes; at most {MAX_BYTES:,} are read")
    try:
        # Python 2 pickled bytes as text; latin1 gives each of them back as the character of the same number.
        content = _Unpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except PickleRejected as error:
        raise PickleRejected(f"{path.name}: {error}") from error
    except Exception as error:  # a broken pickle raises nearly anything
        raise PickleRejected(f"{path.name} is no readable pickle: {type(error).__name__}: {error}") from error
    if not isinstance(content, dict):
        raise PickleRejected(f"{path.name} holds a {type(content).__name__}, not a dictionary of arrays")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, _ArrayRecipe):
            raise PickleRejected(
                f"{path.name}: {str(name)[:60]!r} is a {type(value).__name__}; names with arrays are expected"
            )
    return _build_all(content, path.name, most=size)


def _build_all(recipes: dict[str, _ArrayRecipe], file: str, most: int) -> dict[str, NDArray[np.float32]]:
    """Build each recipe once. `most`: numbers in all; each took a byte of the file unless arrays share their bytes."""
    built: dict[int, NDArray[np.float32]] = {}
    total = 0
    for name, recipe in recipes.items():
        if id(recipe) not in built:
            array = recipe.build(f"{file}: {name[:60]!r}")
            total += array.size
            if total > most:
                raise PickleRejected(f"{file} holds more numbers than it has bytes")
            built[id(recipe)] = array
    return {name: built[id(recipes[name])] for name in sorted(recipes)}


class _DtypeRecipe:
    """Stands for an instance of `numpy.dtype`."""

    def __init__(self, code: object) -> None:
        self.code = code
        self.order = "="

    def remember(self, state: object) -> None:
        """The state holds the byte order second."""
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "=", "|"):
            self.order = state[1]

    def build(self) -> np.dtype[Any]:
        """The type: numbers alone, no objects and no records. Raises PickleRejected."""
        code = self.code.lstrip("<>=|") if isinstance(self.code, str) else ""
        if not isinstance(self.code, str) or code not in _NUMBERS:
            raise PickleRejected(f"an array of type {str(self.code)[:40]!r}; only plain numbers are read")
        return np.dtype((self.code[0] if self.code[0] in "<>" else self.order) + code)


class _ArrayRecipe:
    """Stands for an array that is being rebuilt, by `_reconstruct` and a state or by `_frombuffer`."""

    def __init__(self, shape: object = (), dtype: object = None, data: object = b"", order: object = "C") -> None:
        self.shape, self.dtype, self.data, self.order = shape, dtype, data, order

    def remember(self, state: object) -> None:
        """The state is (version, shape, type, is Fortran's order, bytes). Raises PickleRejected."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise PickleRejected("an array's state is not the one that numpy writes")
        _, self.shape, self.dtype, fortran, self.data = state
        self.order = "F" if fortran is True or fortran == 1 else "C"

    def build(self, name: str) -> NDArray[np.float32]:
        """The array, checked. `name` is for the message. Raises PickleRejected."""
        if not isinstance(self.dtype, _DtypeRecipe):
            raise PickleRejected(f"{name} has no type")
        dtype, shape = self.dtype.build(), self.shape
        data = self.data.encode("latin1", "replace") if isinstance(self.data, str) else self.data
        # `type(n) is int`, because `isinstance` takes True and False for numbers.
        if not isinstance(shape, tuple) or len(shape) > 2 or not all(type(n) is int and n >= 0 for n in shape):
            raise PickleRejected(f"{name} has the shape {str(shape)[:60]}")
        if not isinstance(data, bytes | bytearray) or len(data) != math.prod(shape) * dtype.itemsize:
            raise PickleRejected(f"{name} does not have the bytes that its shape {shape} needs")
        order: Any = "F" if self.order == "F" else "C"
        with np.errstate(over="ignore", invalid="ignore"):  # what no float32 holds becomes infinite
            array = np.frombuffer(bytes(data), dtype).reshape(shape, order=order).astype(np.float32, order="C")
        array.setflags(write=False)
        return array


def _reconstruct(kind: object, *_: object) -> _ArrayRecipe:
    if kind != _ARRAY_TYPE:
        raise PickleRejected("an array of an unknown class")
    return _ArrayRecipe()


def _from_buffer(data: object, dtype: object, shape: object, order: object) -> _ArrayRecipe:
    return _ArrayRecipe(shape, dtype, data, order)


def _dtype(code: object, *_: object) -> _DtypeRecipe:
    return _DtypeRecipe(code)


def _encode(text: object, encoding: object = "latin1") -> bytes:
    """How Python 3 writes bytes into the older pickle protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise PickleRejected("bytes in an unknown encoding")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """How Python 3 writes no bytes at all into them."""
    return b""


_STANDS_FOR: dict[tuple[str, str], Callable[..., object] | str] = {
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _no_bytes,
    ("numpy", "dtype"): _dtype,
    ("numpy", "ndarray"): _ARRAY_TYPE,
    # numpy renamed its core in 2.0; archives have either name.
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
}

# numpy's arrays need none of these opcodes, and each makes an object by another way than a stand-in that is called.
_REJECTED = (pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX, pickle.EXT1, pickle.EXT2, pickle.EXT4)


class _Unpickler(pickle._Unpickler):
    """Knows the names in `_STANDS_FOR` and no other.

    Python's own unpickler in Python: the one in C allocates whatever memo index a file names, up to 32 GB, and does not
    let BUILD be replaced, which sets attributes of any object, the stand-ins included.
    """

    stack: list[Any]
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        code: load for code, load in pickle._Unpickler.dispatch.items() if bytes([code]) not in _REJECTED
    }

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in. Raises PickleRejected."""
        try:
            return _STANDS_FOR[module, name]
        except KeyError:
            raise PickleRejected(f"it asks for {module}.{name}; only numpy arrays are read") from None

    def persistent_load(self, pid: object) -> Any:
        """References to things outside of the file are rejected."""
        raise PickleRejected("it refers to something outside of the file")

    def load_build(self) -> None:
        """BUILD for recipes alone. Raises PickleRejected."""
        state = self.stack.pop()
        recipe = self.stack[-1]
        if not isinstance(recipe, _ArrayRecipe | _DtypeRecipe):
            raise PickleRejected(f"it gives a state to a {type(recipe).__name__}")
        recipe.remember(state)

    dispatch[pickle.BUILD[0]] = load_build
