"""Writes tests/golden/online_v3: an online store of schema version 3. Run once; the result is committed as it is.

python tests/golden/make_online_v3.py
"""

from __future__ import annotations

from pathlib import Path

from service.store.feedback.pairs import FeedbackStore
from tests.golden.make_online_v2 import in_one_file, write_changes

if __name__ == "__main__":
    target = Path(__file__).parent / "online_v3"
    write_changes(target)
    FeedbackStore(target).add("shoe", "shoe/1.jpg", b"a drawing")
    in_one_file(target)
