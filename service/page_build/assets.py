"""The page as it is sent: a document for each language, one script and one style sheet, named by their contents."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path

from service.page_build.errors import PageInvalid
from service.page_build.plain import plain_document, plain_style
from service.page_build.scripts import bundle_scripts
from service.page_build.texts import Texts, fill_in, load_texts, script_json

BUILT = "page/built/"
_ENTRY = "main.js"
# Their order is that of the cascade.
_STYLES = ("base", "board", "results", "dialogs", "teach")


@dataclass(frozen=True)
class Asset:
    """What one address answers; `tag` is made of its contents."""

    content: bytes
    zipped: bytes
    media_type: str
    tag: str

    @classmethod
    def of(cls, text: str, media_type: str) -> Asset:
        """The asset of a text, compressed once."""
        content = text.encode()
        tag = hashlib.sha256(content).hexdigest()[:16]
        return cls(content, gzip.compress(content, 9, mtime=0), media_type, tag)


@dataclass(frozen=True)
class BuiltPage:
    """`documents` by language; `files` by the name that they have below `page/built/`."""

    documents: dict[str, Asset]
    files: dict[str, Asset]

    @classmethod
    def load(cls, folder: Path) -> BuiltPage:
        """The page of the sources in `folder`. Raises PageInvalid when they do not fit together."""
        try:
            sources = {
                path.relative_to(folder / "js").as_posix(): path.read_text(encoding="utf-8")
                for path in sorted((folder / "js").rglob("*.js"))
            }
            style = "".join((folder / "css" / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)
            template = plain_document((folder / "index.html").read_text(encoding="utf-8"))
            icons = plain_document((folder / "images" / "icons.svg").read_text(encoding="utf-8"))
        except OSError as error:
            raise PageInvalid(f"the page's files cannot be read: {error}") from error
        script = Asset.of(bundle_scripts(sources, _ENTRY), "text/javascript")
        sheet = Asset.of(plain_style(style), "text/css")
        files = {f"page-{script.tag}.js": script, f"page-{sheet.tag}.css": sheet}
        script_name, sheet_name = files
        texts = load_texts(folder / "texts")
        documents = {}
        for language, own in texts.items():
            parts = {
                "<!-- icons -->": icons,
                "<!-- languages -->": _language_links(own, texts),
                "<!-- texts -->": script_json(own),
            }
            built = {"language": language, "built.script": BUILT + script_name, "built.style": BUILT + sheet_name}
            page = fill_in(template, own.page | built)
            for mark, part in parts.items():
                if page.count(mark) != 1:
                    raise PageInvalid(f"index.html needs one {mark}")
                page = page.replace(mark, part)
            documents[language] = Asset.of(page, "text/html")
        return cls(documents, files)


def _language_links(own: Texts, texts: dict[str, Texts]) -> str:
    """A link to the page in each other language."""
    return "".join(
        f'<a class="language" lang="{other.language}" hreflang="{other.language}" href="?lang={other.language}">'
        f"{escape(other.name)}</a>"
        for other in texts.values()
        if other is not own
    )
