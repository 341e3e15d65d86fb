"""What the libraries are made of: names, sizes, versions, headers."""

import os
import subprocess

import pytest
from pylib.servers import REPO

OURS_ALONE = {"zoo_version_str", "zookeeper_init_sasl", "zookeeper_init_ssl"}


def dynamic_symbols(path):
    out = subprocess.run(
        ["nm", "-D", "--defined-only", "-S", path], capture_output=True, text=True, check=True
    ).stdout
    return {words[-1]: (words[-2], words[1]) for words in map(str.split, out.splitlines())}


def debians_symbols(name):
    with open(os.path.join(REPO, "test/golden/capi", name + ".so.2.symbols.txt")) as file:
        return {name: (kind, size) for name, kind, size in map(str.split, file)}


@pytest.mark.parametrize("name", ["libzookeeper_mt", "libzookeeper_st"])
def test_every_symbol_of_debians_library_is_exported_and_no_other(libraries, name):
    ours = dynamic_symbols(os.path.join(libraries, name + ".so.2"))
    debians = debians_symbols(name)
    assert set(ours) - set(debians) == OURS_ALONE
    assert set(debians) - set(ours) == set()
    for symbol, (kind, size) in debians.items():
        assert ours[symbol][0] == kind, symbol
        if kind != "T":  # programs hold copies of data, so its size must not change
            assert int(ours[symbol][1], 16) == int(size, 16), symbol


@pytest.mark.parametrize("name", ["libzookeeper_mt", "libzookeeper_st"])
def test_the_soname_is_debians_and_nothing_is_needed_but_the_c_library(libraries, name):
    out = subprocess.run(
        ["readelf", "-d", "-V", os.path.join(libraries, name + ".so.2")],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "[%s.so.2]" % name in out
    needed = [line.split("[")[1].rstrip("]") for line in out.splitlines() if "(NEEDED)" in line]
    allowed = {"libc.so.6", "libasan.so.8", "libubsan.so.1", "libm.so.6"}
    assert "libc.so.6" in needed and set(needed) <= allowed
    assert "Version definition section" not in out


@pytest.mark.parametrize("name", ["libzookeeper_mt", "libzookeeper_st"])
def test_the_static_library_shows_the_same_names(libraries, name):
    out = subprocess.run(
        ["nm", "-g", "--defined-only", os.path.join(libraries, name + ".a")],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    shown = {line.split()[-1] for line in out.splitlines() if len(line.split()) == 3}
    assert shown == set(dynamic_symbols(os.path.join(libraries, name + ".so.2")))


@pytest.mark.parametrize("compiler", [["cc", "-std=c99"], ["cc", "-std=c17"], ["c++"]])
@pytest.mark.parametrize("threaded", [[], ["-DTHREADED"]])
def test_the_headers_stand_alone(tmp_path, compiler, threaded):
    for header in ("zookeeper.h", "zookeeper_log.h", "recordio.h", "proto.h", "zookeeper.jute.h"):
        source = tmp_path / ("x.cc" if compiler == ["c++"] else "x.c")
        source.write_text("#include <zookeeper/%s>\nint main(void) { return 0; }\n" % header)
        subprocess.run(
            [*compiler, *threaded, "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
             "-I" + os.path.join(REPO, "include"), "-c", "-o", "/dev/null", str(source)],
            check=True,
        )  # fmt: skip


LAYOUT = """
#define THREADED
#include <zookeeper/zookeeper.h>
#include <stddef.h>
#include <stdio.h>
#define SIZE(type) printf(#type " %zu\\n", sizeof(type))
#define AT(type, field) printf(#type "." #field " %zu\\n", offsetof(type, field))
int main(void)
{
    SIZE(clientid_t); AT(clientid_t, passwd); SIZE(struct Id); SIZE(struct ACL); AT(struct ACL, id);
    SIZE(struct ACL_vector); AT(struct ACL_vector, data); SIZE(struct String_vector);
    SIZE(struct buffer); AT(struct buffer, buff); SIZE(struct Stat); AT(struct Stat, czxid);
    AT(struct Stat, mzxid); AT(struct Stat, ctime); AT(struct Stat, mtime); AT(struct Stat, version);
    AT(struct Stat, cversion); AT(struct Stat, aversion); AT(struct Stat, ephemeralOwner);
    AT(struct Stat, dataLength); AT(struct Stat, numChildren); AT(struct Stat, pzxid);
    SIZE(zoo_op_t); AT(zoo_op_t, create_op.path); AT(zoo_op_t, create_op.data);
    AT(zoo_op_t, create_op.datalen); AT(zoo_op_t, create_op.buf); AT(zoo_op_t, create_op.buflen);
    AT(zoo_op_t, create_op.acl); AT(zoo_op_t, create_op.flags); AT(zoo_op_t, create_op.ttl);
    AT(zoo_op_t, delete_op.version); AT(zoo_op_t, set_op.version); AT(zoo_op_t, set_op.stat);
    SIZE(zoo_op_result_t); AT(zoo_op_result_t, value); AT(zoo_op_result_t, valuelen);
    AT(zoo_op_result_t, stat); SIZE(zsock_t); SIZE(zcert_t); SIZE(struct oarchive);
    SIZE(struct iarchive); SIZE(struct QuorumPacket); SIZE(struct SetWatches2);
    SIZE(struct CreateTTLRequest); SIZE(struct TxnHeader); SIZE(struct MultiHeader);
    int e[] = {ZOK, ZSYSTEMERROR, ZCONNECTIONLOSS, ZNONODE, ZNOTHING, ZTHROTTLEDOP, ZNOWATCHER,
               ZOO_LOG_LEVEL_DEBUG, ZWATCHTYPE_ANY, ZOO_READONLY, ZOO_NO_LOG_CLIENTENV,
               ZOO_SASL_OP, ZOO_CREATE_TTL_OP};
    for (size_t i = 0; i < sizeof(e) / sizeof(e[0]); i++)
        printf("%d\\n", e[i]);
    return 0;
}
"""


def test_layouts_and_values_are_those_of_debians_headers(tmp_path):
    (tmp_path / "layout.c").write_text(LAYOUT)
    pages = []
    for headers in ("/usr/include", os.path.join(REPO, "include")):
        program = str(tmp_path / "layout")
        subprocess.run(
            ["cc", "-I" + headers, "-o", program, str(tmp_path / "layout.c")], check=True
        )
        pages.append(subprocess.run([program], capture_output=True, text=True).stdout)
    assert pages[0] == pages[1] and pages[0].count("\n") > 50
