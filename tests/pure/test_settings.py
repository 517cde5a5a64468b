"""Settings: read once, refused in one clear line, and described in one table."""

import os
import re

import pytest
from pydantic import ValidationError

from api.settings import PREFIX, ROOT, Settings, SettingsError, read_settings

SECRET = "geheim-7731"  # noqa: S105 - stands in for one, to see that it is never shown


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_nothing_set_means_the_private_server_on_this_machine_only():
    settings = read_settings()
    assert settings.database_url is None
    assert settings.host == "127.0.0.1"
    assert settings.data_dir == ROOT / ".huxian"
    assert settings.locale == "zh"


def test_building_settings_reads_no_environment(monkeypatch):
    monkeypatch.setenv("HUXIAN_PORT", "9000")
    assert Settings().port == 8765
    assert read_settings().port == 9000


def test_an_empty_variable_is_no_variable(monkeypatch):
    monkeypatch.setenv("HUXIAN_PORT", "")
    assert read_settings().port == 8765


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HUXIAN_PORT", "http"),
        ("HUXIAN_PORT", "0"),
        ("HUXIAN_PORT", "65536"),
        ("HUXIAN_DEMO_PORT", "8765"),
        ("HUXIAN_LOCALE", "fr"),
        ("HUXIAN_LOG_LEVEL", "loud"),
        ("HUXIAN_DATABASE_URL", f"mysql://u:{SECRET}@h/d"),
        ("HUXIAN_DATABASE_URL", f"postgresql://u:{SECRET}@h:port/d"),
        ("HUXIAN_DATABASE_URL", f"postgresql://u:{SECRET}@h"),
        ("HUXIAN_DATABASE_URL", SECRET),
        ("HUXIAN_ADMIN_DATABASE_URL", f"postgresql://u:{SECRET}@h/d"),
        ("HUXIAN_TILES_URL", f"https://tiles.example/?key={SECRET}"),
        ("HUXIAN_TILES_URL", "file:///{z}/{x}/{y}"),
        ("HUXIAN_DATABSE_URL", f"postgresql://u:{SECRET}@h/d"),
    ],
)
def test_a_bad_value_is_named_in_one_line_and_never_repeated(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    assert SECRET not in message
    assert value not in message


def test_a_mistyped_name_is_met_with_the_right_one(monkeypatch):
    monkeypatch.setenv("HUXIAN_DATABSE_URL", "postgresql://h/d")
    with pytest.raises(SettingsError, match=r"did you mean HUXIAN_DATABASE_URL\?"):
        read_settings()


def test_a_base_map_must_name_its_owner(monkeypatch):
    monkeypatch.setenv("HUXIAN_TILES_URL", "https://tiles.example/{z}/{x}/{y}.png")
    with pytest.raises(SettingsError, match="HUXIAN_TILES_ATTRIBUTION"):
        read_settings()
    monkeypatch.setenv("HUXIAN_TILES_ATTRIBUTION", "©")
    assert read_settings().tiles_attribution == "©"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_a_database_address_means_the_one_driver(monkeypatch, scheme):
    monkeypatch.setenv("HUXIAN_DATABASE_URL", f"{scheme}://u:{SECRET}@h:5433/d")
    settings = read_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == f"postgresql+psycopg://u:{SECRET}@h:5433/d"


def test_settings_show_no_secret_and_do_not_change(monkeypatch):
    monkeypatch.setenv("HUXIAN_DATABASE_URL", f"postgresql://u:{SECRET}@h/d")
    monkeypatch.setenv("HUXIAN_TILES_URL", f"https://tiles.example/{{z}}/{{x}}/{{y}}?key={SECRET}")
    monkeypatch.setenv("HUXIAN_TILES_ATTRIBUTION", "©")
    settings = read_settings()
    assert SECRET not in repr(settings)
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1


def test_a_relative_data_directory_is_taken_from_here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUXIAN_DATA_DIR", "data")
    assert read_settings().data_dir == tmp_path / "data"


def test_the_table_of_the_documentation_is_the_model():
    text = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(HUXIAN_\w+)` \| (.*?) ?\| (.+) \|$", text, re.MULTILINE)
    expected = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else f"`{field.default}`"
        if name == "data_dir":
            default = "`.huxian` beside `pyproject.toml`"
        expected.append((PREFIX + name.upper(), default, field.description))
    assert rows == expected
