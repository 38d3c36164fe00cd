# CyberVein: make up, make test, make lint, make bench. `make help` lists everything.
# The first run builds the environment (.tools/, .venv/, native code); later runs only check it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: $(shell grep -oE '^[a-z0-9-]+:' $(firstword $(MAKEFILE_LIST)) | tr -d :)

PYTHON3 := $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
RESULTS := .test-results

# Tests start hundreds of interpreters: none shall compile our modules again.
unexport PYTHONDONTWRITEBYTECODE

# SEED replays what a run drew: Hypothesis' examples, moments and victims of the kills.
PYTEST = $(if $(SEED),CHAOS_SEED=$(SEED)) $(BIN)/python -m pytest \
    --junitxml=$(RESULTS)/$(1).xml $(if $(SEED),--hypothesis-seed=$(SEED))
export CARGO_TARGET_DIR ?= $(CURDIR)/native/target/checks
# As in scripts/bootstrap.sh; before Rust 1.91 it is ignored.
export CARGO_BUILD_BUILD_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/cybervein/cargo

# What the specification computes alone, on the vectors that native code is held to as well.
SPEC_TESTS := $(addprefix tests/,space tree coding vrf protocol audit dag)

help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Tests that start nothing big: all but those of the stages of their own.
UNIT := not (e2e or chaos or pages or kubernetes or scale or node)

setup: ## Build the environment: pinned uv, .venv from uv.lock, native code
	@scripts/bootstrap.sh

preflight: ## Say what this machine lacks for building, testing and racing
	@$(PYTHON3) scripts/preflight.py

kubernetes-tools: ## Build what the Kubernetes tests run, once, into ~/.cache (about ten minutes)
	@$(PYTHON3) scripts/kubernetes/build.py

up: setup ## Run the embedded network in the foreground (ARGS="--miners 4 …")
	@$(BIN)/cybervein up $(ARGS)

test: ## Run every check, stage by stage (STAGES="lint unit" SEED=7 for some)
	@$(PYTHON3) scripts/check.py $(STAGES)

lint: stage-lint ## ruff, mypy --strict, import layers, stubs, cargo fmt, clippy

format: setup ## Format Python and Rust
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .
	@cargo fmt --all --manifest-path native/Cargo.toml

bench: setup ## Race the peers and write bench/results.json (RACE=name for one)
	@$(PYTHON3) scripts/preflight.py --install --quiet build linking peers races
	@scripts/peers.sh
	@$(BIN)/python bench/run.py $(if $(RACE),--race $(RACE))

bench-lock: setup ## Renew bench/peers/requirements.txt from requirements.in
	@UV_SYSTEM_CERTS=1 .tools/uv/bin/uv pip compile --quiet --upgrade --generate-hashes --no-header \
	    --python-version 3.11 bench/peers/requirements.in -o bench/peers/requirements.txt

clean: ## Remove what was built (never .cybervein, the data of `make up`)
	@rm -rf .venv .tools bench/.peers native/target $(RESULTS)

# --- stages: scripts/stages.py has their order, needs and budgets ---------------------------------

stage-lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest cybervein_native --mypy-config-file pyproject.toml
	cargo fmt --all --check --manifest-path native/Cargo.toml
	cargo clippy --quiet --locked --profile checks --workspace --all-targets --manifest-path native/Cargo.toml -- -D warnings

stage-rust: setup
	cargo test --quiet --locked --profile checks --workspace --manifest-path native/Cargo.toml

stage-unit: setup
	CYBERVEIN_NATIVE=require $(call PYTEST,unit) -n 3 --dist loadfile -m "$(UNIT)" tests

stage-spec: setup
	CYBERVEIN_NATIVE=off $(call PYTEST,spec) -n 2 -m "not both_codes" $(SPEC_TESTS)

# The programs that `make bench` races against can be built, and start.
stage-peers: setup
	scripts/peers.sh
	bench/.peers/bin/python -c "import chiapos, pyeclib.ec_iface, zfec"
	bench/.peers/bin/tahoe --version > /dev/null

stage-pages: setup
	CYBERVEIN_NATIVE=require $(call PYTEST,pages) -m pages tests

stage-e2e: setup
	CYBERVEIN_NATIVE=require $(call PYTEST,e2e) -n 2 --dist loadfile -m e2e tests

stage-chaos: setup
	CYBERVEIN_NATIVE=require $(call PYTEST,chaos) -n 4 --dist worksteal -m chaos tests

# Operator, chart and manifests on a real control plane.
stage-kubernetes: setup kubernetes-tools
	CYBERVEIN_NATIVE=require $(call PYTEST,kubernetes) -n 2 --dist loadfile -m kubernetes tests

stage-scale: setup kubernetes-tools
	CYBERVEIN_NATIVE=require $(call PYTEST,scale) -n 2 --dist loadfile -m scale tests

# The image, built and run on a real kubelet.
stage-node: setup kubernetes-tools
	CYBERVEIN_NATIVE=require $(call PYTEST,node) -m node tests

stage-locks: setup
	UV_SYSTEM_CERTS=1 .tools/uv/bin/uv lock --check --quiet
	cargo metadata --quiet --locked --format-version 1 --manifest-path native/Cargo.toml > /dev/null
