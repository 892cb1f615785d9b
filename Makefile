# `make demo` and `make test` do all the set-up that they need on a fresh Debian or Ubuntu.

DASHBOARD := camera_hub/server/dashboard/index.html
DASHBOARD_SOURCES := $(shell find dashboards/web -type f -not -path '*/node_modules/*' -not -path '*/dist/*')
BIN := .venv/bin
# Most tests wait for cameras, so there may be more of them at once than processors. The long files begin
# first (tests/conftest.py), and each worker takes whole files, whose tests share what they start.
WORKERS := 3
BROWSERS := 2
TOGETHER := --dist loadfile --no-loadscope-reorder

.PHONY: demo test check unit lint types imports web-test format lock dashboard wheel clean help

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort

demo: ## a practice hamlet of seven cameras on this machine
	@scripts/python demo
	@$(MAKE) -s --no-print-directory $(DASHBOARD)
	@exec $(BIN)/camera-hub run config/demo.yaml

test: ## all checks and all tests
	@scripts/packages
	@scripts/python dev
	@$(MAKE) -s --no-print-directory check
	$(BIN)/python -m pytest -n $(WORKERS) $(TOGETHER) --durations=15 tests/unit tests/integration
	$(BIN)/python -m pytest -n $(BROWSERS) $(TOGETHER) --durations=15 tests/browser

check: lint types imports web-test ## everything that needs no running hub

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

web-test: $(DASHBOARD)
	scripts/npm run check
	scripts/npm test

format: ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dashboard: $(DASHBOARD) ## build the dashboard into the package

dashboards/web/node_modules/.package-lock.json: dashboards/web/package-lock.json
	@scripts/npm ci --no-audit --no-fund
	@touch $@

$(DASHBOARD): dashboards/web/node_modules/.package-lock.json $(DASHBOARD_SOURCES)
	@scripts/npm run build
	@touch $@

wheel: $(DASHBOARD) ## dist/*.whl, with the dashboard in it
	$(BIN)/python -m hatchling build -t wheel

lock: ## lock every dependency anew
	@scripts/lock

clean:
	rm -rf .venv dist build dashboards/web/node_modules camera_hub/server/dashboard .mypy_cache .ruff_cache .pytest_cache
