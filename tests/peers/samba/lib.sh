# Sourced by start and stop.
realm=jit.test
base=DC=jit,DC=test
program=$(command -v samba || echo /usr/sbin/samba)
# Paths of sockets are short, and those of a checkout may not be.
data_home=/var/tmp

# write_configuration DATA ADDRESS
write_configuration() {
  cat >"$1/smb.conf" <<CONF
[global]
  workgroup = JIT
  realm = ${realm^^}
  netbios name = DC1
  server role = active directory domain controller
  server services = ldap
  interfaces = $2/8
  bind interfaces only = yes
  private dir = $1/private
  state directory = $1/state
  lock directory = $1/state
  cache directory = $1/cache
  pid directory = $1/run
  ncalrpc dir = $1/ncalrpc
  binddns dir = $1/dns
  log file = $1/log
  log level = 0
  tls cafile = $1/tls/ca.pem
  tls certfile = $1/tls/server.pem
  tls keyfile = $1/tls/server.key
  idmap_ldb:use rfc2307 = yes
  xattr_tdb:file = $1/state/xattr.tdb
  posix:eadb = $1/private/eadb.tdb
  ldb:nosync = yes
[sysvol]
  path = $1/state/sysvol
  read only = no
[netlogon]
  path = $1/state/sysvol/$realm/scripts
  read only = no
CONF
}

# Makes the domain once; others who come meanwhile wait.
make_domain() {
  local template=$1 stamp
  stamp=$(cat "$here/provision.py" "$here/lib.sh" | sha256sum)
  mkdir -p "$work"
  (
    flock 9
    [ "$(cat "$template/stamp" 2>/dev/null)" != "$stamp" ] || exit 0
    rm -rf "$template"
    mkdir -p "$template"/{private,state,cache,run,ncalrpc,dns}
    write_configuration "$template" 127.0.0.1
    SMB_CONF=$template/smb.conf /usr/bin/python3 "$here/provision.py" "$template" "$realm" >"$template/provision.log" 2>&1 ||
      die "the domain was not made: $(tail -n 3 "$template/provision.log")"
    printf '%s\n' "$stamp" >"$template/stamp"
  ) 9>"$template.lock"
}

copy_domain() {
  local template=$1 dir=$2 data
  remove_leftovers
  data=$(mktemp -d "$data_home/jit-samba.XXXXXX")
  printf '%s\n' "$data" >"$dir/data"
  cp -a --sparse=always "$template/." "$data"
  rm -rf "$data"/run/*
  chmod 700 "$data/private" "$data/ncalrpc"
}

# The address is somebody else's if they are quicker: then another one is tried.
launch() {
  local dir=$1 data address
  data=$(<"$dir/data")
  for _ in 1 2 3 4 5; do
    address=127.$((64 + RANDOM % 128)).$((RANDOM % 256)).$((1 + RANDOM % 254))
    ! listens "$address" 636 || continue
    make_certificates "$data/tls" "$address"
    write_configuration "$data" "$address"
    (
      exec setpriv --pdeathsig "$([ -n "$lifeline" ] && echo TERM || echo clear)" \
        "$program" -F --no-process-group -M single -s "$data/smb.conf" --debug-stdout
    ) </dev/null >"$dir/server.log" 2>&1 &
    printf '%s\n' "$!" >"$dir/pid"
    sleep 0.1
    if wait_for "$address" 636 "$dir" samba; then
      printf '%s\n' "$address" >"$dir/address"
      return
    fi
  done
  tail -n 5 "$dir/server.log" >&2
  die "the server did not start"
}

ready_line() {
  local dir=$1
  printf '{"ready":true,"kind":"active_directory","host":"%s","ldap":389,"ldaps":636,"ca":"%s","pid":%s,"base":"%s",' \
    "$(<"$dir/address")" "$(<"$dir/data")/tls/ca.pem" "$(<"$dir/pid")" "$base"
  printf '"service":"jit@%s","service_password":"Jit-Service-Passw0rd"}\n' "$realm"
}

end_server() {
  local dir=$1
  end_process "$dir" samba
  case $(cat "$dir/data" 2>/dev/null) in
    "$data_home"/jit-samba.*) rm -rf -- "$(<"$dir/data")" ;;
  esac
  rm -f "$dir/data" "$dir/address"
}

# A start that was killed leaves its folder: old ones without a server are removed.
remove_leftovers() {
  local data
  for data in $(find "$data_home" -maxdepth 1 -name 'jit-samba.*' -mmin +120 2>/dev/null); do
    pgrep -f -- "-s $data/smb.conf" >/dev/null || rm -rf -- "$data"
  done
}
