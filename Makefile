# Each target sets up what it needs the first time, and nothing twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.ready
SIMULATOR := edgekit/simulator
KERNELS := firmware/native
# In a container there may be no user but root; Jupyter wants to hear that this is meant.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help lab test test-board demo lint exercises datasets models wiring kernels lock clean

help:
	@echo "make lab        open JupyterLab on lesson 00"
	@echo "make demo       the whole path in the terminal: capture, train, convert, deploy, recognise"
	@echo "make test       every test, the notebooks included"
	@echo "make test-board PORT=/dev/ttyUSB0   try everything on a real board; writes a report"
	@echo "make exercises  make exercises/ again from solutions/"
	@echo "make datasets   make the shipped data sets again"
	@echo "make models     train and convert the shipped models again"
	@echo "make wiring     draw the wiring of each board again"
	@echo "make kernels    build the C kernels again"
	@echo "make lock       make requirements.txt again from pyproject.toml (needs the network)"

lab: $(SETUP)
	$(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(AS_ROOT)

test-board: $(SETUP)
	$(BIN)/python -m edgekit.course.board_report $(or $(PORT),$(error Say which port: make test-board PORT=/dev/ttyUSB0))

demo: $(SETUP)
	$(BIN)/edgekit demo

test: $(SETUP)
	$(BIN)/python -m edgekit.course.run_tests

lint: $(SETUP)
	$(BIN)/ruff check .

exercises: $(SETUP)
	$(BIN)/edgekit course exercises

datasets: $(SETUP)
	$(BIN)/edgekit course datasets

models: $(SETUP)
	$(BIN)/edgekit course models

wiring: $(SETUP)
	$(BIN)/edgekit course wiring

# WebAssembly for the computer and the simulated board, one file for each C file. The compiler is a Python package.
kernels: $(patsubst %,$(KERNELS)/%.wasm,$(notdir $(basename $(wildcard firmware/native/*.c))))

$(KERNELS)/%.wasm: firmware/native/%.c $(wildcard firmware/native/*.h)
	$(BIN)/python -m ziglang cc -target wasm32-freestanding -O3 -msimd128 -nostdlib -fno-builtin -Wall -Wextra \
	    -Wl,--no-entry -Wl,--import-memory -Wl,-z,stack-size=16 -Wl,--strip-all -o $@ $<
	chmod 644 $@

lock: $(BIN)/uv
	$(BIN)/uv pip compile --universal --fork-strategy fewest --generate-hashes --quiet --extra test --no-header \
	    --upgrade pyproject.toml -o requirements.txt
	cd $(SIMULATOR) && npm install --package-lock-only --omit-lockfile-registry-resolved

# --- set-up: virtual environment, locked packages, the simulated board's MicroPython, the Jupyter kernel ---
$(BIN)/uv:
	@echo "[1/3] virtual environment in $(VENV)"
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "edgekit needs Python 3.11 or newer, found " + sys.version.split()[0] + ". Install one and run: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(SETUP): requirements.txt pyproject.toml postBuild $(SIMULATOR)/package-lock.json | $(BIN)/uv
	@echo "[2/3] locked Python packages (about 2 GB on disk, the first time only)"
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements.txt
	@echo "[3/3] MicroPython for the simulated board, edgekit, the Jupyter kernel \"MicroPython\""
	PATH="$(CURDIR)/$(BIN):$$PATH" ./postBuild
	@touch $(SETUP)

clean:
	rm -rf $(VENV) $(SIMULATOR)/node_modules
