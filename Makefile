# 护线 Huxian. `make run` is all a user needs; `make help` lists the rest.
# Nothing here names the checkout's own path, so a path with blanks works.
SHELL := /bin/sh
PY := .venv/bin/python
HENAN ?= 1
NODE_LOCK := $(if $(shell command -v npm 2>/dev/null),,requirements-node.lock)
HENAN_LOCK := $(if $(filter 0 no,$(HENAN)),,'requirements-henan.lock?')
# Files of tests stay whole, and those of the browser last: each process has a PostGIS server and a demo province of its own.
ALL_TESTS := --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
TEST_LOCKS := requirements-test.lock $(NODE_LOCK)

.DEFAULT_GOAL := help
.PHONY: help run demo setup test lint format lock calibrate calibrate-sections calibrate-borders calibrate-effects bench bench-tiles clean-data program

help: ## 列出命令 · list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-18s %s\n", $$1, $$2}' Makefile

program:
	@scripts/venv.sh requirements.lock $(NODE_LOCK) $(HENAN_LOCK)
	@$(PY) -m layers.assets

run: program ## 一键运行：安装、建库、装入河南 2008、网页和后台 · set up and run everything
	@exec .venv/bin/huxian run

demo: program ## 同上，但为演示省（自有数据库）· the same with the demo province
	@exec .venv/bin/huxian run --demo

setup: ## 开发环境 .venv（含测试工具）和地图组件 · .venv for development, and the map's scripts
	@scripts/venv.sh $(TEST_LOCKS) $(HENAN_LOCK)
	@$(PY) -m layers.assets

test: ## 全部测试：纯计算、数据库、接口、浏览器 · all tests, shared by the cores (ARGS=... goes to pytest instead)
	@scripts/venv.sh $(TEST_LOCKS) $(HENAN_LOCK)
	@$(PY) -m layers.assets
	@$(PY) scripts/test_services.py
	@$(PY) -m pytest $(or $(ARGS),$(ALL_TESTS))

lint: ## 风格、类型、分层 · style, types, layers
	@scripts/venv.sh $(TEST_LOCKS)
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@.venv/bin/lint-imports

format: ## 整理代码格式 · format the code
	@$(PY) -m ruff format

lock: ## 重新锁定依赖（带哈希，不带地址）· compile the lock files anew
	@scripts/lock.sh

calibrate: ## 误报率与检出率，写入文档 · false alarms and power of every detector (ARGS='--only run-cable')
	@scripts/venv.sh $(TEST_LOCKS)
	@$(PY) benchmarks/calibrate.py $(or $(ARGS),--write)

calibrate-sections: ## 区段的误报率、检出率和重合度 · the same for sections of line
	@scripts/venv.sh $(TEST_LOCKS)
	@$(PY) -m benchmarks.calibration.sections

calibrate-borders: ## 交界扫描的误报率和检出率 · the same for zones astride borders
	@scripts/venv.sh $(TEST_LOCKS)
	@$(PY) -m benchmarks.calibration.borders $(or $(ARGS),--write)

calibrate-effects: ## 会战效果判断的误报率和检出率 · the same for what an operation changed
	@scripts/venv.sh $(TEST_LOCKS)
	@$(PY) -m benchmarks.calibration.effects $(or $(ARGS),--write)

bench: ## 各算法与同类软件的速度比 · kernels against named peers (ARGS='--only dbscan')
	@scripts/venv.sh requirements-bench.lock
	@$(PY) benchmarks/bench.py $(or $(ARGS),--write)

bench-tiles: ## 瓦片速度（wrk、pgbench）· rates of tiles at a million incidents
	@$(PY) benchmarks/tiles.py

clean-data: ## 删除私有数据库和全部数据（会询问）· remove the private database and all data (asks)
	@$(PY) scripts/clean_data.py
