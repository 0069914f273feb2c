# Sourced by the peers' start scripts: where things are, and how a peer complains.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
work=$root/.work

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Prints a Node.js that is new enough: the one `./test` fetched, or the system's.
node_program() {
  local candidate
  for candidate in "$work/node/bin/node" "$(command -v node)"; do
    [ -x "$candidate" ] || continue
    [ "$("$candidate" -p 'parseInt(process.versions.node)')" -ge 20 ] || continue
    printf '%s\n' "$candidate"
    return
  done
  die "needs Node.js 20 or newer: run ./test --setup"
}
