#!/usr/bin/env python3
"""Who includes whom, and what the pure rooms call.

    dev/check_rooms.py                 every #include of src/ and sim/ against the room() lines
    dev/check_rooms.py build/debug     also: undefined symbols of the pure rooms' archives

base, metrics, wire, client, all rooms of replica and sim decide; they must not act. So they include no header of the system that opens
files or sockets, reads a clock, makes threads or rolls dice, and their archives call nothing but the
functions on the list below.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PURE = ("base", "metrics", "wire", "client", "replica", "sim")
FOLDERS = ("src", ".")  # a room is below one of them

# Headers that the pure rooms may include beside their own.
PURE_HEADERS = {
    "stdbool.h", "stddef.h", "stdint.h", "string.h", "inttypes.h", "limits.h", "stdarg.h",
    "stdalign.h", "errno.h", "ctype.h",
    "stdio.h",   # snprintf, and the last words of an assertion
    "stdlib.h",  # malloc, strtoll, qsort
    "zlib.h", "snappy-c.h", "immintrin.h", "smmintrin.h", "emmintrin.h",
    "openssl/evp.h", "openssl/sha.h", "openssl/crypto.h", "openssl/md5.h",
}

# What the archives may call: memory, text, sorting, checksums, compression, digests, dying loudly.
ALLOWED = re.compile(
    r"""^(
    mem(cpy|move|set|cmp|chr|rchr|mem) | __memcpy_chk | str(len|nlen|cmp|ncmp|chr|rchr|str|spn|cspn)
    | strto(l|ll|ul|ull)(_l)? | __isoc23_strto(l|ll|ul|ull) | v?snprintf | __v?snprintf_chk
    | malloc | calloc | realloc | free | malloc_usable_size | qsort | bsearch
    | abort | fprintf | stderr | __fprintf_chk | fputs | fwrite            # base_assert_failed()
    | __stack_chk_fail | __errno_location | __ctype_b_loc | tolower | toupper
    | _GLOBAL_OFFSET_TABLE_ | __popcountdi2
    | __cpu_model | __cpu_indicator_init     # which instructions this processor has
    | adler32(_z|_combine)? | crc32(_z)? | inflate\w* | deflate\w* | zlibVersion
    | snappy_(compress|uncompress|max_compressed_length|uncompressed_length
              |validate_compressed_buffer)
    | EVP_(MD_(fetch|free)|MD_CTX_(new|free)|Digest(Init_ex|Update|Final_ex)?|sha1|sha256|sha512|md5
           |EncodeBlock|DecodeBlock|get_digestbyname|MD_get_size)
    | SHA(1|256|512) | CRYPTO_memcmp
    | __(ubsan|asan|gcov|sanitizer|llvm)\w*
    )$""",
    re.VERBOSE,
)

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def rooms():
    """The room() lines of CMakeLists.txt: name -> rooms it may include."""
    with open(os.path.join(ROOT, "CMakeLists.txt")) as file:
        text = file.read()
    found = {}
    for name, uses in re.findall(r"^room\(([\w/]+)(?:\s+USES\s+([a-z/\s]+?))?(?:\s+(?:LINKS|POSIX)[^)]*)?\)", text, re.M):
        found[name] = {name, *uses.split()}
    if set(PURE) - set(found):
        sys.exit("check_rooms: cannot read the room() lines of CMakeLists.txt")
    return found


def room_of(path, known):
    """The innermost room that a path (from src/, or from the top) belongs to, or None."""
    folder = os.path.dirname(path)
    while folder and folder not in known:
        folder = os.path.dirname(folder)
    return folder or None


def is_pure(room):
    return room.split("/")[0] in PURE


def check_includes(allowed):
    wrong, files = [], 0
    folders = [*os.walk(os.path.join(ROOT, "src")), *os.walk(os.path.join(ROOT, "sim"))]
    for directory, _, names in sorted(folders):
        for name in sorted(names):
            if not name.endswith((".c", ".h")):
                continue
            path = os.path.relpath(os.path.join(directory, name), ROOT)
            files += 1
            if path == "src/main.c":
                continue  # the one place where all rooms are named together
            room = room_of(path.removeprefix("src/"), allowed)
            if room is None:
                wrong.append("%s belongs to no room of CMakeLists.txt" % path)
                continue
            with open(os.path.join(ROOT, path)) as file:
                includes = INCLUDE.findall(file.read())
            for quote, header in includes:
                if quote == '"':
                    if room_of(header, allowed) not in allowed[room]:
                        wrong.append('%s: %s may not use "%s"' % (path, room, header))
                    elif not any(os.path.exists(os.path.join(ROOT, top, header)) for top in FOLDERS):
                        wrong.append('%s: "%s" is not written from src/ or the top' % (path, header))
                elif is_pure(room) and header not in PURE_HEADERS:
                    wrong.append("%s: a pure room may not include <%s>" % (path, header))
    return wrong, files


def symbols(archive):
    """(defined, undefined) names of an archive."""
    out = subprocess.run(["nm", "-P", archive], capture_output=True, text=True, check=True).stdout
    defined, undefined = set(), {}
    member = ""
    for line in out.splitlines():
        if line.endswith("]:"):
            member = line[line.index("[") + 1 : -2]
            continue
        words = line.split()
        if len(words) < 2:
            continue
        if words[1] in "Uw":
            undefined.setdefault(words[0], member)
        else:
            defined.add(words[0])
    return defined, undefined


def check_symbols(build, known):
    wrong, defined, undefined = [], set(), {}
    for room in sorted(filter(is_pure, known)):
        archive = os.path.join(ROOT, build, "lib%s.a" % room.replace("/", "_"))
        here_defined, here_undefined = symbols(archive)
        if not here_defined:
            wrong.append("%s defines nothing: was it built?" % archive)
        defined |= here_defined
        for name, member in here_undefined.items():
            undefined.setdefault(name, "%s/%s" % (room, member))
    outside = {name: where for name, where in undefined.items() if name not in defined}
    for name, where in sorted(outside.items()):
        if not ALLOWED.match(name):
            wrong.append("%s calls %s(): not on the list of a pure room" % (where, name))
    return wrong, len(outside)


def main():
    known = rooms()
    wrong, files = check_includes(known)
    said = "%d files" % files
    for build in sys.argv[1:]:
        more, count = check_symbols(build, known)
        wrong += more
        said += ", %d outside symbols of the pure rooms in %s" % (count, build)
    for line in wrong:
        print(line)
    print("check_rooms: %s: %s" % (said, "%d wrong" % len(wrong) if wrong else "fine"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
