"""The doctor says what is missing and what to do, and changes nothing."""

from pydantic import SecretStr

from api.doctor import examine
from api.migrate import downgrade
from api.settings import Settings


def by_check(settings):
    return {finding.check: finding for finding in examine(settings)}


def test_a_migrated_database_is_found_well(fresh, tmp_path):
    found = by_check(Settings(database_url=SecretStr(fresh.admin), data_dir=tmp_path / "none"))
    for check in ("Python", "数据库 · database", "postgis", "btree_gist", "表结构 · tables"):
        assert found[check].ok, found[check]
    assert not (tmp_path / "none").exists()


def test_pending_revisions_are_named_with_the_command_that_runs_them(fresh, tmp_path):
    downgrade(fresh.admin, revision="base")
    found = by_check(Settings(database_url=SecretStr(fresh.admin), data_dir=tmp_path))
    tables = found["表结构 · tables"]
    assert not tables.ok
    assert tables.remedy == "huxian migrate"


def test_a_server_that_does_not_answer_is_a_finding_without_its_password(tmp_path):
    url = SecretStr("postgresql+psycopg://u:geheim-7731@127.0.0.1:1/d")
    database = by_check(Settings(database_url=url, data_dir=tmp_path))["数据库 · database"]
    assert not database.ok
    assert "HUXIAN_DATABASE_URL" in database.remedy
    assert "geheim-7731" not in database.sentence


def test_a_private_server_not_made_yet_is_no_fault_and_is_not_made(tmp_path):
    found = by_check(Settings(data_dir=tmp_path / "new"))
    assert found["PostGIS"].ok
    assert found["私有数据库 · private server"].ok
    assert not (tmp_path / "new").exists()
