# Sourced by start.
base=dc=jit,dc=test
service=uid=jit,ou=services,$base

# AppArmor confines the installed program by its path; a copy may work anywhere.
server_program() {
  local program
  program=$(command -v slapd || echo /usr/sbin/slapd)
  [ -x "$program" ] || die "OpenLDAP is missing: run ./test --setup"
  if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
    cp "$program" "$1/slapd"
    program=$1/slapd
  fi
  printf '%s\n' "$program"
}

write_configuration() {
  local dir=$1
  rm -rf "$dir/db"
  mkdir -p "$dir/db"
  sed -e "s|@dir@|$dir|g" -e "s|@base@|$base|g" -e "s|@service@|$service|g" ${durable:+-e '/^envflags nosync$/d'} \
    ${forgetful:+-e '/^syncprov-sessionlog /d'} \
    ${refint_alone:+-e '/^overlay memberof$/d' -e '/^memberof-/d' -e 's/^index member,memberOf,/index /'} \
    ${unfollowed:+-e '/^overlay memberof$/d' -e '/^memberof-/d' -e '/^overlay refint$/d' -e '/^refint_/d' -e 's/^index member,memberOf,/index member,/'} \
    "$here/slapd.conf" >"$dir/slapd.conf"
  [ -z "$follow" ] || follow_it "$dir"
}

# Among the settings of the database, before its overlays.
follow_it() {
  local dir=$1 from="ldap://127.0.0.1:$follow"
  {
    printf 'syncrepl rid=1 provider=%s type=refreshAndPersist retry="1 +" searchbase="%s" ' "$from" "$base"
    printf 'bindmethod=simple binddn="cn=admin,%s" credentials=jit-administrator-password\nupdateref %s\n' "$base" "$from"
  } >"$dir/follow.conf"
  # whoever takes no changes lets nothing run out either, and slapd does not start with that overlay
  sed -i -e "/^limits /r $dir/follow.conf" -e '/^overlay dds$/d' -e '/^dds-/d' "$dir/slapd.conf"
}

# The end of what was there before is written down as the state that was reached.
wait_until_filled() {
  local program=$1 dir=$2
  for _ in {1..100}; do
    ! "$program" -T cat -f "$dir/slapd.conf" -b "$base" 2>/dev/null | grep -q '^contextCSN' || return 0
    sleep 0.1
  done
  die "nothing came from the server that it follows"
}

fill() {
  local program=$1 dir=$2
  sed -e "s|@base@|$base|g" -e "s|@service@|$service|g" "$here/entries.ldif" >"$dir/entries.ldif"
  [ -z "$refint_alone" ] || many_groups >>"$dir/entries.ldif"
  "$program" -T add -q -f "$dir/slapd.conf" -b "$base" -l "$dir/entries.ldif" >"$dir/fill.log" 2>&1 ||
    die "the entries were not taken: $(tail -n 3 "$dir/fill.log")"
}

# As the groups that refint looks through.
many_groups() {
  local number
  for number in {1..20000}; do
    printf '\ndn: cn=group-%s,ou=groups,%s\nobjectClass: groupOfNames\ncn: group-%s\nmember: cn=nobody,%s\n' \
      "$number" "$base" "$number" "$base"
  done
}

# One after the other: of two that try one port at a time, the second would take the first for itself. slapd takes fewer
# files than some machines allow: it sizes a table by their number.
launch() {
  local program=$1 dir=$2 port
  exec 9>"${TMPDIR:-/tmp}/jit-slapd.$UID.lock"
  flock 9
  for _ in {1..20}; do
    port=$((20000 + RANDOM % 12000))
    ! listens 127.0.0.1 "$port" && ! listens 127.0.0.1 $((port + 1)) || continue
    (
      ulimit -n 4096 2>/dev/null || true
      exec setpriv --pdeathsig "$([ -n "$lifeline" ] && echo TERM || echo clear)" \
        "$program" -d 0 -f "$dir/slapd.conf" -h "ldap://127.0.0.1:$port ldaps://127.0.0.1:$((port + 1))"
    ) </dev/null >"$dir/server.log" 2>&1 9>&- &
    printf '%s\n' "$!" >"$dir/pid"
    if wait_for 127.0.0.1 $((port + 1)) "$dir" slapd; then
      exec 9>&-
      printf '%s\n' "$port" >"$dir/port"
      return
    fi
    end_process "$dir" slapd
  done
  cat "$dir/server.log" >&2
  die "the server did not start"
}

ready_line() {
  local dir=$1 port
  port=$(<"$dir/port")
  printf '{"ready":true,"kind":"openldap","host":"localhost","ldap":%s,"ldaps":%s,"ca":"%s","pid":%s,"base":"%s",' \
    "$port" "$((port + 1))" "$dir/tls/ca.pem" "$(<"$dir/pid")" "$base"
  printf '"service":"%s","service_password":"jit-service-password"}\n' "$service"
}
