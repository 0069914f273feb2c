# Sourced by peers that keep a server of theirs in a folder: its process number is in DIR/pid.

# Whether the server of this folder still runs; its process number may have passed to somebody else, and a process that
# ended stays in the table until its parent looks.
serves() {
  local dir=$1 program=$2 pid name state
  [ -s "$dir/pid" ] && pid=$(<"$dir/pid") && [ -r "/proc/$pid/stat" ] || return 1
  read -r _ name state _ 2>/dev/null <"/proc/$pid/stat" || return 1
  [ "$name" = "($program)" ] && [ "$state" != Z ]
}

end_process() {
  local dir=$1 program=$2 pid
  if serves "$dir" "$program"; then
    pid=$(<"$dir/pid")
    kill -TERM "$pid" 2>/dev/null || true
    for _ in {1..100}; do
      serves "$dir" "$program" || break
      sleep 0.1
    done
    ! serves "$dir" "$program" || kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$dir/pid"
}

listens() {
  (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

# Whether the process of this folder has not ended, by whatever name it goes before it becomes the server.
lives() {
  local pid state
  [ -s "$1/pid" ] && pid=$(<"$1/pid") && [ -r "/proc/$pid/stat" ] || return 1
  read -r _ _ state _ 2>/dev/null <"/proc/$pid/stat" && [ "$state" != Z ]
}

# wait_for HOST PORT DIR PROGRAM: until it listens or is gone. Whoever calls has seen that nobody listened there before.
wait_for() {
  for _ in {1..600}; do
    if listens "$1" "$2"; then
      serves "$3" "$4"
      return
    fi
    lives "$3" || return 1
    sleep 0.05
  done
  return 1
}

# Waits in the shell itself, so that no other process holds standard input open.
wait_for_lifeline() {
  while read -r _; do :; done
}
