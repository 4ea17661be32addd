"""Categories of data sets that another name says already: their spelling here -> the kind as Quick, Draw! spells it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SKETCHY = {
    "car_sedan": "car",
    "crocodilian": "crocodile",
    "hotdog": "hot_dog",
    "hot-air_balloon": "hot_air_balloon",
    "motorcycle": "motorbike",
    "racket": "tennis_racquet",
    "turtle": "sea_turtle",
    "teddy_bear": "teddy-bear",
}
CALTECH101 = {
    "airplanes": "airplane",
    "Motorbikes": "motorbike",
    "bass": "fish",
    "binocular": "binoculars",
    "car_side": "car",
    "cellphone": "cell_phone",
    "cougar_body": "cougar",
    "cougar_face": "cougar",
    "crayfish": "lobster",
    "crocodile_head": "crocodile",
    "dalmatian": "dog",
    "electric_guitar": "guitar",
    "ferry": "cruise_ship",
    "flamingo_head": "flamingo",
    "grand_piano": "piano",
    "hawksbill": "sea_turtle",
    "headphone": "headphones",
    "ibis": "bird",
    "inline_skate": "rollerskates",
    "ketch": "sailboat",
    "lamp": "floor_lamp",
    "lotus": "flower",
    "pigeon": "bird",
    "revolver": "pistol",
    "rooster": "chicken",
    "schooner": "sailboat",
    "sunflower": "flower",
    "watch": "wristwatch",
    "water_lilly": "flower",
    "windsor_chair": "chair",
}
CLOTHING = {"shoes": "shoe", "outwear": "jacket", "undershirt": "t-shirt", "top": "t-shirt"}

SAME_NAMES: Mapping[str, str] = MappingProxyType(SKETCHY | CALTECH101 | CLOTHING)
"""Over all sets: no spelling means two things."""

TREES = frozenset({"bonsai", "joshua_tree"})
"""Categories that show trees without saying so: `tree` is among the standard unseen categories."""
