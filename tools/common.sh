# tools/common.sh: what tools/demo, tools/test and tools/bench share. Sourced, not run.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '%s: %s\n' "$tool" "$*"; }
die() { printf '%s: %s\n' "$tool" "$*" >&2; exit 1; }

# build PRESET TARGET...: configures when needed and builds; the compiler's own progress shows.
build() {
  local preset=$1 began=$SECONDS
  shift
  local log="$root/build/$preset.configure.log"
  mkdir -p "$root/build"
  (cd "$root" && cmake --preset "$preset" >"$log" 2>&1) || { tail -40 "$log" >&2; die "configuring failed; see $log"; }
  (cd "$root" && cmake --build "build/$preset" --parallel "${TIDEMARK_JOBS:-$(nproc)}" --target "$@") ||
    die "the build failed"
  say "built $preset in $((SECONDS - began)) s"
}

# The Python that runs the tools: any will do, they need nothing but its standard library.
python=python3
