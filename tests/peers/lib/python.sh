# Sourced by the SAML peers in Python, after paths.sh: runs a program with what `./test --setup` installed.
run_python() {
  local python=$work/saml/bin/python
  [ -x "$python" ] || die "the SAML producers of Python are missing: run ./test --setup"
  PYTHONUTF8=1 PYTHONPATH=$root/tests/peers/lib exec "$python" -B "$@"
}
