"""Reads the transaction logs of a directory, whoever wrote them, so that two can be compared.

    records = read_logs("/data/version-2")      # zxid -> Record, in order
    differences(records, others)                # [] when they tell the same

A record of ours carries a trailer behind its digest that one of Java's has not, and an error record
of Java's has no digest (docs/adr/0002): so bytes count up to the end of the transaction.
"""

import collections
import os
import struct
import zlib

HEAD = struct.Struct(">4siq")  # ZKLG, version, database
FRAME = struct.Struct(">qi")  # Adler-32, size
HEADER = struct.Struct(">qiqqi")  # session, cxid, zxid, time, type
DIGEST_BYTES, TRAILER_BYTES = 12, 24
MULTI, ERROR = 14, struct.pack(">i", -1)

Record = collections.namedtuple("Record", "session cxid zxid time type rest file")


class Damaged(Exception):
    """A record that is cut or has a wrong checksum, in front of others."""


def log_files(directory):
    """The logs, oldest first."""
    names = os.listdir(directory) if os.path.isdir(directory) else []
    logs = [name for name in names if name.startswith("log.")]
    return [os.path.join(directory, n) for n in sorted(logs, key=lambda n: int(n[4:], 16))]


def read_log(path):
    """The records of one file, up to the zeros or the cut at its end."""
    with open(path, "rb") as file:
        data = file.read()
    at = HEAD.size
    while at + FRAME.size <= len(data):
        checksum, size = FRAME.unpack_from(data, at)
        end = at + FRAME.size + size + 1
        if size <= 0 or end > len(data):
            return
        payload = data[at + FRAME.size : end - 1]
        if zlib.adler32(payload) != checksum or data[end - 1 : end] != b"B":
            if any(data[end:]):
                raise Damaged("%s at byte %d" % (path, at))
            return
        yield Record(*HEADER.unpack_from(payload), payload[HEADER.size :], path)
        at = end


def read_logs(directory):
    """All records by zxid."""
    records = {}
    for path in log_files(directory):
        for record in read_log(path):
            if record.zxid in records and not same(records[record.zxid], record):
                raise Damaged("0x%x is in %s, too: %r" % (record.zxid, record.file, record))
            records[record.zxid] = record
    return dict(sorted(records.items()))


def failed_multi(rest):
    """A leader of Java writes the parts of a multi that failed as errors into its own log, some of them
    only after it has sent the transaction as it was: they are all made errors."""
    at, parts = 4, []
    for _ in range(struct.unpack_from(">i", rest)[0]):
        parts.append((at, rest[at : at + 4]))
        at += 8 + max(0, struct.unpack_from(">i", rest, at + 4)[0])
    if not any(kind == ERROR for _, kind in parts):
        return rest
    changed = bytearray(rest)
    for start, _ in parts:
        changed[start : start + 4] = ERROR
    return bytes(changed)


def same(one, other):
    """Whether two records are the same transaction."""
    if one[:5] != other[:5]:
        return False
    mine, theirs = (failed_multi(r.rest) if r.type == MULTI else r.rest for r in (one, other))
    if len(mine) == len(theirs) > DIGEST_BYTES + TRAILER_BYTES and mine != theirs:
        return mine[:-TRAILER_BYTES] == theirs[:-TRAILER_BYTES]  # each server's own
    short, long = sorted((mine, theirs), key=len)
    added = len(long) - len(short)
    return long.startswith(short) and added in (
        0, DIGEST_BYTES, TRAILER_BYTES, DIGEST_BYTES + TRAILER_BYTES
    )


def is_tail(zxid, records):
    """Whether these records have nothing of zxid's epoch from zxid on: nobody may have agreed to it. A
    learner of Java keeps such a tail in its log, below the snapshot that its leader sent."""
    return not any(z >> 32 == zxid >> 32 and z >= zxid for z in records)


def differences(one, other, snapshots=(0, 0)):
    """What two servers' records disagree about, between the first and the last zxid of both, tails of
    epochs aside, and what stands in a snapshot instead: the zxid of each one's newest."""
    if not one or not other:
        return []
    first, last = max(min(one), min(other)), min(max(one), max(other))
    found = []
    for zxid in sorted(z for z in one.keys() | other.keys() if first <= z <= last):
        mine, theirs = one.get(zxid), other.get(zxid)
        if mine is None or theirs is None:
            if is_tail(zxid, one if mine is None else other):
                continue
            if zxid <= snapshots[0 if mine is None else 1]:
                continue
            found.append("0x%x is only in %s" % (zxid, (mine or theirs).file))
        elif not same(mine, theirs):
            found.append("0x%x differs: %r and %r" % (zxid, mine, theirs))
    return found
