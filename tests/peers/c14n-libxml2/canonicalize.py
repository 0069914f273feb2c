"""Canonicalizes with libxml2, through lxml."""

import base64
import copy
import sys

from lxml import etree

PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=False, strip_cdata=False)


def canonicalize(form, apex, omitted, prefixes, document):
    elements = list(etree.fromstring(base64.b64decode(document), PARSER).iter("*"))
    if omitted != "-":
        leave_out(elements[int(omitted)])
    exclusive = form == "exclusive"
    # A copy of the root stands alone, without the comments and instructions beside it.
    return etree.tostring(
        copy.deepcopy(elements[0]) if apex == "0" else elements[int(apex)],
        method="c14n",
        exclusive=exclusive,
        with_comments=False,
        with_tail=False,
        inclusive_ns_prefixes=None if prefixes == "-" else prefixes.split(","),
    )


def leave_out(element):
    """Removes an element and keeps the text behind it."""
    parent, before, tail = element.getparent(), element.getprevious(), element.tail or ""
    parent.remove(element)
    if before is None:
        parent.text = (parent.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail


for line in sys.stdin:
    try:
        answer = base64.b64encode(canonicalize(*line.split())).decode()
    except Exception as problem:  # noqa: BLE001  the test shows whatever it is
        answer = f"!{type(problem).__name__}: {problem}".replace("\n", " ")
    print(answer, flush=False)
