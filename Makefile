# Everything that is done to this project goes through this file: `make help`.
#
# Settings of `make run` are given on the command line (`make run PORT=8081`)
# and reach the processes as TUNGGU_PORT and so on. Names from the environment
# are not taken, because shells keep a HOST of their own there.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
DATA ?= .tunggu
ROLE ?= OFFICER
KECAMATAN ?= 73.71.03
CASES ?= 10000
MINUTES ?= 10
PACE ?= 20
SECONDS ?= 60
OVERLAY ?= dev
IMAGE ?= tunggu:dev
DOCKER ?= docker
KUBECTL ?= $(BIN)/kubectl
PROTOS := $(shell find protos -name '*.proto')
GOOGLEAPIS := build/googleapis/google

$(foreach name,PORT HOST DATA HOURS LIMITS SPEED,\
  $(if $(filter command,$(firstword $(origin $(name)))),\
    $(eval export TUNGGU_$(name) := $$($(name)))))

.PHONY: help setup protos lock format lint types imports buf test check fuzz browser \
	firefox prometheus nginx voice screenshots bench soak delay run demo token apply verify wheel \
	sbom images manifests keys deploy backup restore clean

help: ## list what can be done here
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | \
	  awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# --- the workshop -----------------------------------------------------------

setup: $(VENV)/.project protos ## make .venv, install what is locked, generate the stubs
	@:

$(VENV)/.made:
	@python="$$(.ci/find-python $(PYTHON))"; \
	  echo "setup: a virtual environment of $$python"; \
	  "$$python" -m venv --clear $(VENV)
	@touch $@

$(VENV)/.locked: $(VENV)/.made requirements-dev.txt
	@echo "setup: installing what requirements-dev.txt locks"
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.project: $(VENV)/.locked pyproject.toml
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

protos: build/.stubs ## generate the Python stubs of protos/
	@:

build/.stubs: $(VENV)/.locked $(PROTOS)
	@echo "setup: generating stubs"
	@find protos \( -name '*_pb2*.py' -o -name '*_pb2*.pyi' -o -name '*.binpb' \) -delete
	@include="$$($(BIN)/python -c 'import google.api as a; print(list(a.__path__)[0] + "/../..")')"; \
	  PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m grpc_tools.protoc -Iprotos -I"$$include" \
	    --python_out=protos --grpc_python_out=protos \
	    --mypy_out=quiet:protos --mypy_grpc_out=quiet:protos \
	    --descriptor_set_out=protos/tunggu/comments.binpb --include_source_info $(PROTOS)
	@mkdir -p $(@D) && touch $@

lock: $(VENV)/.made ## renew requirements*.txt from pyproject.toml
	@[ -x $(BIN)/uv ] || $(BIN)/pip install -qq --disable-pip-version-check uv==0.13.9
	@compile="$(BIN)/uv pip compile -q --universal --python-version 3.11 \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml"; \
	  $$compile -o requirements.txt; $$compile --extra dev -c requirements.txt -o requirements-dev.txt

browser: ## install Debian's Chromium for the page tests (as root, by apt)
	@.ci/install-package chromium

firefox: ## install Debian's Firefox ESR for the push test (as root, by apt)
	@.ci/install-package firefox-esr

prometheus: ## install Debian's Prometheus for the metrics test, and mask its daemon
	@.ci/install-package prometheus prometheus.service

nginx: ## install Debian's nginx with nchan for the bench, and mask its daemon
	@.ci/install-package nginx nginx.service libnginx-mod-nchan

# --- the checks -------------------------------------------------------------

format: setup ## rewrite the Python files in the house's format
	@$(BIN)/ruff check -q --fix --exit-zero .; $(BIN)/ruff format -q .

lint: setup ## ruff: habits and format
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .

types: setup ## mypy, strict
	@$(BIN)/mypy

imports: setup ## who may import whom
	@$(BIN)/lint-imports --no-logo

buf: setup $(GOOGLEAPIS)/api/field_behavior.proto ## the protos against buf's STANDARD
	@$(BIN)/buf lint

$(GOOGLEAPIS)/api/field_behavior.proto: $(VENV)/.locked
	@mkdir -p $(GOOGLEAPIS)/api $(GOOGLEAPIS)/rpc
	@from="$$($(BIN)/python -c 'import google.api as a; print(list(a.__path__)[0])')"; \
	  cp "$$from"/{annotations,field_behavior,http}.proto $(GOOGLEAPIS)/api/; \
	  cp "$$from"/../rpc/status.proto $(GOOGLEAPIS)/rpc/
	@touch $@

test: setup ## all tests; make test ARGS=tests/queue for some
	@$(BIN)/pytest -q $(ARGS)

check: lint types imports buf ## all of the above: what has to pass; what fails is tried once more
	@.ci/tests $(BIN)/pytest

fuzz: setup ## requests made up from the API's description: CASES=10000
	@$(BIN)/pytest -q -rP tests/e2e/test_fuzz.py --timeout 3600 --cases "$(CASES)"

# NAME=value of those names that were given on the command line.
given = $(foreach name,$(1),$(if $(filter command,$(firstword $(origin $(name)))),'$(name)=$($(name))'))

bench: setup ## what the edge bears, side by side with others [BENCH=rush,fanout ROUNDS ...]
	@$(BIN)/python -P -m tests.load \
	  $(call given,BENCH ROUNDS SECONDS CONNECTIONS WATCHERS CROWD WAITING CALLS STEADY)

soak: setup ## all verbs at half of capacity, with kills: MINUTES=10
	@$(BIN)/python -P -m tests.load.soak --minutes "$(MINUTES)"

delay: setup ## event to accepted notification, 5,000 subscriptions in 15 offices [PACE SECONDS]
	@$(BIN)/python -P -m tests.e2e.notify_delay --pace "$(PACE)" --seconds "$(SECONDS)"

voice: setup ## make the display's clips anew, after services/gateway/voice/words.toml
	@.ci/install-package espeak-ng "" sox opus-tools
	@$(BIN)/python -P -m services.gateway.voice

screenshots: setup ## pictures of every page, into build/screenshots
	@$(BIN)/python -P -m tests.web.pictures

# $(call needs,FILE,an example) as a recipe's first line.
needs = @[ -n "$($(1))" ] || { echo "$@: $(1)= is missing: make $@ $(2)" >&2; exit 2; }

# --- the thing itself -------------------------------------------------------

run: setup ## the whole of Tunggu on this machine [PORT HOST DATA HOURS LIMITS SPEED]
	@exec $(BIN)/python -P -m services.local

demo: setup ## replay a recorded day of a real office through it [SPEED]
	@exec $(BIN)/python -P -m services.local.demo

token: setup ## a 12-hour token of the development key: ROLE=OFFICER KECAMATAN=73.71.03 [DATA]
	@$(BIN)/python -P -m services.chassis.token --role "$(ROLE)" --kecamatan "$(KECAMATAN)" \
	  --key "$(DATA)/keys/private.pem"

apply: setup ## give a Kecamatan file to what runs: FILE=kecamatan/makassar.yaml [PORT HOST DATA]
	$(call needs,FILE,FILE=kecamatan/makassar.yaml)
	@$(BIN)/python -P -m services.local.apply "$(FILE)"

verify: setup ## verify a day's journal: FILE=events.ndjson POLICY=policy.json
	$(call needs,FILE,FILE=events.ndjson POLICY=policy.json)
	$(call needs,POLICY,FILE=events.ndjson POLICY=policy.json)
	@$(BIN)/python -P -m services.queue.verify "$(FILE)" --policy "$(POLICY)"

# What is in a backup: all that `make run` keeps, but for its lock and its logs.
LOCKED := another process has this folder open: stop it first

backup: ## all that a stopped machine keeps, in one file: DATA=/srv/tunggu TO=tunggu.tar
	$(call needs,TO,DATA=.tunggu TO=tunggu.tar)
	@[ -d "$(DATA)/redis" ] || { echo "backup: there are no data in $(DATA)" >&2; exit 2; }
	@[ ! -e "$(TO)" ] || { echo "backup: $(TO) exists" >&2; exit 2; }
	@umask 077; flock -n -E 9 "$(DATA)/lock" tar -C "$(DATA)" --exclude=./lock --exclude=./logs \
	    --exclude='*.sock' -cf "$(TO).part" . || \
	  { code=$$?; rm -f "$(TO).part"; [ $$code != 9 ] || echo "backup: $(LOCKED)" >&2; exit 2; }; \
	  mv "$(TO).part" "$(TO)" && echo "$(TO)"

restore: ## a backup into a folder that is not there yet: DATA=/srv/tunggu FROM=tunggu.tar
	$(call needs,FROM,DATA=.tunggu FROM=tunggu.tar)
	@[ ! -e "$(DATA)" ] || { echo "restore: $(DATA) exists; nothing is overwritten" >&2; exit 2; }
	@umask 077; mkdir -p "$(DATA)" && tar -C "$(DATA)" -xf "$(FROM)" && echo "$(DATA)"

# --- the city ---------------------------------------------------------------

wheel: setup ## dist/: the package as the image installs it
	@rm -rf dist && $(BIN)/python -m hatchling build -t wheel >/dev/null && ls dist

sbom: setup ## build/sbom.json: what is in the image, CycloneDX
	@mkdir -p build && $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml \
	  --output-reproducible --of JSON -o build/sbom.json requirements.txt && echo build/sbom.json

images: wheel sbom ## the one image of all processes, by docker [IMAGE DOCKER]
	@$(DOCKER) build -f deploy/Dockerfile -t "$(IMAGE)" .

KEYS := deploy/k8s/overlays/dev/keys

keys: setup ## keys of the overlay dev, made once, never committed
	@umask 077; mkdir -p $(KEYS); \
	  [ -s $(KEYS)/jwks.json ] || $(BIN)/python -c 'import sys; from pathlib import Path; \
	    from services.chassis.token import make_key; make_key(Path(sys.argv[1]))' $(KEYS); \
	  [ -s $(KEYS)/password ] || $(BIN)/python -c 'import secrets; \
	    print(secrets.token_urlsafe(24), end="")' >$(KEYS)/password; \
	  printf 'requirepass %s\nmasterauth %s\n' "$$(cat $(KEYS)/password)" "$$(cat $(KEYS)/password)" \
	    >$(KEYS)/auth.conf

manifests: keys ## build/manifests/: every overlay rendered
	@mkdir -p build/manifests; for overlay in deploy/k8s/overlays/*; do \
	  $(KUBECTL) kustomize "$$overlay" >"build/manifests/$$(basename "$$overlay").yaml"; done; \
	  ls build/manifests

deploy: keys ## applies an overlay to the cluster that KUBECONFIG names [OVERLAY]
	@[ -d "deploy/k8s/overlays/$(OVERLAY)" ] || { echo "deploy: there is no overlay $(OVERLAY)" >&2; exit 2; }
	@$(KUBECTL) apply -k deploy/k8s/namespace
	@$(KUBECTL) apply -k deploy/k8s/crd
	@$(KUBECTL) wait --for condition=Established --timeout 60s \
	  crd/kecamatans.tunggu.makassarkota.go.id
	@$(KUBECTL) apply -k "deploy/k8s/overlays/$(OVERLAY)"
	@$(KUBECTL) -n tunggu rollout status --timeout 300s statefulset/redis
	@for name in queue survey notify gateway controller; do \
	  $(KUBECTL) -n tunggu rollout status --timeout 300s "deployment/$$name"; done

clean: ## remove what was built (.venv, stubs, caches), never the data in .tunggu
	@find protos \( -name '*_pb2*.py' -o -name '*_pb2*.pyi' -o -name '*.binpb' \) -delete
	@find services tests protos -name __pycache__ -type d -prune -exec rm -rf {} +
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
