from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
from typer.testing import CliRunner, Result

from inkseek import app
from models.bundle import Bundle, Runtime, write_bundle
from models.studies.trade_off.encoder_cost import TimedEncoder, cpu_milliseconds
from models.studies.trade_off.entry import TradeOffEntry, markdown
from models.studies.trade_off.page import trade_off_page


def measured(tiny: Path, out: Path, name: str, **accuracy: float) -> Path:
    """The tiny bundle under another name and with figures."""
    bundle = Bundle.load(tiny, Runtime(device="cpu", threads=1))
    files = [(tiny / spec.file).read_bytes() for spec in (bundle.manifest.sketch, bundle.manifest.photo)]
    write_bundle(
        out / name,
        name=name,
        sketch_onnx=files[0],
        sketch_preprocess=bundle.sketch.preprocess,
        photo_onnx=files[1],
        photo_preprocess=bundle.photo.preprocess,
        model_card="",
        metrics={"splits": {split: {"centred": {"acc_at_1": value}} for split, value in accuracy.items()}},
    )
    return out / name


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["bundle", "compare", *map(str, words)])


def test_bundles_are_compared_on_what_all_were_measured_on(tiny_bundle_dir: Path, tmp_path: Path) -> None:
    one = measured(tiny_bundle_dir, tmp_path, "one", shoes=0.5, chairs=0.9)
    two = measured(tiny_bundle_dir, tmp_path, "two", shoes=0.4, chairs=0.7, hats=1.0)
    page = tmp_path / "pages" / "page.html"
    table = run(one, two, "--rounds", 2, "--report", page)
    assert table.exit_code == 0, table.output
    lines = table.stdout.splitlines()
    assert lines[0] == "| bundle | ms per sketch | cost | MB | shoes | chairs | mean acc@1 |"
    assert lines[2].endswith("| 50.0 | 90.0 | 70.0 |")
    assert lines[2].split(" | ")[2] == "1.00"
    assert lines[3].endswith("| 40.0 | 70.0 | 55.0 |")
    assert "one-" in page.read_text()
    entries = json.loads(run(one, two, "--rounds", 1, "--json").stdout)
    assert [entry["accuracy"] for entry in entries] == [{"shoes": 0.5, "chairs": 0.9}, {"shoes": 0.4, "chairs": 0.7}]
    assert [entry["cost"] for entry in entries] == [1.0, entries[1]["sketch_ms"] / entries[0]["sketch_ms"]]
    without = run(one, tiny_bundle_dir)
    assert (without.exit_code, "no figures of searches" in without.stderr) == (1, True)
    assert run(one, "--report", "page.pdf").exit_code == 2


def test_the_page_is_well_formed_and_puts_cheap_left_and_good_high() -> None:
    rows = [
        TradeOffEntry("base <b>", 13.0, 1.0, 11.2, {"shoes": 0.6}),
        TradeOffEntry("small", 3.0, 0.23, 2.3, {"shoes": 0.5}),
    ]
    page = trade_off_page(rows)
    assert "base &lt;b&gt;" in page
    for svg in page.split("<svg")[1:]:
        drawn = ElementTree.fromstring("<svg" + svg.split("</svg>")[0] + "</svg>")
        marks = {mark.findtext("title", "")[:1]: mark for mark in drawn.findall("circle")}
        base, small = marks["A"], marks["B"]
        assert float(small.attrib["cx"]) < float(base.attrib["cx"])
        assert float(small.attrib["cy"]) > float(base.attrib["cy"])
    assert markdown(rows[:1]).splitlines()[-1] == "| base <b> | 13.0 | 1.00 | 11.2 | 60.0 | 60.0 |"


def test_cost_is_the_callers_cpu_time() -> None:
    calls = []

    def encode(images: np.ndarray) -> None:
        calls.append(images.shape)

    found = cpu_milliseconds({"a": TimedEncoder(encode, 8), "b": TimedEncoder(encode, 16)}, batch=2, rounds=3)
    assert set(found) == {"a", "b"}
    assert calls == [(2, 3, 8, 8), (2, 3, 16, 16)] * 4
