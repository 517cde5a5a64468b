"""Remove the private database and everything else in the data directory, after asking."""

from __future__ import annotations

import shutil
import sys

from api.postgis import delete_cluster
from api.settings import SettingsError, read_settings
from api.supervisor import is_running
from geo.errors import HuxianError


def main() -> int:
    """Ask, remove, and return the exit code."""
    try:
        data_dir = read_settings().data_dir
        if not data_dir.exists():
            print("没有数据 · there is no data")
            return 0
        if any(is_running(data_dir, name) for name in ("real", "demo")):
            print("护线正在运行，请先停止 · Huxian is running; stop it first")
            return 1
        print(f"将永久删除 · this removes for ever: {data_dir}")
        if input("输入 yes 确认 · type yes to confirm: ").strip() != "yes":
            print("未删除 · nothing was removed")
            return 0
        delete_cluster(data_dir)
        shutil.rmtree(data_dir)
    except (HuxianError, SettingsError, OSError, EOFError) as error:
        print(f"✗ {error}")
        return 1
    print("已删除 · removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
