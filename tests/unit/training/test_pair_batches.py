from __future__ import annotations

import numpy as np
import pytest
import torch

from models.data.images.augment import AugmentConfig
from models.data.images.training_images import TrainingImages
from models.data.sampling.category_batches import CategoryBatches, CategoryPool
from models.data.sampling.second_sketches import SecondSketches
from models.training.engine.processes import DeviceUnavailable, Process, launch
from models.training.pairs.batches import PairBatches, TrainingDataUnfit, require_learnable

SKETCHES = ((0, 1), (2, 3), (4,), (5, 6), (7,), (8, 9))
POOL = CategoryPool("shoe", 1.0, tuple(range(6)), SKETCHES, ((), (), (), (), (10, 11), ()))
BATCHES = CategoryBatches((POOL,), batch_size=4, groups=1, drawn_share=1.0, synthetic_share=0.0, seed=0)
SECOND = SecondSketches((POOL,), seed=0)


def images(size_px: int = 16) -> TrainingImages:
    random = np.random.default_rng(0)
    photos = random.integers(0, 256, (6, 3, size_px, size_px), dtype=np.uint8)
    return TrainingImages(photos, random.integers(0, 256, (12, size_px, size_px), dtype=np.uint8), (POOL,))


def pair_batches(augment: AugmentConfig | None, rank: int = 0, world: int = 1) -> PairBatches:
    return PairBatches(images(), BATCHES, SECOND, augment, (16, 24), Process(rank, world))


def test_the_second_sketch_is_another_one_of_the_same_photo() -> None:
    for step in range(30):
        batch = BATCHES.batch(step)
        for photo, first, second in zip(batch.photos, batch.sketches, SECOND.rows(batch, step), strict=True):
            assert second in (*POOL.sketches[photo], *POOL.synthetic[photo])
            if photo == 2:
                assert second == first == 4  # its only one
            elif photo == 4:
                assert second in (10, 11)  # nobody else drew it
            else:
                assert second != first
        assert SECOND.rows(batch, step).tolist() == SecondSketches((POOL,), 0).rows(batch, step).tolist()


def test_without_augmentation_views_are_the_images_as_they_are_served() -> None:
    batch = pair_batches(None).batch(3)
    rows = BATCHES.batch(3)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    photos = torch.from_numpy(images().photos[rows.photos]).float() / 255
    assert torch.allclose(batch.views[16].photos, (photos - mean) / std, atol=1e-5)
    assert batch.views[24].first.shape == (4, 3, 24, 24)
    assert batch.identities.tolist() == rows.photos.tolist()


@pytest.mark.parametrize("augment", [None, AugmentConfig()])
def test_processes_see_their_share_of_what_one_would_see(augment: AugmentConfig | None) -> None:
    whole = pair_batches(augment).batch(5)
    parts = [pair_batches(augment, rank, 2).batch(5) for rank in range(2)]
    for size in (16, 24):
        for name in ("photos", "first", "second"):
            shares = torch.cat([getattr(part.views[size], name) for part in parts])
            assert torch.allclose(shares, getattr(whole.views[size], name), atol=1e-5)
    assert all(torch.equal(part.identities, whole.identities) for part in parts)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_batches_prepared_ahead_come_in_order(workers: int) -> None:
    batches = pair_batches(AugmentConfig())
    for number, batch in zip(range(2, 9), batches.from_to(2, 9, workers), strict=True):
        assert torch.equal(batch.views[16].first, batches.batch(number).views[16].first)


@pytest.mark.parametrize(
    ("pools", "size", "groups", "world", "reason"),
    [
        ((CategoryPool("one", 1.0, (0,), ((0,),), ((),)), POOL), 8, 2, 1, "the first is one: a photo needs others"),
        ((POOL,), 4, 4, 1, "no negative of its category"),
        ((POOL,), 4, 1, 4, "too few for 4 processes"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    pools: tuple[CategoryPool, ...], size: int, groups: int, world: int, reason: str
) -> None:
    with pytest.raises(TrainingDataUnfit, match=reason):
        require_learnable(CategoryBatches(pools, size, groups, 1.0, 0.0, 0), world)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(DeviceUnavailable, match="there is no CUDA GPU here"):
        launch(lambda process: None, device="cuda")
    seen: list[Process] = []
    launch(seen.append)
    assert seen == [Process(0, 1, torch.device("cpu"))]


def test_categories_of_one_name_are_one_kind_in_every_data_set() -> None:
    pools = tuple(
        CategoryPool(name, 1.0, rows, tuple((row,) for row in rows), ((), ()))
        for name, rows in (("a/shoe", (0, 1)), ("b/Shoe", (2, 3)), ("a/chair", (4, 5)))
    )
    batches = CategoryBatches(pools, batch_size=6, groups=3, drawn_share=1.0, synthetic_share=0.0, seed=0)
    seen = set()
    for number in range(12):
        batch = PairBatches(images(), batches, None, None, (16,), Process()).batch(number)
        assert batch.kind_labels is not None
        for photo, kind in zip(batch.identities.tolist(), batch.kind_labels.tolist(), strict=True):
            assert kind == (0 if photo >= 4 else 1)
            seen.add(photo)
    assert seen == set(range(6))


def _without_memory(process: Process) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def test_a_device_without_room_is_an_error_that_says_what_helps() -> None:
    with pytest.raises(DeviceUnavailable, match=r"memory of the cpu device is full: train with fewer batch\.pairs"):
        launch(_without_memory, device="cpu")
