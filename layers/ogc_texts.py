"""Name what the OGC API hands out, and the links by which it is reached."""

from __future__ import annotations

from layers.texts import mark

COLLECTION_NAMES = {
    "incidents": (
        mark("案件"),
        mark(
            "每起案件一个点。位置知道到什么程度见place_precision，真实位置在radius_m（米）以内；位置不明的没有几何。"
        ),
    ),
    "segments": (mark("缆线区段"), mark("两个节点之间的一段线缆，带对数、敷设方式和在用起止日期。")),
    "stations": (mark("废旧金属收购站点"), mark("收购站点的位置和备案状态；只有单位，没有个人。")),
    "areas": (
        mark("行政区划"),
        mark("省、市、县、乡镇及其有效期。许可不准转交的边界不在这里给出（几何为空），只在地图上画。"),
    ),
    "hotspots": (
        mark("热点"),
        mark("最近一次算完的、不加筛选的热点计算的聚集区；只有is_hotspot为真的才经过检验。"),
    ),
}
"""Title and description of every collection."""

DATASET_TILES = mark("全部矢量瓦片")

LANDING_TEXT = mark("供QGIS、GDAL等读取的接口：OGC API - Features和OGC API - Tiles，与地图用的是同一批查询。")

KIND_NAMES = {
    "conformsTo": mark("符合的标准"),
    "collections": mark("数据集合"),
    "features": mark("要素"),
    "tilesets": mark("瓦片集"),
    "tileMatrixSets": mark("瓦片矩阵集"),
}
"""Title of a document by the member that only it has."""

RELATION_NAMES = {
    "self": mark("本页"),
    "alternate": mark("另一种格式"),
    "service-desc": mark("接口定义（OpenAPI 3.0）"),
    "service-doc": mark("接口说明"),
    "conformance": mark("符合的标准"),
    "data": mark("数据集合"),
    "items": mark("要素"),
    "collection": mark("所在集合"),
    "queryables": mark("可以查询的属性"),
    "next": mark("下一页要素"),
    "tilesets-vector": mark("矢量瓦片"),
    "tiling-schemes": mark("瓦片矩阵集"),
    "tiling-scheme": mark("瓦片矩阵集"),
    "geodata": mark("所在集合"),
}
"""What a link leads to, by the last part of its relation."""

MATRIX_COLUMNS = {
    "id": mark("层级"),
    "scaleDenominator": mark("比例尺分母"),
    "cellSize": mark("像元（米）"),
    "matrixWidth": mark("列数"),
    "matrixHeight": mark("行数"),
}
"""Columns of the table of a tile matrix set."""
