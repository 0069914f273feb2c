# Sourced by ./test: runs steps, one line each, keeps their logs and adds up what they count.

passed=0
failed=0
number=0
started=$SECONDS

# step KIND LIMIT NAME COMMAND…: KIND says how to count.
#   install  counts nothing unless it fails
#   check    is one test
#   cargo    counts what `cargo test` reports
#   node     counts what `node --test` reports in TAP
#   own      counts a last line "N passed, N failed"
# LIMIT is in minutes.
step() {
  local kind=$1 limit=$2 name=$3 log status=0 begin=$SECONDS
  shift 3
  number=$((number + 1))
  log=$logs/$(printf '%02d-%s.log' "$number" "${name//[^a-z0-9]/-}")
  printf '%-46s' "$name"
  timeout --kill-after=20 "${limit}m" "$@" >"$log" 2>&1 </dev/null &
  running=$!
  wait "$running" || status=$?
  running=
  count "$kind" "$log" "$status"
  passed=$((passed + step_passed))
  failed=$((failed + step_failed))
  report "$kind" "$log" "$status" $((SECONDS - begin)) "$limit"
}

count() {
  local kind=$1 log=$2 status=$3
  step_passed=0
  step_failed=0
  case $kind in
    check) [ "$status" -ne 0 ] || step_passed=1 ;;
    cargo) read -r step_passed step_failed < <(sum '^test result: .* ([0-9]+) passed; ([0-9]+) failed;' "$log") ;;
    own) read -r step_passed step_failed < <(sum '^([0-9]+) passed, ([0-9]+) failed$' "$log") ;;
    node) read -r step_passed step_failed < <(sum '^# pass ([0-9]+)$' "$log" '^# fail ([0-9]+)$') ;;
  esac
  # A step that ends badly has failed, whatever it counted: it did not compile, or was cut off.
  if [ "$status" -ne 0 ] && [ "$step_failed" -eq 0 ]; then step_failed=1; fi
  # A suite without a single test is one that nobody ran.
  if [ "$status" -eq 0 ] && [ "$kind" != install ] && [ $((step_passed + step_failed)) -eq 0 ]; then step_failed=1; fi
}

# Prints two sums over a log: of a pattern's two groups, or of the only groups of two patterns.
sum() {
  local log=$2
  if [ $# -eq 2 ]; then
    sed -nE "s/$1.*/\1 \2/p" "$log" | awk '{ a += $1; b += $2 } END { print a + 0, b + 0 }'
  else
    printf '%s %s\n' "$(sed -nE "s/$1/\1/p" "$log" | awk '{ a += $1 } END { print a + 0 }')" \
      "$(sed -nE "s/$3/\1/p" "$log" | awk '{ a += $1 } END { print a + 0 }')"
  fi
}

report() {
  local kind=$1 log=$2 status=$3 seconds=$4 limit=$5 counted=
  [ "$kind" = install ] || counted="$step_passed passed"
  if [ "$step_failed" -eq 0 ]; then
    printf '%5d s  %s\n' "$seconds" "${counted:-ok}"
    return
  fi
  printf '%5d s  %s FAILED\n' "$seconds" "${counted:+$counted, }$step_failed"
  [ "$status" -ne 124 ] || printf '    cut off after %s minutes\n' "$limit"
  details "$kind" "$log" | sed 's/^/    /'
  printf '    whole log: %s\n' "${log#"$root"/}"
}

# The part of a log that says what failed.
details() {
  local kind=$1 log=$2 found=
  case $kind in
    cargo) found=$(sed -n '/^failures:$/,/^test result/p' "$log" | head -n 200) ;;
    node) found=$(awk '/^ *not ok/ { n = 30 } n-- > 0' "$log" | head -n 200) ;;
  esac
  [ -n "$found" ] || [ "$(wc -l <"$log")" -gt 80 ] || found=$(cat "$log")
  [ -n "$found" ] || found=$(grep -A 15 '^error' "$log" | head -n 120)
  [ -n "$found" ] || found=$(grep -A 15 '^warning' "$log" | head -n 120)
  [ -n "$found" ] || found=$(tail -n 60 "$log")
  printf '%s\n' "$found"
}

# The very last line, whatever way the script ends.
finish() {
  local status=$?
  trap - EXIT
  if [ -n "${running:-}" ]; then
    kill "$running" 2>/dev/null
    wait "$running" 2>/dev/null
  fi
  if [ "$status" -ne 0 ]; then
    failed=$((failed + 1))
    printf '\nended early with status %s\n' "$status"
  fi
  if [ "$number" -eq 0 ]; then
    failed=1
    echo 'no step has such a name'
  fi
  printf '%s minutes\n' "$(((SECONDS - started + 30) / 60))"
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ] || exit 1
}
