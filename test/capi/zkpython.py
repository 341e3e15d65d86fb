"""Debian's python3-zookeeper, a program that links the threaded library: prints what its calls answer.

    zkpython.py HOST:PORT"""

import sys
import threading

import zookeeper as zk

ANYONE = [{"perms": zk.PERM_ALL, "scheme": "world", "id": "anyone"}]
zk.set_debug_level(zk.LOG_LEVEL_ERROR)
events, changed = [], threading.Condition()


def watch(handle, kind, state, path):
    with changed:
        events.append((kind, state, path))
        changed.notify_all()


def wait(event):
    with changed:
        assert changed.wait_for(lambda: event in events, 20), (event, events)


def answer(call, *words):
    try:
        return call(*words)
    except zk.ZooKeeperException as error:
        return type(error).__name__


def stat(found):
    return {key: found[key] for key in ("version", "aversion", "cversion", "dataLength", "numChildren")}


handle = zk.init(sys.argv[1], watch, 10000)
wait((zk.SESSION_EVENT, zk.CONNECTED_STATE, ""))
print("state", zk.state(handle) == zk.CONNECTED_STATE, zk.recv_timeout(handle))
print("exists", stat(zk.exists(handle, "/p")), zk.exists(handle, "/none", watch))
print("children", zk.get_children(handle, "/p", watch))
print("none", answer(zk.get_children, handle, "/none"))
print("not empty", answer(zk.delete, handle, "/p"))
print("bad version", answer(zk.delete, handle, "/p/one", 7))
print("bad path", answer(zk.exists, handle, "no slash"))
print("acl", zk.get_acl(handle, "/p")[1])
print("set acl", zk.set_acl(handle, "/p", 0, ANYONE), answer(zk.set_acl, handle, "/p", 0, ANYONE))

done = threading.Semaphore(0)
answers = []


def completed(_, *words):
    answers.append(words[0] if len(words) < 2 or isinstance(words[1], dict) else words)
    done.release()


print("sent", zk.aexists(handle, "/p", None, completed), zk.aget_children(handle, "/p", None, completed),
      zk.adelete(handle, "/p/one", -1, completed), zk.adelete(handle, "/p/one", -1, completed))
for _ in range(4):
    assert done.acquire(timeout=20)
print("answers", answers)
wait((zk.CHILD_EVENT, zk.CONNECTED_STATE, "/p"))
print("delete", zk.delete(handle, "/p/two"), zk.delete(handle, "/p"))
print("zerror", zk.zerror(zk.NONODE), zk.is_unrecoverable(handle))
print("close", zk.close(handle))
