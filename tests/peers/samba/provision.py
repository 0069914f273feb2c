"""Makes the domain that the tests use: provision.py FOLDER REALM, with its smb.conf in SMB_CONF.

Calls what `samba-tool domain provision` calls, without the access lists of the file system, which need extended
attributes that a container may not have; nothing here serves files.
"""

import logging
import os
import sys

sys.dont_write_bytecode = True

from samba import dsdb
from samba.auth import system_session
from samba.param import LoadParm
from samba.provision import FILL_FULL, provision
from samba.samdb import SamDB
from samba.sd_utils import SDUtils
import ldb

HALF_AN_HOUR = str(-30 * 60 * 10**7)
# Complexity and history stay on, as in a real domain. Five failures lock an account.
POLICY = {
    "minPwdLength": "12",
    "minPwdAge": "0",
    "lockoutThreshold": "5",
    "lockoutDuration": HALF_AN_HOUR,
    "lockOutObservationWindow": HALF_AN_HOUR,
}
# Identifiers of classes and attributes in the schema, as access lists name them.
USER = "bf967aba-0de6-11d0-a285-00aa003049e2"
GROUP = "bf967a9c-0de6-11d0-a285-00aa003049e2"
MEMBER = "bf9679c0-0de6-11d0-a285-00aa003049e2"


def main(folder, realm):
    configuration = os.environ["SMB_CONF"]
    parameters = LoadParm()
    parameters.load(configuration)
    make(configuration, parameters, realm)
    database = os.path.join(folder, "private", "sam.ldb")
    sam = SamDB(url=database, session_info=system_session(), lp=parameters)
    set_policy(sam)
    fill(sam, realm)
    delegate(sam)


def make(configuration, parameters, realm):
    log = logging.getLogger("provision")
    log.addHandler(logging.StreamHandler(sys.stderr))
    log.setLevel(logging.WARNING)
    provision(
        log, system_session(), smbconf=configuration, targetdir=None, samdb_fill=FILL_FULL, realm=realm.upper(),
        domain="JIT", hostname="dc1", hostip="127.0.0.1", adminpass="Adm1nistrator-Passw0rd", dns_backend="NONE",
        serverrole="active directory domain controller", dom_for_fun_level=dsdb.DS_DOMAIN_FUNCTION_2008_R2,
        useeadb=True, use_rfc2307=True, skip_sysvolacl=True, lp=parameters, plaintext_secrets=False,
    )


def set_policy(sam):
    message = ldb.Message(ldb.Dn(sam, sam.domain_dn()))
    for name, value in POLICY.items():
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    sam.modify(message)


def fill(sam, realm):
    for unit in ("JIT", "Groups", "Services", "People"):
        sam.add({"dn": f"OU={unit},{sam.domain_dn()}", "objectClass": "organizationalUnit"})
    for group in ("ops", "staff", "everybody"):
        sam.newgroup(group, groupou="OU=Groups")
    sam.newuser("jit", "Jit-Service-Passw0rd", userou="OU=Services")
    for person in ("alice", "bob"):
        sam.newuser(person, f"{person.capitalize()}-Passw0rd-1", userou="OU=People", mailaddress=f"{person}@{realm}")
    sam.add_remove_group_members("staff", ["alice"], add_members_operation=True)
    sam.add_remove_group_members("everybody", ["staff"], add_members_operation=True)


def delegate(sam):
    """The least that temporary accounts need: users below OU=JIT, and who is a member of the groups."""
    found = sam.search(sam.domain_dn(), expression="(sAMAccountName=jit)", attrs=["objectSid"])
    service = sam.schema_format_value("objectSid", found[0]["objectSid"][0]).decode()
    lists = SDUtils(sam)
    jit, groups = f"OU=JIT,{sam.domain_dn()}", f"OU=Groups,{sam.domain_dn()}"
    lists.dacl_add_ace(jit, f"(OA;CI;CCDC;{USER};;{service})")
    lists.dacl_add_ace(jit, f"(OA;CIIO;GA;;{USER};{service})")
    lists.dacl_add_ace(groups, f"(OA;CIIO;RPWP;{MEMBER};{GROUP};{service})")
    for group in ("ops", "staff"):
        lists.dacl_add_ace(f"CN={group},{groups}", f"(OA;;RPWP;{MEMBER};;{service})")


if __name__ == "__main__":
    main(*sys.argv[1:])
