"""Where the real server of these tests (Debian's 3.8.0, with the fix of CVE-2024-23944) and the
release that Paddock follows (3.9.5, less three defects) answer differently.

One row per difference: name, what java does, what paddock does, what it is about. A test asserts
the value for its target; nothing else in the suite asks which server it talks to.
"""

import types

ROWS = (
    ("event_has_txn_zxid", False, True, "header zxid of an event: -1, or its transaction's"),
    ("check_outside_multi", "served", "unknown", "opcode 13 as a request of its own"),
    ("watch_modes_coexist", False, True, "3.8: the last mode set on a path replaces others"),
    ("check_watches_sees_others", True, False, "3.8: checkWatches looks at all connections"),
    ("check_watches_of_relative_path", -5, -121, "3.8: checkWatches walks up the path"),
    ("watch_types_4_and_5", False, True, "3.8: removeWatches knows types 1 to 3 only"),
    ("create2_type_in_multi", 1, 15, "3.8.0: create2 inside multi is treated as create"),
    ("bad_flags_in_multi", "sub-op -8", "whole -5", "3.8.0: only the sub-operation fails"),
    ("malformed_write_takes_zxid", True, False, "3.8: logged as an error transaction"),
    ("delete_container", "served", "unknown", "3.8: raw body is the path; Paddock refuses"),
    ("create_session", "served", "unknown", "opcode -10 from a client"),
    ("ipv6_in_acl", False, True, "3.8: any IPv6 text is an invalid ACL"),
    ("exists_needs_read", False, True, "READ permission for exists"),
    ("write_behind_set_acl", (0, -102), (-102,), "a write that overtakes a pending setACL"),
    ("poison_ttl_kills", True, False, "createTTL with plain flags and a negative ttl"),
)


def expected(target):
    column = {"java": 1, "paddock": 2}[target]
    return types.SimpleNamespace(**{row[0]: row[column] for row in ROWS})
