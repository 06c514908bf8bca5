# `make help` lists what there is. Everything sets itself up; what is done leaves a stamp in
# the virtual environment, and is done again only when its lock file changes.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-print-directory --no-builtin-rules

# The virtual environment first, so that tests find its node where the system has none.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# Tests start dozens of servers and workers: each would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?=
ARGS ?=
VENV := .venv/pyvenv.cfg
PLAYER := player/node_modules/.package-lock.json
S := .venv/stamps
# Files with such tests, unless ARGS names some: reading the others only to leave them out takes long.
marked = $$(grep -rlE 'mark\.(interop|browser|alone)' tests --include='test_*.py' | sort)
foreign = $(if $(findstring tests/,$(ARGS)),,$(marked))
step := @scripts/step.sh
pip := .venv/bin/python -m pip install --no-deps

##@ Use
.PHONY: demo serve
demo: setup ## a server with a generated broadcast and a scripted show (ARGS="--http-port 9000")
	@.venv/bin/vitrine demo $(ARGS)

serve: setup ## the server alone (ARGS="--config my.yaml")
	@.venv/bin/vitrine serve $(ARGS)

##@ Judge
.PHONY: check lint types unit pages test workers interop alone bench fuzz soak
check: setup-dev ## lint, types, architecture, unit tests: two minutes
	@$(MAKE) --keep-going -j2 --output-sync=target lint types unit pages

lint: setup-dev
	@.venv/bin/ruff check --quiet . && .venv/bin/ruff format --check --quiet .

types: setup-dev
	@.venv/bin/mypy

unit: setup-dev
	@.venv/bin/pytest -q -n auto -m unit $(ARGS)

pages: setup-dev
	@said=$$(cd player && npm test --silent 2>&1) || { echo "$$said"; exit 1; }
	@echo "pages: their tests pass"

test: setup-test ## all of check, then real senders and a real browser: a quarter of an hour on 2 cores
	@$(MAKE) --keep-going -j2 --output-sync=target lint types pages workers
	@$(MAKE) interop alone

workers: setup-dev ## unit tests, and those of real workers with every kind of media
	@.venv/bin/pytest -q -n 3 -m "not (interop or browser or alone or soak)" $(ARGS)

interop: setup-test ## ffmpeg, GStreamer, PyAV and aiortc as senders, Chromium as viewer
	@.venv/bin/pytest -q -n 2 --dist loadfile -m "(interop or browser) and not (alone or soak)" $(foreign) $(ARGS)

alone: setup-test ## whole ladders with Chromium beside them: what needs the machine for itself
	@.venv/bin/pytest -q -m "alone and not soak" $(foreign) $(ARGS)

bench: setup-bench ## the benchmarks, as ratios to a reference measured in the same run
	@.venv/bin/python -m bench $(ARGS)

fuzz: setup-dev ## every property test with thousands of random examples
	@HYPOTHESIS_PROFILE=fuzz .venv/bin/pytest -q -m hypothesis --timeout 1800 $(ARGS)

soak: setup-test ## rarer cases; a long broadcast: no stall, no growing memory (ARGS="--minutes 60")
	@.venv/bin/pytest -q -n auto -m "soak and not interop"
	@.venv/bin/pytest -q -m "soak and interop"
	@.venv/bin/python -m bench.soak $(ARGS)

##@ Set up
.PHONY: setup setup-dev setup-test setup-bench lock clean distclean help
setup: $(S)/project $(PLAYER) ## what the server needs
setup-dev: setup $(S)/dev ## also what `make check` needs
setup-test: setup-dev $(S)/players $(S)/programs-test ## also what `make test` runs beside us
setup-bench: setup-dev $(S)/programs-bench ## also the programs that `make bench` needs

$(VENV):
	$(step) "Python environment" env PYTHON="$(PYTHON)" scripts/venv.sh

$(S)/packages: requirements.lock requirements-build.lock $(VENV)
	$(step) "Python packages" $(pip) --require-hashes -r requirements.lock -r requirements-build.lock
	@mkdir -p $(S) && touch $@

$(S)/project: pyproject.toml $(S)/packages
	$(step) "The command vitrine" $(pip) --no-build-isolation --editable .
	@touch $@

$(PLAYER): player/package-lock.json requirements-node.lock $(S)/packages
	$(step) "Page packages" scripts/player.sh --omit=dev
	@touch $@

$(S)/players: $(PLAYER)
	$(step) "Other players" scripts/player.sh
	@touch $@

$(S)/dev: requirements-dev.lock $(S)/packages
	$(step) "Development packages" $(pip) --require-hashes -r requirements-dev.lock
	@touch $@

$(S)/programs-%: scripts/programs.sh $(S)/packages
	$(step) "Programs for make $*" scripts/programs.sh $*
	@touch $@

lock: $(VENV) ## pin pyproject.toml's dependencies anew (ARGS=--upgrade moves them)
	@scripts/lock.sh $(ARGS)

clean: ## caches and builds
	@rm -rf .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist htmlcov .coverage
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## also the set-up; data/ stays
	@rm -rf .venv player/node_modules

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
