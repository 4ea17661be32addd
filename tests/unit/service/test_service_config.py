from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from models.bundle import ImageLimits, StrokeLimits
from service.config import Settings, load_settings
from service.environment import ENV_PREFIX, platform_variables, reject_unknown_variables
from service.errors import UnknownSetting


def test_variables_are_read_and_options_go_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKSEEK_INDEX", "/from/variable")
    monkeypatch.setenv("INKSEEK_PORT", "9001")
    monkeypatch.setenv("INKSEEK_BUNDLE", "")  # empty: as if not there
    monkeypatch.setenv("INKSEEK_CORS_ORIGINS", "https://a.example, https://b.example")
    settings = load_settings(port=9002, host=None)
    assert settings.index == Path("/from/variable")
    assert settings.port == 9002
    assert settings.host == ("127.0.0.1",)
    assert settings.bundle is None
    assert settings.cors_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("INKSEEK_MAX_STROKE", "did you mean INKSEEK_MAX_STROKES?"),
        ("INKSEEK_BUNDEL", "did you mean INKSEEK_BUNDLE?"),
        ("inkseek_wrokers", "did you mean INKSEEK_WORKERS?"),
        ("INKSEEK_XYZZY_PLUGH_QUUX", "known are INKSEEK_INDEX"),
    ],
)
def test_unknown_variables_are_refused(variable: str, hint: str) -> None:
    with pytest.raises(UnknownSetting) as caught:
        load_settings({variable: "1", "PATH": "/bin"}, index="somewhere")
    assert hint in str(caught.value)
    assert variable in str(caught.value)


def test_known_variables_pass() -> None:
    variables = {ENV_PREFIX + name.upper(): "" for name in Settings.model_fields} | {"OTHER": "x"}
    reject_unknown_variables(variables, Settings.model_fields)


KUBERNETES = {
    "INKSEEK_SERVICE_HOST": "10.0.0.1",
    "INKSEEK_SERVICE_PORT": "8000",
    "INKSEEK_SERVICE_PORT_HTTP_METRICS": "9000",
    "INKSEEK_PORT": "tcp://10.0.0.1:8000",
    "INKSEEK_PORT_8000_TCP": "tcp://10.0.0.1:8000",
    "INKSEEK_PORT_8000_TCP_PROTO": "tcp",
    "INKSEEK_PORT_8000_TCP_PORT": "8000",
    "INKSEEK_PORT_8000_TCP_ADDR": "10.0.0.1",
    "INKSEEK_BUILDER_SERVICE_HOST": "10.0.0.2",
    "INKSEEK_BUILDER_PORT": "tcp://10.0.0.2:80",
    "INKSEEK_BUILDER_PORT_53_UDP": "udp://10.0.0.2:53",
}


@pytest.mark.parametrize("variable", KUBERNETES)
def test_what_kubernetes_writes_for_a_service_is_ignored(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKSEEK_INDEX", "somewhere")
    monkeypatch.setenv(variable, KUBERNETES[variable])
    assert load_settings().port == 8000
    assert platform_variables({variable: KUBERNETES[variable], "INKSEEK_HOST": "x"}) == [variable]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("INKSEEK_PORTS", "1"),
        ("INKSEEK_PORT_TCP", "1"),
        ("INKSEEK_SERVICE", "1"),
        ("INKSEEK_BUILDER_PORT", "80"),
        ("INKSEEK_SERVICE_HOSTS", "x"),
    ],
)
def test_a_typo_that_looks_like_kubernetes_is_refused(variable: str, value: str) -> None:
    with pytest.raises(UnknownSetting, match=variable):
        load_settings({variable: value}, index="somewhere")


def test_a_port_that_is_no_address_is_still_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKSEEK_PORT", "http")
    with pytest.raises(ValidationError, match="port"):
        load_settings(index="somewhere")


@pytest.mark.parametrize(
    "wrong", [{"port": 70_000}, {"workers": 0}, {"max_upload_bytes": 1}, {"device": "tpu"}, {"request_timeout_s": 0}]
)
def test_values_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        load_settings({}, index="somewhere", **wrong)


def test_settings_are_frozen() -> None:
    settings = load_settings({}, index="somewhere")
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


def test_limits_and_runtime_in_their_narrowest_form() -> None:
    settings = Settings(
        index=Path("x"),
        max_upload_bytes=5_000,
        max_image_pixels=6_000,
        max_decode_bytes=2**22,
        max_strokes=7,
        max_points=8,
        threads=3,
    )
    assert settings.image_limits == ImageLimits(max_bytes=5_000, max_pixels=6_000, max_working_bytes=2**22)
    assert settings.stroke_limits == StrokeLimits(max_strokes=7, max_points=8)
    assert settings.runtime.threads == 1
    assert settings.worker_threads == 3
    assert Settings(index=Path("x"), workers=64).worker_threads == 1  # at least one CPU


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description and len(field.description) > 15, name
