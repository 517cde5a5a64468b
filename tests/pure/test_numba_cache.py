import os
import subprocess
import sys
import time
from pathlib import Path

from api.numba_cache import VARIABLE, code_digest

ROOT = Path(__file__).resolve().parents[2]
NAME = "import os, pathlib, sys; from api.numba_cache import keep_kernels_in, VARIABLE; "


def run(code, tmp_path, **extra):
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return subprocess.run(
        [sys.executable, "-c", NAME + code, str(tmp_path)],
        cwd=ROOT,
        env=environment | extra,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_kernels_of_each_version_lie_in_a_folder_of_their_own(tmp_path):
    found = run("keep_kernels_in(pathlib.Path(sys.argv[1])); print(os.environ[VARIABLE])", tmp_path)
    assert found.stdout.strip() == str(tmp_path / "numba" / code_digest())


def test_a_folder_that_is_named_already_stays(tmp_path):
    code = "keep_kernels_in(pathlib.Path(sys.argv[1])); print(os.environ[VARIABLE])"
    assert run(code, tmp_path, **{VARIABLE: "/elsewhere"}).stdout.strip() == "/elsewhere"


def test_naming_it_after_numba_was_loaded_is_an_error(tmp_path):
    found = run("import numba; keep_kernels_in(pathlib.Path(sys.argv[1]))", tmp_path)
    assert "before numba is imported" in found.stderr


def test_what_no_version_has_used_for_a_month_is_removed_and_the_rest_stays(tmp_path):
    for name, days in (("old", 31), ("young", 29), (code_digest(), 90)):
        folder = tmp_path / "numba" / name
        folder.mkdir(parents=True)
        long_ago = time.time() - days * 86400
        os.utime(folder, (long_ago, long_ago))
    assert run("keep_kernels_in(pathlib.Path(sys.argv[1]))", tmp_path).returncode == 0
    assert {path.name for path in (tmp_path / "numba").iterdir()} == {"young", code_digest()}
