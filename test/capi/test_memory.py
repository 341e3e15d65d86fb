"""Each allocation fails in turn, in the caller's thread and in the library's own; also of the recipes."""

import os

import pytest
from pylib.servers import REPO, Server

WRAPPED = "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=connect,--wrap=strdup"
SINGLE = "-DSINGLE"


@pytest.fixture
def quick_server():
    """At ten addresses, so that a client which loses one has another to go to at once."""
    with Server("paddock", {"clientPortAddress": "0.0.0.0"}, {"zookeeper.forceSync": "no"}) as server:
        yield server


def sources(*rooms):
    return [
        os.path.join(REPO, "src", room, name)
        for room in rooms
        for name in sorted(os.listdir(os.path.join(REPO, "src", room)))
        if name.endswith(".c")
    ]


def words_with(kind, *rooms):
    """The library as a part of the program: so the linker can put allocations that fail in place of those of
    the library, while the sanitizer sees all of them."""
    return (
        "-O1", "-D_GNU_SOURCE", "-DWRAPPED", "-fno-strict-aliasing", "-fwrapv",
        "-fsanitize=" + kind, "-I" + os.path.join(REPO, "src"), WRAPPED, *sources(*rooms), "-lpthread",
    )  # fmt: skip


def test_a_call_whose_memory_ends_gives_an_error_and_the_handle_goes_on(
    compile_program, libraries, server, run
):
    code, said = run(compile_program("no_memory"), server, libraries)
    assert (code, said) == (0, ""), said


@pytest.mark.parametrize("words", [("-lzookeeper_mt",), ("-lzookeeper_st", SINGLE)], ids=["mt", "st"])
def test_a_thread_of_the_library_whose_memory_ends_loses_nothing_in_silence(
    compile_program, libraries, quick_server, run, our_headers, words
):
    program = compile_program("no_memory_inside", ("-L" + libraries, *words, "-lpthread"), words[0],
                              our_headers)
    code, said = run(program, quick_server, libraries)
    assert (code, said) == (0, ""), said


@pytest.mark.parametrize("kind", ["thread", "address"])
@pytest.mark.parametrize("variant", ["mt", "st"])
def test_sanitizers_find_nothing_where_memory_ends(
    compile_program, quick_server, run, our_headers, kind, variant
):
    words = words_with(kind, "base", "wire", "client", "capi", "capi/" + variant)
    if variant == "st":
        words += (SINGLE,)
    program = compile_program("no_memory_inside", words, "_%s_%s" % (kind, variant), our_headers)
    status, output = run(program, quick_server, None)
    assert status == 0 and "Sanitizer" not in output, output


def test_recipes_whose_memory_ends_tell_what_is_held_and_leave_no_node_behind(
    compile_program, libraries, quick_server, run, our_headers
):
    program = compile_program(
        "no_memory_recipes",
        ("-L" + libraries, "-lzookeeper_recipes", "-lzookeeper_mt", "-lpthread"), "", our_headers,
    )  # fmt: skip
    code, said = run(program, quick_server, libraries)
    assert (code, said) == (0, ""), said


# With ThreadSanitizer, too, it takes forty seconds more: CAPI_MEMORY=all.
@pytest.mark.parametrize(
    "kind", ["thread", "address"] if os.environ.get("CAPI_MEMORY") == "all" else ["address"])
def test_sanitizers_find_nothing_in_recipes_whose_memory_ends(
    compile_program, quick_server, run, our_headers, kind
):
    words = words_with(kind, "base", "wire", "client", "capi", "capi/mt", "recipes")
    program = compile_program("no_memory_recipes", words, "_" + kind, our_headers)
    status, output = run(program, quick_server, None)
    assert status == 0 and "Sanitizer" not in output, output
