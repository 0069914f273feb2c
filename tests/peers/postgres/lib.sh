# Sourced by start and stop.

# Prints the folder of the newest installed server's programs.
server_programs() {
  local found
  found=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
  [ -x "$found" ] || found=$(command -v postgres) || die "PostgreSQL is missing: run ./test --setup"
  dirname "$(readlink -f "$found")"
}

# Whom PostgreSQL accepts: anybody but root.
server_user() {
  if [ "$(id -u)" -ne 0 ]; then id -un; elif id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# Becomes the server's user and runs a program in this process; $1 is the signal that ends it with its parent.
become_server_user() {
  local signal=$1
  shift
  cd /
  if [ "$(id -u)" -ne 0 ]; then exec setpriv --pdeathsig "$signal" "$@"; fi
  exec setpriv --reuid="$(id -u "$(server_user)")" --regid="$(id -g "$(server_user)")" --clear-groups \
    --pdeathsig "$signal" "$@"
}

make_cluster() {
  local bin=$1 dir=$2 base secret
  remove_leftovers
  base=$(mktemp -d "$data_home/jit-postgres.XXXXXX")
  printf '%s\n' "$base" >"$dir/base"
  secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && printf '%s\n' "$secret" | tee "$base/password" >"$dir/password")
  [ "$(id -u)" -ne 0 ] || chown -R "$(server_user)" "$base"
  # C locale and UTF-8: the same order and the same bytes on every machine.
  (become_server_user KILL "$bin/initdb" --no-sync --pgdata="$base/data" --username=jit --pwfile="$base/password" \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C) >"$dir/initdb.log" 2>&1 </dev/null ||
    die "initdb failed: $(tail -n 3 "$dir/initdb.log")"
}

# The port is somebody else's if they are quicker: then another one is tried.
launch() {
  local bin=$1 dir=$2 base port
  shift 2
  base=$(<"$dir/base")
  for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    start_server "$bin" "$dir" "$port" "$@"
    if wait_for_server "$bin" "$dir" "$port"; then
      "$bin/createdb" --host="$base" --port="$port" --username=jit jit
      printf '%s\n' "$base" >"$dir/socket"
      (umask 077 && printf 'postgresql://jit:%s@127.0.0.1:%s/jit\n' "$(<"$dir/password")" "$port" >"$dir/url")
      return
    fi
    grep -q 'could not bind' "$dir/server.log" || break
  done
  cat "$dir/server.log" >&2
  end_server "$dir"
  die "the server did not start"
}

# Without a lifeline the server has to outlive this script.
start_server() {
  local bin=$1 dir=$2 port=$3 signal=clear
  shift 3
  [ -z "$lifeline" ] || signal=INT
  (become_server_user "$signal" "$bin/postgres" -D "$(<"$dir/base")/data" -k "$(<"$dir/base")" -p "$port" "$@") \
    </dev/null >"$dir/server.log" 2>&1 &
  printf '%s\n' "$!" >"$dir/pid"
}

wait_for_server() {
  local bin=$1 dir=$2 port=$3 pid
  pid=$(<"$dir/pid")
  for _ in {1..600}; do
    ! "$bin/pg_isready" --quiet --host="$(<"$dir/base")" --port="$port" --username=jit --dbname=postgres || return 0
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

# Whether the server of this folder still runs; its process number may have passed to somebody else.
serves() {
  local pid
  [ -s "$1/pid" ] && pid=$(<"$1/pid") && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]
}

# A server with a lifeline whose start was killed is about to end, and nobody's.
in_use() {
  serves "$1" && { [ ! -s "$1/owner" ] || kill -0 "$(<"$1/owner")" 2>/dev/null; }
}

# INT is PostgreSQL's fast shutdown; QUIT is for a server that does not obey.
end_server() {
  local dir=$1 pid
  if serves "$dir"; then
    pid=$(<"$dir/pid")
    kill -INT "$pid" 2>/dev/null || true
    for _ in {1..100}; do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -QUIT "$pid" 2>/dev/null || true
  fi
  case $(cat "$dir/base" 2>/dev/null) in
    "$data_home"/jit-postgres.*) rm -rf -- "$(<"$dir/base")" ;;
  esac
  rm -f "$dir/pid" "$dir/owner" "$dir/base" "$dir/url" "$dir/socket" "$dir/password"
}

# A start that was killed leaves its folder: old ones without a server are removed.
remove_leftovers() {
  local base
  for base in $(find "$data_home" -maxdepth 1 -name 'jit-postgres.*' -mmin +120 2>/dev/null); do
    [ -e "$base/data/postmaster.pid" ] || rm -rf -- "$base"
  done
}
