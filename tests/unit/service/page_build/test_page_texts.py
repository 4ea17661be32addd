"""The page's texts: the same in each language, all used, none missing; and which language a browser gets."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from service.http.problem_kinds import all_kinds
from service.http.routes.page import PAGE
from service.page_build.assets import ADMIN, DRAWING, BuiltPage, Sources
from service.page_build.errors import PageInvalid
from service.page_build.texts import Texts, add_texts, choose_language, fill_in, load_texts, script_json

TEXTS = load_texts(PAGE / "texts")
ADMIN_TEXTS = add_texts(TEXTS, PAGE / "texts" / "admin")
KEY_DIALOG = (PAGE / "key_dialog.html").read_text(encoding="utf-8")
INDEX, ADMIN_INDEX = (
    (PAGE / name).read_text(encoding="utf-8").replace("<!-- key dialog -->", KEY_DIALOG)
    for name in ("index.html", "admin.html")
)
PLACE = re.compile(r"\{\w+\}")


def scripts(*, but: str = "") -> list[str]:
    """The modules, without those of one folder."""
    found = sorted((PAGE / "js").rglob("*.js"))
    return [path.read_text(encoding="utf-8") for path in found if path.parent.name != but]


SCRIPTS = "".join(scripts())


def placed_in(document: str) -> set[str]:
    return set(re.findall(r"\{\{([a-z0-9_.-]+)\}\}", document)) - {"language", "built.script", "built.style"}


def forms(text: str | dict[str, str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


@pytest.mark.parametrize("texts", [TEXTS, ADMIN_TEXTS], ids=["drawing", "admin"])
def test_english_and_german_say_the_same_things(texts: dict[str, Texts]) -> None:
    english, german = texts["en"], texts["de"]
    assert list(texts) == ["de", "en"]
    assert list(english.page) == list(german.page)
    assert list(english.script) == list(german.script)
    assert list(english.problems) == list(german.problems)
    for key, text in english.script.items():
        other = german.script[key]
        assert type(text) is type(other), key
        if isinstance(text, dict):
            assert set(text) == {"one", "other"}, key
        for one in (*forms(text), *forms(other)):
            assert set(PLACE.findall(one)) <= {place for form in forms(text) for place in PLACE.findall(form)}, key
            assert one.strip(), key


def test_every_text_is_used_and_every_used_one_is_there() -> None:
    assert placed_in(INDEX) == set(TEXTS["en"].page)
    own = set(ADMIN_TEXTS["en"].page) - set(TEXTS["en"].page)
    assert own <= placed_in(ADMIN_INDEX) <= set(ADMIN_TEXTS["en"].page)
    said = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)*)"', SCRIPTS))
    composed = {"next.mark.now", "next.mark.next", "next.mark.first", "next.add.now", "next.add.next", "next.add.first"}
    assert set(ADMIN_TEXTS["en"].script) <= said | composed
    called = set(re.findall(r'\btext\(\s*"([^"]+)"', SCRIPTS))
    assert called <= set(ADMIN_TEXTS["en"].script)
    of_drawing = set(re.findall(r'\btext\(\s*"([^"]+)"', "".join(scripts(but="admin"))))
    assert of_drawing <= set(TEXTS["en"].script)


def test_every_problem_has_words_in_each_language() -> None:
    kinds = {kind.code: kind for kind in all_kinds()}
    for texts in TEXTS.values():
        assert set(texts.problems) == set(kinds), "service/page/texts needs words for each code"
        assert all(title for title, _ in texts.problems.values())
    assert {code: title for code, (title, _) in TEXTS["en"].problems.items()} == {
        code: kind.title for code, kind in kinds.items()
    }


@pytest.mark.parametrize("document", [INDEX, re.sub("<code.*?</code>", "", ADMIN_INDEX)], ids=["drawing", "admin"])
def test_the_document_itself_has_no_words(document: str) -> None:
    """Whatever is read or heard stands in the files of texts."""

    class Words(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: list[str] = []

        def handle_data(self, data: str) -> None:
            self.found.append(data)

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [
                value or "" for name, value in attrs if name in {"alt", "title", "aria-label", "placeholder"}
            ]

    words = Words()
    words.feed(document)
    left = {re.sub(r"\{\{[^}]*\}\}", "", text).strip(" \n()[]:+") for text in words.found}
    keys = {"<!-- texts -->", "Z", "V", "P", "E", "F", "O", "M", "S", "T", "W", "R", "-", "0", "/", "?", "←", "→"}
    assert {text for text in left if text and text not in keys and not re.fullmatch(r"[+Z]+|\] \[", text)} <= {
        "Inkseek"
    }


def test_a_document_is_filled_in_and_escaped() -> None:
    assert fill_in("<p title='{{a.b}}'>{{c}}</p>", {"a.b": 'x"<', "c": "&"}) == "<p title='x&quot;&lt;'>&amp;</p>"
    with pytest.raises(PageInvalid, match=r"no text 'a\.b'"):
        fill_in("{{a.b}}", {})


def test_texts_of_scripts_cannot_leave_their_element() -> None:
    texts = Texts("xx", "X", {}, {"key": "</script><b>"}, {"gone": ["Gone", ""], "odd": ["Odd", "Why"]})
    assert "<" not in script_json(texts)
    assert json.loads(script_json(texts)) == {
        "key": "</script><b>", "problem.gone": "Gone", "problem.odd": "Odd", "problem.odd.detail": "Why",
    }  # fmt: skip
    assert "problem.gone" not in script_json(Texts("en", "English", {}, {}, {"gone": ["Gone", ""]}))


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        ((None, None), "", "en"),
        ((None, None), "de-AT,de;q=0.9,en;q=0.8", "de"),
        ((None, None), "fr, en;q=0.4, de;q=0.5", "de"),
        ((None, None), "fr", "en"),
        ((None, None), "de;q=0, fr", "en"),
        ((None, None), "*", "en"),
        ((None, None), "de;q=x,;;,", "en"),
        (("en", "de"), "de", "en"),
        ((None, "de"), "en", "de"),
        (("xx", "../de"), "de", "de"),
    ],
)
def test_a_browser_gets_its_language(wanted: tuple[str | None, ...], accepted: str, language: str) -> None:
    assert choose_language(["de", "en"], wanted, accepted) == language


def test_texts_of_a_second_page_are_whole(tmp_path: Path) -> None:
    (tmp_path / "en.json").write_text('{"page": {"own": "Own"}, "script": {}}')
    with pytest.raises(PageInvalid, match=r"de\.json of .* is no file of texts"):
        add_texts(TEXTS, tmp_path)
    (tmp_path / "de.json").write_text('{"page": {"own": "Eigen"}, "script": {}}')
    added = add_texts(TEXTS, tmp_path)
    assert added["de"].page["own"] == "Eigen"
    assert added["de"].problems == TEXTS["de"].problems
    assert "own" not in TEXTS["en"].page


@pytest.mark.parametrize("parts", [DRAWING, ADMIN], ids=["drawing", "admin"])
def test_documents_of_both_languages_share_one_script_and_one_style_sheet(parts: Sources) -> None:
    page = BuiltPage.load(PAGE, parts)
    assert set(page.documents) == {"de", "en"}
    assert len(page.files) == 2
    for language, document in page.documents.items():
        html = document.content.decode()
        assert f'<html lang="{language}">' in html
        assert "{{" not in html
        assert all(f'"page/built/{name}"' in html for name in page.files)
