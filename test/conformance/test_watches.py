"""Which watches fire, in which order, with which header (docs/protocol.md, "Watches")."""

import pytest

from pylib.zkwire import *

from .util import below, kinds, pipeline, reattach

NOBODY = [Acl(ALL & ~READ, "world", "anyone")]


def add_watch(client, path, mode):
    reply = client.ok(ADD_WATCH, add_watch_request(path, mode))
    assert parse_int(reply.body) == 0


def arrivals_of(client, op, body):
    """What came, from the request's sending to its reply: (type, path) of events, then the reply."""
    client.take_events()
    start = len(client.arrivals)
    client.call(op, body)
    client.events.clear()
    return [
        (a.type, a.path) if isinstance(a, Event) else a.err for a in client.arrivals[start:]
    ]


def test_own_create_gives_created_children_changed_then_the_reply(client, path):
    client.exists(path + "/n", watch=True)
    client.get_children(path, watch=True)
    assert arrivals_of(client, CREATE, create_request(path + "/n")) == [
        (NODE_CREATED, path + "/n"),
        (NODE_CHILDREN_CHANGED, path),
        OK,
    ]


def test_own_delete_gives_deleted_children_changed_then_the_reply(client, path):
    client.create(path + "/n")
    client.get_data(path + "/n", watch=True)
    client.get_children(path, watch=True)
    assert arrivals_of(client, DELETE, delete_request(path + "/n")) == [
        (NODE_DELETED, path + "/n"),
        (NODE_CHILDREN_CHANGED, path),
        OK,
    ]


def test_data_and_child_watch_on_a_deleted_node_give_one_event(client, path):
    client.create(path + "/n")
    client.get_data(path + "/n", watch=True)
    client.get_children(path + "/n", watch=True)
    client.delete(path + "/n")
    assert kinds(client.take_events()) == [(NODE_DELETED, path + "/n")]
    client.create(path + "/n")
    client.delete(path + "/n")
    assert client.take_events() == [], "both watches are spent"


def test_a_child_watch_alone_tells_of_the_nodes_deletion(client, path):
    client.create(path + "/n")
    client.get_children(path + "/n", watch=True)
    client.delete(path + "/n")
    assert kinds(client.take_events()) == [(NODE_DELETED, path + "/n")]


def test_a_one_shot_watch_fires_once(client, path):
    client.get_data(path, watch=True)
    client.set_data(path)
    client.set_data(path)
    assert kinds(client.take_events()) == [(NODE_DATA_CHANGED, path)]


def test_an_event_carries_the_zxid_of_its_transaction(connect, client, path, release):
    watcher = connect()
    watcher.get_data(path, watch=True)
    zxid = client.ok(SET_DATA, set_data_request(path, b"x")).zxid
    event = watcher.wait_event()
    assert (event.err, event.state) == (OK, SYNC_CONNECTED)
    assert event.zxid == (zxid if release.event_has_txn_zxid else -1)


def test_children_changed_of_a_top_level_node_reports_the_root(client):
    client.get_children("/", watch=True)
    node = client.create("/t105-top")
    client.delete(node)
    assert kinds([e for e in client.take_events()]) == [(NODE_CHILDREN_CHANGED, "/")]


def test_a_persistent_watch_sees_its_node_and_the_coming_and_going_of_children(client, path):
    node = path + "/n"
    add_watch(client, node, MODE_PERSISTENT)
    client.create(node)
    client.set_data(node)
    client.create(node + "/c")
    client.set_data(node + "/c")
    client.create(node + "/c/d")
    client.delete(node + "/c/d")
    client.delete(node + "/c")
    client.delete(node)
    client.create(node)
    assert kinds(client.take_events()) == [
        (NODE_CREATED, node),
        (NODE_DATA_CHANGED, node),
        (NODE_CHILDREN_CHANGED, node),
        (NODE_CHILDREN_CHANGED, node),
        (NODE_DELETED, node),
        (NODE_CREATED, node),
    ]


def test_a_recursive_watch_sees_every_depth_and_never_children_changed(client, path):
    add_watch(client, path, MODE_PERSISTENT_RECURSIVE)
    client.create(path + "/c")
    client.create(path + "/c/d")
    client.set_data(path + "/c/d")
    client.set_data(path)
    client.ok(SET_ACL, set_acl_request(path + "/c"))
    client.delete(path + "/c/d")
    client.delete(path + "/c")
    client.delete(path)
    assert kinds(client.take_events()) == [
        (NODE_CREATED, path + "/c"),
        (NODE_CREATED, path + "/c/d"),
        (NODE_DATA_CHANGED, path + "/c/d"),
        (NODE_DATA_CHANGED, path),
        (NODE_DELETED, path + "/c/d"),
        (NODE_DELETED, path + "/c"),
        (NODE_DELETED, path),
    ]


def test_a_recursive_watch_does_not_see_siblings_with_the_same_beginning(client, path):
    add_watch(client, path + "/a", MODE_PERSISTENT_RECURSIVE)
    client.create(path + "/ab")
    client.create(path + "/ab/c")
    client.create(path + "/a")
    assert kinds(client.take_events()) == [(NODE_CREATED, path + "/a")]


def test_a_persistent_and_a_recursive_watch_on_one_path_both_fire(client, path, release):
    add_watch(client, path, MODE_PERSISTENT)
    add_watch(client, path, MODE_PERSISTENT_RECURSIVE)
    client.set_data(path)
    client.create(path + "/c")
    events = [(NODE_DATA_CHANGED, path), (NODE_CREATED, path + "/c")]
    if release.watch_modes_coexist:
        events.append((NODE_CHILDREN_CHANGED, path))
    assert kinds(client.take_events()) == events


def test_a_get_data_watch_leaves_a_persistent_watch_in_place(client, path, release):
    add_watch(client, path, MODE_PERSISTENT)
    client.get_data(path, watch=True)
    for _ in range(3):
        client.set_data(path)
    # 3.8: the one-shot watch takes the persistent one's place.
    times = 3 if release.watch_modes_coexist else 1
    assert kinds(client.take_events()) == [(NODE_DATA_CHANGED, path)] * times


def test_a_recursive_watch_on_the_root_sees_all_paths(client, path):
    add_watch(client, "/", MODE_PERSISTENT_RECURSIVE)
    client.create(path + "/c")
    client.delete(path + "/c")
    client.delete(path)
    assert kinds(below(client.take_events(), path)) == [
        (NODE_CREATED, path + "/c"),
        (NODE_DELETED, path + "/c"),
        (NODE_DELETED, path),
    ]


def test_registering_twice_gives_one_event(client, path):
    client.get_data(path, watch=True)
    client.exists(path, watch=True)
    client.get_children(path, watch=True)
    client.ok(GET_CHILDREN2, get_children2_request(path, True))
    client.set_data(path)
    client.create(path + "/c")
    assert kinds(client.take_events()) == [(NODE_DATA_CHANGED, path), (NODE_CHILDREN_CHANGED, path)]


def test_several_matching_watches_of_a_connection_give_one_event(client, path):
    node = client.create(path + "/n")
    for above in ("/", path, node):
        add_watch(client, above, MODE_PERSISTENT_RECURSIVE)
    client.set_data(node)
    assert kinds(below(client.take_events(), path)) == [(NODE_DATA_CHANGED, node)]


def test_multi_gives_the_events_of_each_sub_operation_in_order(client, path):
    client.exists(path + "/q1", watch=True)
    client.exists(path + "/q2", watch=True)
    client.get_children(path, watch=True)
    client.get_data(path, watch=True)
    body = multi_request(
        (CREATE, create_request(path + "/q1")),
        (CREATE, create_request(path + "/q2")),
        (SET_DATA, set_data_request(path, b"x")),
    )
    assert arrivals_of(client, MULTI, body) == [
        (NODE_CREATED, path + "/q1"),
        (NODE_CHILDREN_CHANGED, path),
        (NODE_CREATED, path + "/q2"),
        (NODE_DATA_CHANGED, path),
        OK,
    ]


def test_a_failed_write_and_a_failed_multi_fire_nothing(client, path):
    add_watch(client, path, MODE_PERSISTENT_RECURSIVE)
    client.get_children(path, watch=True)
    client.call(SET_DATA, set_data_request(path, b"", 9))
    client.call(CREATE, create_request(path))
    client.ok(
        MULTI,
        multi_request(
            (CREATE, create_request(path + "/a")), (DELETE, delete_request(path + "/missing"))
        ),
    )
    client.multi((CHECK, check_version_request(path, 0)))
    assert client.take_events() == []


def test_closing_a_session_tells_of_each_of_its_ephemerals(connect, client, path, release):
    other = connect()
    for name in ("/e1", "/e2"):
        other.create(path + name, flags=EPHEMERAL)
        client.exists(path + name, watch=True)
    client.get_children(path, watch=True)
    zxid = other.close_session().zxid
    events = client.take_events()
    assert sorted(kinds(events)) == [
        (NODE_DELETED, path + "/e1"),
        (NODE_DELETED, path + "/e2"),
        (NODE_CHILDREN_CHANGED, path),
    ]
    assert {e.zxid for e in events} == {zxid if release.event_has_txn_zxid else -1}
    assert kinds(events)[1] == (NODE_CHILDREN_CHANGED, path), "after the first deletion"


def test_an_event_of_an_unreadable_node_is_not_delivered_and_its_watch_is_spent(client, path):
    client.create(path + "/n")
    client.get_data(path + "/n", watch=True)
    client.ok(SET_ACL, set_acl_request(path + "/n", NOBODY))
    client.set_data(path + "/n")
    assert client.take_events() == []
    client.ok(SET_ACL, set_acl_request(path + "/n", OPEN_ACL))
    client.set_data(path + "/n")
    assert client.take_events() == []


def test_created_and_deleted_events_ask_the_acl_of_the_node_itself(connect, client, path):
    watcher = connect()
    add_watch(watcher, path, MODE_PERSISTENT_RECURSIVE)
    client.create(path + "/hidden", acls=NOBODY)
    client.delete(path + "/hidden")
    client.create(path + "/seen")
    assert kinds(watcher.take_events()) == [(NODE_CREATED, path + "/seen")]


def test_children_changed_asks_the_acl_of_the_parent(connect, client, path):
    parent = client.create(path + "/p")
    watcher = connect()
    watcher.get_children(parent, watch=True)
    client.ok(SET_ACL, set_acl_request(parent, NOBODY))
    client.create(parent + "/c")
    assert watcher.take_events() == []
    client.ok(SET_ACL, set_acl_request(parent, OPEN_ACL))
    watcher.get_children(parent, watch=True)
    client.create(parent + "/hidden", acls=NOBODY)
    assert kinds(watcher.take_events()) == [(NODE_CHILDREN_CHANGED, parent)]


def test_an_event_is_filtered_by_the_identities_of_its_moment(client, path):
    owner = [Acl(READ, "digest", digest_id(b"own:er"))]
    watched = client.create(path + "/n")
    client.get_data(watched, watch=True)
    client.ok(SET_ACL, set_acl_request(watched, owner + NOBODY))
    client.auth("digest", b"own:er")
    client.set_data(watched)
    assert kinds(client.take_events()) == [(NODE_DATA_CHANGED, watched)]


# -- setWatches


def test_set_watches_compares_mzxid_with_the_relative_zxid(client, path):
    mzxid = client.set_data(path, b"x").mzxid
    body = set_watches_request(mzxid - 1, data=[path])
    assert arrivals_of(client, SET_WATCHES, body) == [(NODE_DATA_CHANGED, path), OK]
    client.set_data(path, b"y")
    assert client.take_events() == [], "a watch that fired at once is not set"
    mzxid = client.exists(path).mzxid
    assert arrivals_of(client, SET_WATCHES, set_watches_request(mzxid, data=[path])) == [OK]
    client.set_data(path, b"z")
    assert kinds(client.take_events()) == [(NODE_DATA_CHANGED, path)]


def test_set_watches_catches_up_with_each_list(client, path):
    client.create(path + "/there")
    child = client.exists(path).pzxid
    body = set_watches_request(
        child - 1,
        data=[path + "/missing"],
        exist=[path + "/there", path + "/later"],
        child=[path, path + "/missing"],
    )
    assert arrivals_of(client, SET_WATCHES, body) == [
        (NODE_DELETED, path + "/missing"),
        (NODE_CREATED, path + "/there"),
        (NODE_CHILDREN_CHANGED, path),
        (NODE_DELETED, path + "/missing"),
        OK,
    ]
    client.create(path + "/later")
    assert kinds(client.take_events()) == [(NODE_CREATED, path + "/later")]
    body = set_watches_request(client.exists(path).pzxid, child=[path])
    assert arrivals_of(client, SET_WATCHES, body) == [OK]
    client.create(path + "/c")
    assert kinds(client.take_events()) == [(NODE_CHILDREN_CHANGED, path)]


def test_an_exist_watch_on_an_existing_node_fires_whatever_the_zxids(client, path):
    now = client.ping().zxid
    body = set_watches_request(now, exist=[path])
    assert arrivals_of(client, SET_WATCHES, body) == [(NODE_CREATED, path), OK]


def test_a_node_deleted_and_made_again_catches_up_as_changed(client, path):
    client.create(path + "/n")
    zxid = client.ping().zxid
    client.delete(path + "/n")
    client.create(path + "/n")
    body = set_watches_request(zxid, data=[path + "/n"])
    assert arrivals_of(client, SET_WATCHES, body) == [(NODE_DATA_CHANGED, path + "/n"), OK]


@pytest.mark.parametrize("op", [SET_WATCHES, SET_WATCHES2])
@pytest.mark.parametrize("xid", [XID_SET_WATCHES, 12, 0])
def test_catch_up_events_carry_zxid_minus_1_and_the_reply_its_xid(client, path, op, xid):
    encode = set_watches_request if op == SET_WATCHES else set_watches2_request
    reply = client.call(op, encode(0, data=[path], child=[path]), xid=xid)
    assert (reply.xid, reply.err, reply.body) == (xid, OK, b"")
    assert [(e.zxid, e.err, e.state) for e in client.events] == [(-1, OK, SYNC_CONNECTED)] * 2


def test_set_watches_with_a_null_vector_answers_marshalling_error(client, path):
    for lists in ((None, [], []), ([], None, []), ([], [], None)):
        assert client.call(SET_WATCHES, set_watches_request(0, *lists)).err == MARSHALLING_ERROR
    for n in range(5):
        lists = [[], [], [], [], []]
        lists[n] = None
        assert client.call(SET_WATCHES2, set_watches2_request(0, *lists)).err == MARSHALLING_ERROR


def test_set_watches2_registers_persistent_and_recursive_without_events(client, path):
    client.create(path + "/p")
    client.create(path + "/r")
    body = set_watches2_request(0, persistent=[path + "/p"], persistent_recursive=[path + "/r"])
    assert arrivals_of(client, SET_WATCHES2, body) == [OK]
    for _ in range(2):
        client.set_data(path + "/p")
    client.create(path + "/p/c")
    client.create(path + "/r/c")
    client.create(path + "/r/c/d")
    assert kinds(client.take_events()) == [
        (NODE_DATA_CHANGED, path + "/p"),
        (NODE_DATA_CHANGED, path + "/p"),
        (NODE_CHILDREN_CHANGED, path + "/p"),
        (NODE_CREATED, path + "/r/c"),
        (NODE_CREATED, path + "/r/c/d"),
    ]


def test_set_watches_needs_no_permission_and_is_not_filtered(client, path):
    client.create(path + "/n", acls=NOBODY)
    body = set_watches_request(0, data=[path + "/n"])
    assert arrivals_of(client, SET_WATCHES, body) == [(NODE_DATA_CHANGED, path + "/n"), OK]


def test_a_whole_reconnection_loses_no_change(server, connect, client, path):
    """What a client does: reattach, tell the last zxid and the watches, and miss nothing."""
    for name in ("/changed", "/deleted", "/still"):
        client.create(path + name)
    first = connect()
    for name in ("/changed", "/deleted", "/still"):
        first.get_data(path + name, watch=True)
    first.exists(path + "/made", watch=True)
    seen = first.exists(path).pzxid
    first.disconnect()
    client.set_data(path + "/changed", b"x")
    client.delete(path + "/deleted")
    client.create(path + "/made")
    again = reattach(server, first)
    again.call(
        SET_WATCHES,
        set_watches_request(
            seen,
            data=[path + n for n in ("/changed", "/deleted", "/still")],
            exist=[path + "/made"],
        ),
        xid=XID_SET_WATCHES,
    )
    assert kinds(again.take_events()) == [
        (NODE_DATA_CHANGED, path + "/changed"),
        (NODE_DELETED, path + "/deleted"),
        (NODE_CREATED, path + "/made"),
    ]
    client.set_data(path + "/still", b"x")
    assert kinds(again.take_events()) == [(NODE_DATA_CHANGED, path + "/still")]


# -- addWatch, checkWatches, removeWatches


def test_add_watch_takes_modes_0_and_1_on_any_path(client, path):
    for mode in (2, -1, 3, 2147483647):
        reply = client.call(ADD_WATCH, add_watch_request(path, mode))
        assert (reply.err, reply.body) == (MARSHALLING_ERROR, b"")
    for odd in (path, path + "/missing", "relative", "", "/a//b"):
        for mode in (MODE_PERSISTENT, MODE_PERSISTENT_RECURSIVE):
            assert client.ok(ADD_WATCH, add_watch_request(odd, mode)).body == int32(0)


def watch_err(client, op, path, kind):
    reply = client.call(op, watches_request(path, kind))
    assert reply.body == b""
    return reply.err


def set_every_watch(client, path):
    client.get_data(path, watch=True)
    client.get_children(path, watch=True)
    add_watch(client, path, MODE_PERSISTENT)
    add_watch(client, path, MODE_PERSISTENT_RECURSIVE)


def test_remove_watches_type_1_and_2_leave_persistent_watches(client, path, release):
    add_watch(client, path, MODE_PERSISTENT)
    if not release.watch_modes_coexist:
        # 3.8: any mode in the child table, any in the data table.
        assert watch_err(client, REMOVE_WATCHES, path, WATCH_CHILDREN) == OK
        assert watch_err(client, REMOVE_WATCHES, path, WATCH_CHILDREN) == NO_WATCHER
        assert watch_err(client, REMOVE_WATCHES, path, WATCH_DATA) == OK
        return
    for kind in (WATCH_CHILDREN, WATCH_DATA):
        assert watch_err(client, REMOVE_WATCHES, path, kind) == NO_WATCHER
    client.get_data(path, watch=True)
    client.get_children(path, watch=True)
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_DATA) == OK
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_CHILDREN) == OK
    client.set_data(path)
    client.create(path + "/c")
    assert kinds(client.take_events()) == [(NODE_DATA_CHANGED, path), (NODE_CHILDREN_CHANGED, path)]


def test_remove_watches_type_4_and_5_remove_their_mode_only(client, path, release):
    set_every_watch(client, path)
    if not release.watch_types_4_and_5:
        for kind in (WATCH_PERSISTENT, WATCH_RECURSIVE):
            assert watch_err(client, REMOVE_WATCHES, path, kind) == MARSHALLING_ERROR
        return
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_PERSISTENT) == OK
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_PERSISTENT) == NO_WATCHER
    for kind in (WATCH_DATA, WATCH_CHILDREN, WATCH_RECURSIVE):
        assert watch_err(client, CHECK_WATCHES, path, kind) == OK
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_RECURSIVE) == OK
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_RECURSIVE) == NO_WATCHER
    for kind in (WATCH_DATA, WATCH_CHILDREN):
        assert watch_err(client, CHECK_WATCHES, path, kind) == OK
    client.set_data(path)
    client.set_data(path)
    assert kinds(client.take_events()) == [(NODE_DATA_CHANGED, path)]


def test_remove_watches_type_3_removes_everything(client, path):
    set_every_watch(client, path)
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_ANY) == OK
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_ANY) == NO_WATCHER
    client.set_data(path)
    client.create(path + "/c")
    client.delete(path + "/c")
    client.delete(path)
    assert client.take_events() == []


def test_one_shot_watches_are_removed_by_their_table(client, path):
    client.get_data(path, watch=True)
    client.get_children(path, watch=True)
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_DATA) == OK
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_DATA) == NO_WATCHER
    client.set_data(path)
    client.create(path + "/c")
    assert kinds(client.take_events()) == [(NODE_CHILDREN_CHANGED, path)]


@pytest.mark.parametrize("op", [REMOVE_WATCHES, CHECK_WATCHES])
@pytest.mark.parametrize("kind", [0, 6, 9, -1])
def test_unknown_watch_types_answer_marshalling_error(client, path, op, kind):
    client.get_data(path, watch=True)
    assert watch_err(client, op, path, kind) == MARSHALLING_ERROR


def test_another_connections_watch_is_not_the_callers(connect, client, path, release):
    connect().get_data(path, watch=True)
    assert watch_err(client, REMOVE_WATCHES, path, WATCH_DATA) == NO_WATCHER
    # real server: 3.8.0's checkWatches finds the watches of every connection.
    assert watch_err(client, CHECK_WATCHES, path, WATCH_DATA) == (
        OK if release.check_watches_sees_others else NO_WATCHER
    )


def test_absent_watches_answer_no_watcher_on_any_path(client, path, release):
    for kind in (WATCH_CHILDREN, WATCH_DATA, WATCH_ANY):
        for odd in ("", path, path + "/missing"):
            for op in (REMOVE_WATCHES, CHECK_WATCHES):
                assert watch_err(client, op, odd, kind) == NO_WATCHER
        assert watch_err(client, REMOVE_WATCHES, "relative", kind) == NO_WATCHER
        # real server: 3.8.0's checkWatches walks up the path and stumbles.
        err = watch_err(client, CHECK_WATCHES, "relative", kind)
        assert err == release.check_watches_of_relative_path


def test_a_recursive_watch_above_is_no_watch_on_a_path_below(client, path):
    add_watch(client, path, MODE_PERSISTENT_RECURSIVE)
    for odd in (path + "/missing", path + "/far/below"):
        for kind in (WATCH_CHILDREN, WATCH_DATA, WATCH_ANY):
            for op in (REMOVE_WATCHES, CHECK_WATCHES):
                assert watch_err(client, op, odd, kind) == NO_WATCHER


def test_check_watches_changes_nothing(client, path, release):
    client.get_data(path, watch=True)
    for _ in range(2):
        assert watch_err(client, CHECK_WATCHES, path, WATCH_DATA) == OK
        assert watch_err(client, CHECK_WATCHES, path, WATCH_ANY) == OK
        assert watch_err(client, CHECK_WATCHES, path, WATCH_CHILDREN) == NO_WATCHER
        for kind in (WATCH_PERSISTENT, WATCH_RECURSIVE):
            assert watch_err(client, CHECK_WATCHES, path, kind) == (
                NO_WATCHER if release.watch_types_4_and_5 else MARSHALLING_ERROR
            )
    client.set_data(path)
    assert kinds(client.take_events()) == [(NODE_DATA_CHANGED, path)]


def test_watches_vanish_with_their_connection(server, connect, client, path):
    first = connect()
    set_every_watch(first, path)
    first.disconnect()
    again = reattach(server, first)
    client.set_data(path)
    client.create(path + "/c")
    assert again.take_events() == []
    assert watch_err(again, CHECK_WATCHES, path, WATCH_ANY) == NO_WATCHER


# -- order


def test_a_read_with_watch_never_gets_the_event_of_what_it_returned(connect, client, path):
    writer = connect()
    for n in range(20):
        writer.send(SET_DATA, set_data_request(path, b"%d" % n))
        data, stat = client.get_data(path, watch=True)
        assert writer.recv().err == OK
        final = client.get_data(path)[1]
        events = client.take_events()
        assert len(events) == (1 if final.version > stat.version else 0)
        if not events:
            writer.set_data(path, b"again")
            assert len(client.take_events()) == 1


def test_events_keep_the_order_of_transactions(connect, client, path):
    watcher = connect()
    add_watch(watcher, path, MODE_PERSISTENT_RECURSIVE)
    requests, want = [], []
    for n in range(50):
        node = path + "/n%d" % n
        requests += [
            (CREATE, create_request(node)),
            (SET_DATA, set_data_request(node)),
            (DELETE, delete_request(node)),
        ]
        want += [(NODE_CREATED, node), (NODE_DATA_CHANGED, node), (NODE_DELETED, node)]
    pipeline(client, *requests)
    assert kinds(watcher.take_events()) == want


def test_a_change_is_told_to_every_watcher_once(connect, client, path):
    watchers = [connect() for _ in range(20)]
    for watcher in watchers:
        watcher.get_data(path, watch=True)
    client.set_data(path)
    for watcher in watchers:
        assert kinds(watcher.take_events()) == [(NODE_DATA_CHANGED, path)]


def test_wchs_counts_the_watches_of_the_server(start_server):
    server = start_server()
    with server.client() as client, server.client() as other:
        client.create("/a")
        client.get_data("/a", watch=True)
        client.exists("/b", watch=True)
        other.get_data("/a", watch=True)
        text = server.four_letter("wchs").decode()
        assert text.splitlines() == ["2 connections watching 2 paths", "Total watches:3"]
