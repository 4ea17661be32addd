"""Pages as they are sent: a document for each language, one script and one style sheet, named by their contents."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from html import escape
from pathlib import Path

from service.page_build.errors import PageInvalid
from service.page_build.plain import plain_document, plain_style
from service.page_build.scripts import bundle_scripts
from service.page_build.texts import Texts, add_texts, fill_in, load_texts, script_json

BUILT = "page/built/"


@dataclass(frozen=True)
class Sources:
    """Which of the sources make a page.

    `document`: its template; `entry`: its first module below `js`; `styles`: of `css`, in the order of the cascade;
    `own_texts`: a folder of `texts` with what it says beside the drawing page's, if it has one.
    """

    document: str
    entry: str
    styles: tuple[str, ...]
    own_texts: str | None = None


DRAWING = Sources("index.html", "main.js", ("base", "board", "results", "dialogs", "teach"))
ADMIN = Sources("admin.html", "admin/main.js", ("base", "dialogs", "admin"), own_texts="admin")


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
    def load(cls, folder: Path, parts: Sources = DRAWING) -> BuiltPage:
        """The page that `parts` of the sources in `folder` make. Raises PageInvalid when they do not fit together."""
        try:
            sources = {
                path.relative_to(folder / "js").as_posix(): path.read_text(encoding="utf-8")
                for path in sorted((folder / "js").rglob("*.js"))
            }
            style = "".join((folder / "css" / f"{name}.css").read_text(encoding="utf-8") for name in parts.styles)
            dialog = (folder / "key_dialog.html").read_text(encoding="utf-8")
            template = (folder / parts.document).read_text(encoding="utf-8").replace("<!-- key dialog -->", dialog)
            icons = plain_document((folder / "images" / "icons.svg").read_text(encoding="utf-8"))
        except OSError as error:
            raise PageInvalid(f"the page's files cannot be read: {error}") from error
        script = Asset.of(bundle_scripts(sources, parts.entry), "text/javascript")
        sheet = Asset.of(plain_style(style), "text/css")
        files = {f"page-{script.tag}.js": script, f"page-{sheet.tag}.css": sheet}
        texts = load_texts(folder / "texts")
        if parts.own_texts:
            texts = add_texts(texts, folder / "texts" / parts.own_texts)
        return cls(_documents(parts.document, plain_document(template), icons, texts, list(files)), files)


def _documents(name: str, template: str, icons: str, texts: dict[str, Texts], files: list[str]) -> dict[str, Asset]:
    """The template in each language. `files`: the names of script and style sheet."""
    script_name, sheet_name = files
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
                raise PageInvalid(f"{name} needs one {mark}")
            page = page.replace(mark, part)
        documents[language] = Asset.of(page, "text/html")
    return documents


def _language_links(own: Texts, texts: dict[str, Texts]) -> str:
    """A link to the page in each other language."""
    return "".join(
        f'<a class="language" lang="{other.language}" hreflang="{other.language}" href="?lang={other.language}">'
        f"{escape(other.name)}</a>"
        for other in texts.values()
        if other is not own
    )
