//! What `--help` says.

/// How to call the program.
pub(in crate::checkout) const USAGE: &str = "\
usage: checkout --config FILE [--json] COMMAND

  out --for USER --target T --role R --ttl SPAN [--key K] [--reason TEXT] [--secret-file F]
                       lend an account in T to USER; prints its name and, once, its secret
                       for a role that elevates: lends what the role holds to an account that USER
                       has there, named with --account NAME unless the configuration does
  in LEASE             end a lease now
  in LEASE --gone-for-good --reason TEXT
                       take your word that its target, which is not configured, is gone for good
  extend LEASE --ttl SPAN
                       let a lease end so long from now
  list [--for USER] [--target T]
                       show the leases that may still be in a target
  sweep                do everything that is due, once: ends, retries, looks
  reconcile [--target T] [--apply [--at-most N]]
                       compare targets with what is written down; end what returned (10 at most)
  alarms [--since SPAN]
                       show what needed a person, the latest first (of the last 7 days)
  exposure             tell for each lease who ends it if nobody of ours ever runs again, and when
  person add NAME [--role R]...
                       make an account for somebody who checks out, or give more roles to one
  person end NAME      end an account, and with it whatever is lent to it
  person release NAME|ACCOUNT
                       free the name and the identities of an ended account: whoever comes with them is somebody new
  person leaving [--connection C]
                       show whose leave waits for your word, since too many left at once
  person confirm-leave NAME|ACCOUNT [--seen SEEN]..., person confirm-leave --all --connection C [--at-most N]
                       let them leave: one, or all of a connection unless they are more than N (10); with what `leaving`
                       shows under SEEN, nothing else is decided, and nothing at all where that changed
  person dismiss-leave NAME|ACCOUNT [--seen SEEN]..., person dismiss-leave --all --connection C [--at-most N]
                       let them stay, until their source says again that they leave
  mirror parked [--target T]
                       show whose stop in T waits for you to allow it, and whom T refused
  mirror drift [--target T]
                       show how far it is with looking for what others changed in T, and what the last round found
  mirror forecast --target T
                       tell what would be brought to T; asks and writes nothing
  mirror allow --target T --count N
                       let N more be stopped in T, now and in the next span
  mirror anew --target T
                       have every account brought to T anew, by the next `sweep`
  mirror let-go --target T --for USER
                       forget which account of T was USER's, after T refused it: it is looked for, or made anew
  confirm-time         take your word that the clock is right, after it jumped

  --config FILE        the configuration
  --json               one JSON object a line
  --by NAME            who acts, for the audit trail; `checkout` unless said otherwise
  --key K              the same request again: the same account, with a new secret
  --secret-file F      write the secret to this new file instead of standard output
  --help, --version    show this text, or the version

SPAN is written 30m, 8h or 1h30m. Exit status: 0 done, 1 refused or differing, 2 bad usage or configuration,
3 a store or a target failed, or it was interrupted: what was begun is ended by `sweep`.
";
