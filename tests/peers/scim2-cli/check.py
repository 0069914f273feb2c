"""scim2-tester's checks of a server, as JSON.

    SCIM_TOKEN=… check.py BASE [RESOURCE-TYPE…]

A line is {"status": "SUCCESS", "check": …, "of": resource type or null, "reason": …}. The server should be empty: the
tester looks for what it made on the first page. Exits with 1 unless every check ended in SUCCESS.
"""

import json
import os
import sys

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server


def main():
    base, *resource_types = sys.argv[1:]
    headers = {"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}"}
    with httpx2.Client(base_url=base, headers=headers, timeout=60) as http:
        results = check_server(SyncSCIMClient(http), resource_types=resource_types or None)
    for result in results:
        line = {"status": result.status.name, "check": result.title, "of": result.resource_type, "reason": result.reason}
        print(json.dumps(line))
    sys.exit(any(result.status is not Status.SUCCESS for result in results))


main()
