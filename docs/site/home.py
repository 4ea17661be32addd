"""The home page: what the README says, with a head of its own and ways in."""

from __future__ import annotations

import re

TUTORIALS = {
    "own_photos": ("Search your own photos", "From a folder of photos to a page to draw on, in ten minutes."),
    "adapt_to_a_shop": ("Adapt it to your shop", "A few drawings of your products, and how to take them back."),
    "train_on_own_pairs": ("Train on your own pairs", "Encoders of your own, from drawings and photos."),
    "web_app": ("Put it into a web app", "A canvas, the client, and the photos that it answers with."),
    "mobile_app": ("Put it into a mobile app", "The same in Swift and in Kotlin."),
}
OPERATIONS = ("Look up the API", "docs/reference/http.md", "Each operation with parameters and examples.")
WAYS_IN = (*((title, f"docs/tutorials/{name}.md", what) for name, (title, what) in TUTORIALS.items()), OPERATIONS)
_HEAD = re.compile(r"^<p align=.*?</h1>\n<p align=\"center\">(?P<claim>[^<]*)</p>\n", re.DOTALL)


def home(readme: str) -> str:
    """The README as the home page, whose links are still those of the README.

    Raises ValueError where the README does not begin with logo, name and claim.
    """
    head = _HEAD.match(readme)
    if head is None:
        raise ValueError("README.md begins with the logo, the name and the claim")
    picture, _, rest = readme[head.end() :].lstrip("\n").partition("\n\n")
    cards = "\n\n".join(f"-   **[{title}]({page})**\n\n    {what}" for title, page, what in WAYS_IN)
    return f"""---
title: Inkseek
hide: [navigation, toc, path]
---

<div class="hero" markdown>

# Inkseek

{head["claim"]}
{{: .claim }}

[Start with your own photos](docs/tutorials/own_photos.md){{ .md-button .md-button--primary }}
[Look up the API](docs/reference/http.md){{ .md-button }}

{picture}
{{: .shot }}

</div>

<div class="grid cards" markdown>

{cards}

</div>

{rest}"""
