# Sourced by start and produce, after paths.sh: where PHP and SimpleSAMLphp are.

simplesamlphp() {
  local home=$work/simplesamlphp/usr/share/simplesamlphp
  [ -e "$home/lib/_autoload.php" ] || die "SimpleSAMLphp is missing: run ./test --setup"
  printf '%s\n' "$home"
}

php_program() {
  command -v php || die "PHP is missing: run ./test --setup"
}
