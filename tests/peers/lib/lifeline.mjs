// Ends this process when its parent goes: the parent holds the other end of our standard input,
// and the kernel closes it whatever way the parent dies.
export function endWithParent() {
  process.stdin.resume()
  process.stdin.on('end', () => process.exit(0))
  process.stdin.on('error', () => process.exit(0))
}
