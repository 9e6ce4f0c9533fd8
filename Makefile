# The chores, the same for a person and for CI. Each installs what it needs.
# One profile serves all of them, so that llama.cpp is built once.

CARGO ?= cargo
# The versions in Cargo.lock and no others.
LOCKED := --locked
DATASETS ?= $(TANDEM_DATASETS)

.PHONY: help demo test lint model editors vscode install offline dist bench bench-smoke bench-peer bench-quality bench-retrieval fleet fuzz asan soak tools clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo: tools ## Build, get the model, and watch it complete a short typing session
	@$(CARGO) build $(LOCKED) --release --bin tandem
	@$(CARGO) run $(LOCKED) --release --quiet -- model pull
	@$(CARGO) run $(LOCKED) --release --quiet -- demo

test: lint model ## Everything that must pass: format, lints, unit, server, wire and model tests
	$(CARGO) test $(LOCKED) --release

lint: tools ## Formatting; clippy, with and without the HTTP client, which is then gone; what dependencies may be
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --release --workspace --all-targets -- --deny warnings
	$(CARGO) clippy $(LOCKED) --release --lib --bins --no-default-features -- --deny warnings
	@tree="$$($(CARGO) tree $(LOCKED) --no-default-features --edges normal --prefix none)" && \
	if echo "$$tree" | grep -E '^(reqwest|hyper|rustls|ureq|curl|isahc|zbus) '; then \
		echo "Without the feature net there must be no client for any network." >&2; exit 1; \
	fi
	@CARGO="$(CARGO)" sh .ci/deny

model: tools ## Get the model that the demo and the tests use (491 MB, once)
	@$(CARGO) run $(LOCKED) --release --quiet -- model pull --no-optimize

vscode: tools ## The extension of VS Code with the server inside, in dist/
	$(CARGO) build $(LOCKED) --release --bin tandem
	@command -v npm >/dev/null || { echo "The extension is built with npm, which is not here: install Node.js 20 or newer." >&2; exit 1; }
	cd editors/vscode && npm ci --no-audit --no-fund && npm run package
	@mkdir -p dist && cp editors/vscode/dist/*.vsix dist/ && \
	echo "Install it with: code --install-extension $$(ls -t dist/*.vsix | head -n 1)"

install: tools ## Install `tandem` where cargo installs programs
	$(CARGO) install --locked --path .

offline: tools ## Build without any client for a network, and look whether that is so
	@CARGO="$(CARGO)" sh .ci/offline

dist: tools ## A package for others' machines, in dist/, with its bill of materials: make dist FEATURES=vulkan
	@CARGO="$(CARGO)" FEATURES="$(FEATURES)" sh .ci/dist

bench: model ## Keystroke replay through the real server; what guessing saves; the server's own share
	$(CARGO) bench $(LOCKED) --bench replay
	$(CARGO) bench $(LOCKED) --bench replay -- --scenario open
	$(CARGO) bench $(LOCKED) --bench replay -- --scenario cancel
	$(CARGO) bench $(LOCKED) --bench replay -- --scenario window
	$(CARGO) bench $(LOCKED) --bench engine
	$(CARGO) bench $(LOCKED) --bench server_share

bench-smoke: model ## The shortest of it: one trace, in a minute
	$(CARGO) bench $(LOCKED) --bench replay -- --list
	$(CARGO) bench $(LOCKED) --bench replay -- --trace demo --pace at-once

bench-peer: model ## The replay against llama-server, which is built once; variables: benches/peer.sh
	sh benches/peer.sh

bench-quality: model ## How good suggestions are: make bench-quality DATASETS=FOLDER TREES="FOLDER …" ROWS=100
	TANDEM_DATASETS="$(DATASETS)" $(CARGO) bench $(LOCKED) --bench quality -- $(foreach tree,$(TREES),--tree $(tree)) $(if $(ROWS),--rows $(ROWS)) $(QUALITY)

bench-retrieval: ## Is the file to change in a question's bundle: make bench-retrieval TREES="FOLDER …" RELEASES="FOLDER …"
	$(CARGO) bench $(LOCKED) --bench retrieval -- $(foreach tree,$(TREES),--tree $(tree)) $(foreach folder,$(RELEASES),--releases $(folder))

fleet: tools ## How many engines a team needs, simulated: make fleet FLEET="--engine cpu --bar 1000"; --help says what else
	$(CARGO) bench $(LOCKED) --bench fleet -- --out $(CURDIR)/target/fleet $(FLEET)

fuzz: tools ## Replay what fuzzing found, or look for more, so many seconds with each target: make fuzz FUZZ_SECONDS=600
	@sh .ci/fuzz $(FUZZ_SECONDS)

asan: tools model ## Unit tests, and the real model in their own process, under AddressSanitizer
	@CARGO="$(CARGO)" sh .ci/asan

soak: model ## An hour of typing by four people, and what it leaves behind: make soak MINUTES=60; needs a quiet machine
	$(CARGO) bench $(LOCKED) --bench soak -- --minutes $(or $(MINUTES),60) --out $(CURDIR)/target/soak

editors: model ## Drive real editors with the real server and model; gets the editors: make editors ONLY=neovim
	@sh .ci/editors
	$(CARGO) build $(LOCKED) --release --bin tandem
	CARGO_TARGET_DIR="$(or $(CARGO_TARGET_DIR),target)/zed" $(CARGO) test $(LOCKED) --quiet --manifest-path editors/zed/Cargo.toml
	EDITORS="$(EDITORS)" $(CARGO) test $(LOCKED) --release --test editors -- --ignored --nocapture --test-threads 1 $(ONLY)

tools: ## Install what the build needs, or say how
	@sh .ci/tools

clean: ## Remove what was built; models stay
	$(CARGO) clean
	rm -rf dist
