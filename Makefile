# 护线 Huxian. `make run` is all a user needs; `make help` lists the rest.
SHELL := /bin/sh
PY := .venv/bin/python
HENAN ?= 1
RUN_LOCKS := requirements.lock $(if $(filter 1,$(HENAN)),'requirements-henan.lock?') $(if $(shell command -v npm),,requirements-node.lock)
TEST_LOCKS := requirements-test.lock $(if $(shell command -v npm),,requirements-node.lock)

.DEFAULT_GOAL := help
.PHONY: help run demo setup test lint format lock bench calibrate clean-data

help: ## 列出命令 · list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: ## 一键运行：安装、建库、装入河南 2008、网页和后台 · set up and run everything
	@scripts/venv.sh $(RUN_LOCKS)
	@$(PY) -m layers.assets
	@.venv/bin/huxian run

demo: ## 同上，但为演示省（自有数据库）· the same with the demo province
	@scripts/venv.sh $(RUN_LOCKS)
	@$(PY) -m layers.assets
	@.venv/bin/huxian run --demo

setup: ## 开发环境 .venv（含测试工具）和地图组件 · .venv for development, and the map's scripts
	@scripts/venv.sh $(TEST_LOCKS) 'requirements-henan.lock?'
	@$(PY) -m layers.assets

test: ## 全部测试：纯计算、数据库、接口、浏览器 · all tests
	@scripts/system-packages.sh
	@scripts/venv.sh $(TEST_LOCKS)
	@$(PY) -m layers.assets
	@$(PY) -m pytest

lint: ## 风格、类型、分层 · style, types, layers
	@scripts/venv.sh $(TEST_LOCKS)
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@.venv/bin/lint-imports

format: ## 整理代码格式 · format the code
	@$(PY) -m ruff format

lock: ## 重新锁定依赖（带哈希，不带地址）· compile the lock files
	@scripts/lock.sh

bench: ## 性能对照 · benchmarks against named peers
	@$(PY) -m benchmarks

calibrate: ## 误报率与检出率 · false alarms and power of the hotspot test
	@$(PY) benchmarks/calibrate.py

clean-data: ## 删除本目录的数据（会询问）· remove this checkout's data (asks)
	@printf '删除 .huxian 中的全部数据？输入 yes · type yes to remove all data in .huxian: '; read -r answer; \
	  if [ "$$answer" = yes ]; then .venv/bin/huxian db down; rm -rf .huxian; else echo "未删除 · kept"; fi
