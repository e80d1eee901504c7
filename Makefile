# Nadhir. Needs Python 3.11 or newer and make; everything else goes into .venv.

VENV := .venv
BIN := $(VENV)/bin
# the first Python on the path that is new enough; PYTHON=... names another
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
PYTEST := $(BIN)/python -m pytest
PYTEST_ARGS ?=
BROKERS ?= 1
VERSION := 4.1
JARS_4.1 := .kafka/.installed
JARS_3.9 := .kafka-3.9/.installed
KAFKA_JARS := $(JARS_4.1) $(JARS_3.9)
POSTGRESQL := $(VENV)/.postgresql-found

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev demo demo-kafka test lint lint-style lint-types lint-imports \
	lint-docs format dashboards pictures bench bench-kafka quality soak kafka kafka-jars \
	alertmanager prometheus chromium openssl clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

setup: $(RUNTIME) ## Make .venv with what Nadhir runs with

setup-dev: $(DEV) ## Add what the checks and tests need

demo: $(RUNTIME) ## Simulate a crisis, run the pipeline, show the alerts (demo-out/)
	$(BIN)/nadhir demo

demo-kafka: $(RUNTIME) $(JARS_4.1) ## The same through a real Kafka and three workers, and compare
	$(BIN)/python -m deploy.kafka.demo

test: $(DEV) $(KAFKA_JARS) $(POSTGRESQL) alertmanager prometheus chromium openssl ## Run all tests but the soak tests
	$(PYTEST) -n 2 $(PYTEST_ARGS)

lint: lint-style lint-types lint-imports lint-docs ## Run all static checks (-k shows every fault)

lint-style: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-types: $(DEV)
	$(BIN)/mypy

lint-imports: $(DEV)
	$(BIN)/lint-imports --no-logo

lint-docs: $(DEV)
	$(BIN)/python -m tools.check_docs

format: $(DEV) ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

kafka: $(RUNTIME) $(JARS_$(VERSION)) ## Run a real Kafka until Ctrl-C (BROKERS=3, VERSION=3.9)
	$(BIN)/python -m deploy.kafka.cluster --brokers $(BROKERS) --version $(VERSION)

kafka-jars: $(KAFKA_JARS) ## Fetch the jars of Apache Kafka through Maven

alertmanager: ## Install Debian's Alertmanager, for the tests, if it is missing
	@command -v prometheus-alertmanager >/dev/null || { apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
		prometheus-alertmanager; } || \
		{ echo "install prometheus-alertmanager, then try again" >&2; exit 1; }

# Playwright, which drives it, brings a Node of its own that needs libatomic
chromium: ## Install Debian's Chromium, for the browser tests, if it is missing
	@command -v chromium >/dev/null && \
		$(PYTHON) -c 'import ctypes; ctypes.CDLL("libatomic.so.1")' 2>/dev/null || { \
		apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
		chromium fonts-dejavu-core libatomic1; } || \
		{ echo "install chromium and libatomic1, then try again" >&2; exit 1; }

pictures: $(DEV) chromium ## Take the pictures of the console anew (docs/pictures/console/)
	$(BIN)/python -m tools.pictures

prometheus: ## Install Debian's Prometheus and promtool, for the tests, if they are missing
	@command -v prometheus >/dev/null && command -v promtool >/dev/null || { \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy \
		--no-install-recommends prometheus; } || \
		{ echo "install Prometheus with promtool, then try again" >&2; exit 1; }

openssl: ## Install Debian's openssl, for certificates of the tests, if it is missing
	@command -v openssl >/dev/null || { apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends openssl; } || \
		{ echo "install openssl, then try again" >&2; exit 1; }

dashboards: $(DEV) ## Write Grafana's dashboards anew, into deploy/grafana/dashboards
	$(BIN)/python -m deploy.grafana

bench: $(DEV) $(POSTGRESQL) ## Measure speed and memory against the floor, detectors beside their peers
	$(BIN)/python -m benchmarks

bench-kafka: $(RUNTIME) $(KAFKA_JARS) ## Measure the Kafka engine on a real broker
	$(BIN)/python -m benchmarks kafka

quality: $(DEV) ## Measure every quality figure anew, into docs/quality.md
	$(BIN)/python -m benchmarks.quality

soak: $(DEV) $(KAFKA_JARS) $(POSTGRESQL) alertmanager prometheus chromium openssl ## Run the long tests, with random search by hypothesis
	$(PYTEST) -m soak --hypothesis-profile=search $(PYTEST_ARGS)

clean: ## Delete everything that can be made again
	rm -rf $(VENV) .kafka .kafka-3.9 build dist demo-out *.egg-info .hypothesis \
		.import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Nadhir needs Python 3.11 or newer; set PYTHON=" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.txt -e .
	@touch $@

$(JARS_3.9): MAVEN_PROFILE := -P3.9
# one after the other: two Mavens would spoil each other's cache
$(JARS_3.9): | $(JARS_4.1)

$(KAFKA_JARS): deploy/kafka/pom.xml
	@command -v java >/dev/null && command -v mvn >/dev/null || { apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qy default-jre-headless maven; } || \
		{ echo "install Java 17 or newer and Maven, then try again" >&2; exit 1; }
	rm -rf $(@D)
	mvn --quiet --batch-mode --file $< $(MAVEN_PROFILE) dependency:copy-dependencies \
		-DoutputDirectory=$(CURDIR)/$(@D)
	@touch $@

$(POSTGRESQL): | $(RUNTIME)
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy postgresql; } || \
		{ echo "install PostgreSQL 13 or newer (its programs are enough), then try again" >&2; exit 1; }
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	$(PIP) -r requirements-dev.txt
	@touch $@
