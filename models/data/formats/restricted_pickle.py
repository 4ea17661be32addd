"""A pickle read without running anything of it: a dictionary of names to plain number arrays, or a refusal.

A pickle is a program that may call any function it names. Here the names that numpy's arrays need stand for recipes
that only remember what they were given; any other name is refused. The arrays are then built from the recipes, their
type, shape and byte count checked first. Not even numpy's own unpickling code sees a byte of the file.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.data.formats.errors import PickleRefused

# The authors' archives are a few megabytes; this bounds what a made-up one can take.
MAX_BYTES = 512 * 2**20


def load_arrays(path: Path) -> dict[str, NDArray[np.float32]]:
    """Name -> read-only float32 array, in order of the names. Raises PickleRefused."""
    if path.stat().st_size > MAX_BYTES:
        raise PickleRefused(f"{path.name} has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are read")
    try:
        content = _Unpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except PickleRefused as error:
        raise PickleRefused(f"{path.name}: {error}") from error
    except Exception as error:  # a broken pickle raises nearly anything
        raise PickleRefused(f"{path.name} is no readable pickle: {type(error).__name__}: {error}") from error
    if not isinstance(content, dict):
        raise PickleRefused(f"{path.name} holds a {type(content).__name__}, not a dictionary of arrays")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, _ArrayRecipe):
            raise PickleRefused(
                f"{path.name}: {str(name)[:60]!r} is a {type(value).__name__}; names with arrays are expected"
            )
    return {name: content[name].build(name) for name in sorted(content)}


@dataclass(frozen=True)
class _ArrayType:
    """Stands for `numpy.ndarray`, which a pickle names but never calls."""


class _DtypeRecipe:
    """Stands for `numpy.dtype`."""

    def __init__(self, code: object = "", *_: object) -> None:
        self.code = code
        self.order = "="

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "=", "|"):
            self.order = state[1]

    def build(self) -> np.dtype[Any]:
        """The type: numbers alone, no objects and no records."""
        if not isinstance(self.code, str) or self.code.lstrip("<>=|") not in _NUMBERS:
            raise PickleRefused(f"an array of type {str(self.code)[:40]!r}; only plain numbers are read")
        code = self.code.lstrip("<>=|")
        order = self.code[0] if self.code[0] in "<>" else self.order
        return np.dtype(code).newbyteorder(order)  # type: ignore[arg-type]


_NUMBERS = frozenset({"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"})


class _ArrayRecipe:
    """Stands for an array that is being rebuilt, by `_reconstruct` and a state or by `_frombuffer`."""

    def __init__(self, shape: object = (), dtype: object = None, data: object = b"", order: object = "C") -> None:
        self.shape, self.dtype, self.data, self.order = shape, dtype, data, order

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise PickleRefused("an array's state is not the one that numpy writes")
        _, self.shape, self.dtype, fortran, self.data = state
        self.order = "F" if fortran is True or fortran == 1 else "C"

    def build(self, name: str) -> NDArray[np.float32]:
        """The array, checked. `name` is for the message."""
        if not isinstance(self.dtype, _DtypeRecipe):
            raise PickleRefused(f"{name[:60]!r} has no type")
        dtype = self.dtype.build()
        data = self.data.encode("latin1") if isinstance(self.data, str) else self.data
        shape = self.shape
        if not isinstance(shape, tuple) or len(shape) > 2 or not all(type(n) is int and n >= 0 for n in shape):
            raise PickleRefused(f"{name[:60]!r} has the shape {str(shape)[:60]}")
        if not isinstance(data, bytes | bytearray) or len(data) != math.prod(shape) * dtype.itemsize:
            raise PickleRefused(f"{name[:60]!r} does not have the bytes that its shape {shape} needs")
        raw = np.frombuffer(bytes(data), dtype)
        with np.errstate(over="ignore"):  # what no float32 holds becomes infinite, which readers refuse
            array = raw.reshape(shape, order="F" if self.order == "F" else "C").astype(np.float32, order="C")
        array.setflags(write=False)
        return array


def _reconstruct(kind: object, *_: object) -> _ArrayRecipe:
    if kind is not _ArrayType:
        raise PickleRefused("an array of an unknown class")
    return _ArrayRecipe()


def _from_buffer(data: object, dtype: object, shape: object, order: object) -> _ArrayRecipe:
    return _ArrayRecipe(shape, dtype, data, order)


def _encode(text: object, encoding: object = "latin1") -> bytes:
    """How Python 3 writes bytes into the older pickle protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise PickleRefused("bytes in an unknown encoding")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """How Python 3 writes no bytes at all into them."""
    return b""


_STANDS_FOR: dict[tuple[str, str], Callable[..., object]] = {
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _no_bytes,
    ("numpy", "dtype"): _DtypeRecipe,
    ("numpy", "ndarray"): _ArrayType,
    # numpy renamed its core in 2.0; archives have either name.
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
}


class _Unpickler(pickle.Unpickler):
    """Knows the names in `_STANDS_FOR` and no other."""

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in. Raises PickleRefused."""
        try:
            return _STANDS_FOR[module, name]
        except KeyError:
            raise PickleRefused(f"it asks for {module}.{name}; only numpy arrays are read") from None

    def persistent_load(self, pid: object) -> Any:
        """References to things outside of the file are refused."""
        raise PickleRefused("it refers to something outside of the file")
