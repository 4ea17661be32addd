"""The adaptation use case without HTTP: fit, gate, store; what is cancelled or a dry run leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pytest

from models.adapters import Adaptation, CategoryAdapter, StyleAdapter
from service.adaptation.adapt import AdaptOptions, RunJob, adapt, dry_run_record
from service.adaptation.encoding import EncodedSketch, encode_sketch
from service.adaptation.examples import Examples, SupportLimits
from service.adaptation.fit import FitSample, check, fit
from service.adaptation.listing import adapters_of, profiles_of
from service.adaptation.refit import encode_uploads_anew, refit_adapters
from service.errors import (
    AdaptationUnavailable,
    AdaptersLimit,
    CategoryAbsent,
    CategoryTooSmall,
    ClientGone,
    ProfileAbsent,
    SupportMismatch,
    TooManyPairs,
)
from service.search.retriever import Retriever
from service.store.records import AdapterRecord, AdapterTarget

T = TypeVar("T")
Draw = Callable[[str, int], bytes]

BOX, ADA = AdapterTarget("category", "box"), AdapterTarget("profile", "ada")
OPTIONS = AdaptOptions(SupportLimits(9, 9), max_adapters=3, max_photos=9, concurrency=2)


def runner(retriever: Retriever, log: list[str] | None = None) -> RunJob:
    async def run(job: Callable[[Retriever], T], /) -> T:
        await asyncio.sleep(0)
        if log is not None:
            log.append(getattr(job, "__name__", "encode"))
        return job(retriever)

    return run


@pytest.fixture
def examples(draw: Draw) -> Examples:
    return Examples(tuple(draw("box", n) for n in (0, 2, 3)), ("box/0.png", "box/2.png", "box/3.png"))


def adapted(retriever: Retriever, target: AdapterTarget, examples: Examples, **options: Any) -> AdapterRecord:
    return asyncio.run(adapt(runner(retriever), target, lambda: examples, replace(OPTIONS, **options)))


def test_an_adapter_is_fitted_gated_and_stored(retriever: Retriever, examples: Examples) -> None:
    log: list[str] = []
    record = asyncio.run(adapt(runner(retriever, log), BOX, lambda: examples, OPTIONS))
    assert log == ["begin", "encode", "encode", "encode", "finish"]
    assert (record.target, record.version, record.k, record.method) == (BOX, 1, 3, "adaptive")
    assert record.activated == (record.state == "active")
    assert set(record.timings_ms) == {"encode", "fit", "store", "total"}
    assert retriever.store.list_adapters(BOX)[0].adapter_id == record.adapter_id
    support = retriever.store.support_of(record.adapter_id)
    assert [pair.photo_id for pair in support] == list(examples.photos)
    assert [pair.sketch for pair in support] == list(examples.sketches)
    assert isinstance(retriever.store.adapter(record.adapter_id), CategoryAdapter)


def test_it_is_what_the_mathematics_says(retriever: Retriever, examples: Examples) -> None:
    drawn = [encode_sketch(retriever, data, number, BOX) for number, data in enumerate(examples.sketches)]
    new = fit(retriever, BOX, examples, drawn, {})
    view = retriever.gallery().view
    rows = retriever.gallery().category_rows("box")
    positives = np.array([int(np.searchsorted(rows, view.row(str(photo)))) for photo in examples.photos])
    adaptation = retriever.bundle.adaptation
    assert adaptation is not None
    expected = adaptation.fit_category(np.stack([one.vector for one in drawn]), positives, view.vectors(rows))
    assert isinstance(new.adapter, CategoryAdapter) and isinstance(expected.adapter, CategoryAdapter)
    assert new.adapter.mean.tobytes() == expected.adapter.mean.tobytes()
    assert new.activate == expected.passes_gate
    assert (new.margin, new.leave_one_out) == (expected.margin, expected.leave_one_out)
    assert expected.leave_one_out.explained() in new.reason


@pytest.mark.parametrize(("target", "other"), [(BOX, ADA), (ADA, BOX)])
def test_examples_are_seen_as_the_searches_that_they_are_for(
    retriever: Retriever,
    examples: Examples,
    monkeypatch: pytest.MonkeyPatch,
    target: AdapterTarget,
    other: AdapterTarget,
) -> None:
    digests = []

    def watched(*given: Any, **named: Any) -> EncodedSketch:
        encoded = encode_sketch(*given, **named)
        digests.append(encoded.digest)
        return encoded

    monkeypatch.setattr("service.adaptation.adapt.encode_sketch", watched)
    adapted(retriever, target, examples)
    # The drawings have bold lines: 3 of 64 px.
    wanted, unwanted = (
        [encode_sketch(retriever, data, n, each).digest for n, data in enumerate(examples.sketches)]
        for each in (target, other)
    )
    assert sorted(digests) == sorted(wanted)
    assert not set(wanted) & set(unwanted)


def test_a_dry_run_stores_nothing(retriever: Retriever, examples: Examples) -> None:
    report = adapted(retriever, BOX, examples, dry_run=True)
    assert (report.adapter_id, report.version, report.activated, report.state) == ("", 0, False, "idle")
    assert report.reason.startswith("dry run, would ")
    assert set(report.timings_ms) == {"encode", "fit", "total"}
    assert retriever.store.list_adapters() == []
    stored = adapted(retriever, BOX, examples)
    assert stored.leave_one_out == report.leave_one_out


def test_force_activates_what_the_gate_would_not(retriever: Retriever, examples: Examples) -> None:
    reckless = Adaptation.untrained(192, rate=0.0)
    one_number = replace(reckless, arrays={**reckless.arrays, "head": np.ones((192, 1), np.float32)})
    careless = replace(retriever, bundle=replace(retriever.bundle, adaptation=one_number))
    idle = adapted(careless, BOX, examples)
    assert (idle.activated, idle.state) == (False, "idle") and idle.reason.startswith("not active, because ")
    forced = adapted(careless, BOX, examples, force=True)
    assert (forced.activated, forced.state) == (True, "active") and forced.reason.startswith("forced, though ")
    assert careless.store.state().active == {BOX: forced.adapter_id}


def test_a_style_adapter_wants_photos_of_the_gallery(retriever: Retriever, draw: Draw) -> None:
    examples = Examples((draw("box", 1), draw("cross", 2)), ("box/1.png", "cross/2.png"))
    record = adapted(retriever, ADA, examples, force=True)
    assert isinstance(retriever.store.adapter(record.adapter_id), StyleAdapter)
    assert record.margin is None
    with pytest.raises(SupportMismatch, match="name them with 'photo_id'"):
        adapted(retriever, ADA, Examples((draw("box", 1),), (draw("box", 1),)))


def test_what_is_wrong_is_found_before_anything_is_encoded(retriever: Retriever, examples: Examples) -> None:
    log: list[str] = []
    options = replace(OPTIONS, support=SupportLimits(2, 9))
    with pytest.raises(TooManyPairs):
        asyncio.run(adapt(runner(retriever, log), BOX, lambda: examples, options))
    assert log == ["begin"]
    with pytest.raises(AdaptationUnavailable):
        check(replace(retriever, bundle=replace(retriever.bundle, adaptation=None)), BOX, examples)
    with pytest.raises(CategoryTooSmall):
        adapted(retriever, AdapterTarget("category", "new"), Examples(examples.sketches[:1], examples.sketches[:1]))
    assert retriever.store.list_adapters() == []


def test_the_limit_on_adapters(retriever: Retriever, examples: Examples) -> None:
    adapted(retriever, BOX, examples, max_adapters=1)
    with pytest.raises(AdaptersLimit):
        adapted(retriever, BOX, examples, max_adapters=1)
    assert len(retriever.store.list_adapters(BOX)) == 1


def test_cancelled_before_it_is_stored_nothing_is(retriever: Retriever, examples: Examples) -> None:
    """The request is given up while the last job waits for its thread, which then finds that nobody waits."""
    outcomes: list[BaseException] = []

    async def scenario() -> None:
        release, waiting = asyncio.Event(), asyncio.Event()
        late: list[asyncio.Task[None]] = []

        async def run(job: Callable[[Retriever], T], /) -> T:
            if getattr(job, "__name__", "") != "finish":
                return job(retriever)

            async def in_thread() -> None:
                await release.wait()
                try:
                    job(retriever)
                except ClientGone as error:
                    outcomes.append(error)

            late.append(asyncio.create_task(in_thread()))
            waiting.set()
            never: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            return await never

        request = asyncio.create_task(adapt(run, BOX, lambda: examples, OPTIONS))
        await waiting.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        release.set()
        await asyncio.gather(*late)

    asyncio.run(scenario())
    assert len(outcomes) == 1
    assert retriever.store.list_adapters() == []


def test_a_sample_stands_for_a_large_category(retriever: Retriever, examples: Examples) -> None:
    drawn = [encode_sketch(retriever, data, number, BOX) for number, data in enumerate(examples.sketches)]
    whole = fit(retriever, BOX, examples, drawn, {})
    sampled = fit(retriever, BOX, examples, drawn, {}, sample=FitSample(photos=1, nearest=1))
    assert isinstance(whole.adapter, CategoryAdapter) and isinstance(sampled.adapter, CategoryAdapter)
    assert [pair.photo_id for pair in sampled.support] == [pair.photo_id for pair in whole.support]
    view, rows = retriever.gallery().view, retriever.gallery().category_rows("box")
    assert whole.adapter.mean.tobytes() != sampled.adapter.mean.tobytes()
    own = [view.row(str(photo)) for photo in examples.photos]
    assert set(own) < set(rows.tolist())


def test_adapters_are_listed_and_what_does_not_exist_is_absent(retriever: Retriever, examples: Examples) -> None:
    assert adapters_of(retriever, BOX) == []
    assert profiles_of(retriever) == []
    with pytest.raises(CategoryAbsent, match="close ones are box"):
        adapters_of(retriever, AdapterTarget("category", "bxo"))
    with pytest.raises(ProfileAbsent, match="there are none"):
        adapters_of(retriever, ADA)
    first = adapted(retriever, ADA, examples, force=True)
    second = adapted(retriever, ADA, examples, force=True)
    assert [one.adapter_id for one in adapters_of(retriever, ADA)] == [second.adapter_id, first.adapter_id]
    adapted(retriever, AdapterTarget("profile", "bea"), examples, force=True)
    retriever.store.roll_back(AdapterTarget("profile", "bea"))
    assert [(one.name, one.active, one.adapters) for one in profiles_of(retriever)] == [
        ("ada", second.adapter_id, 2),
        ("bea", None, 1),
    ]


def test_refit_takes_the_examples_that_are_left(retriever: Retriever, examples: Examples, make_adapter: Any) -> None:
    old = make_adapter("box", bundle_id="bundle-old")
    kept = tuple(
        replace(pair, sketch=sketch, photo_id=photo)
        for pair, sketch, photo in zip(old.support, examples.sketches, ("box/0.png", "box/gone.png"), strict=False)
    )
    stale = retriever.store.add(replace(old, support=kept), 9, 9)
    hopeless = retriever.store.add(make_adapter("cross", bundle_id="bundle-old"), 9, 9)
    assert encode_uploads_anew(retriever) == 0
    results = {result.stale.adapter_id: result for result in refit_adapters(retriever, max_adapters=9, force=True)}
    made = results[stale.adapter_id].made
    assert made is not None and (made.k, made.state, results[stale.adapter_id].lost) == (1, "active", 1)
    failed = results[hopeless.adapter_id]
    assert failed.made is None and failed.lost == 2 and "none of the photos" in (failed.problem or "")
    assert [one.adapter_id for one in retriever.store.state().outdated] == [hopeless.adapter_id]


def test_the_record_of_a_dry_run(make_adapter: Any) -> None:
    for activate, said in ((True, "would be activated"), (False, "would not be activated")):
        record = dry_run_record(make_adapter(active=activate))
        assert said in record.reason
        assert (record.k, record.photos_added, record.activated) == (2, (), False)
        assert record.leave_one_out["before"]["mrr"] == 0.75


def test_a_second_fit_is_compared_with_the_active_adapter(retriever: Retriever, examples: Examples) -> None:
    first = adapted(retriever, BOX, examples, force=True)
    drawn = [encode_sketch(retriever, data, number, BOX) for number, data in enumerate(examples.sketches)]
    again = fit(retriever, BOX, examples, drawn, {})
    # Fitted to the same examples, leave-one-out of one is that of the other.
    assert again.leave_one_out.before == again.leave_one_out.after
    assert first.leave_one_out["after"]["mrr"] == again.leave_one_out.before.mrr
    retriever.store.delete(BOX, first.adapter_id)
    alone = fit(retriever, BOX, examples, drawn, {})
    assert alone.leave_one_out.before.mrr == first.leave_one_out["before"]["mrr"]
    assert alone.leave_one_out_figures["expected"] is None  # this bundle knows nothing of other categories
