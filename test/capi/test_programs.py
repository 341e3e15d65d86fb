"""Programs that were built for Debian's library, with ours in its place."""

import os
import shutil
import subprocess

import pytest

from .conftest import environment

DEBIANS_SHELL = "/usr/lib/zookeeper/bin/cli_mt"
DEBIANS_LOAD = "/usr/lib/zookeeper/bin/load_gen"
DEBIANS_SINGLE = "/usr/lib/x86_64-linux-gnu/libzookeeper_st.so.2"


def test_every_call_answers_as_in_debians_library(compile_program, libraries, server, run):
    program = compile_program("every_call")
    ours = run(program, server, libraries)
    server.stop()
    shutil.rmtree(server.data_dir)
    server.start()
    debians = run(program, server, None)
    assert debians[0] == 0 and debians[1].count("\n") > 280
    assert ours == debians


def test_what_ends_a_program_elsewhere_does_not_here(
    compile_program, libraries, server, run, our_headers
):
    program = compile_program(
        "no_crash", ("-L" + libraries, "-lzookeeper_mt", "-lpthread"), headers=our_headers
    )
    assert run(program, server, libraries) == (0, "")


@pytest.mark.parametrize("kind", ["thread", "address"])
@pytest.mark.parametrize("name", ["every_call", "no_crash"])
def test_sanitizers_find_nothing(
    compile_program, sanitized, server, run, our_headers, kind, name
):
    program = compile_program(name, sanitized(kind), "_" + kind, our_headers)
    status, output = run(program, server, None)
    assert status == 0 and "Sanitizer" not in output, output


def test_a_loop_of_the_programs_own(compile_program, libraries, server, run):
    program = compile_program("loop", ("-L" + libraries, "-lzookeeper_st"))
    assert run(program, server, libraries) == (
        0,
        "event -1 3 \ncreate 0\ncreated 0 /loop\nget 0\ngot 0 value\ndelete 0\n"
        "event 2 3 /loop\ndeleted 0\nidle 0\nnothing to read -117\nclose 0\n",
    )


def test_a_loop_that_was_built_for_debians_single_threaded_library(
    compile_program, libraries, server, run
):
    """cli_st is not in Debian's packages; this program stands for its kind."""
    program = compile_program("loop", (DEBIANS_SINGLE,), "_debian")
    debians = run(program, server, None)
    assert debians[0] == 0 and "got 0 value" in debians[1]
    assert run(program, server, libraries) == debians


def test_debians_python_module_answers_the_same(libraries, server, build_dir):
    """It is older than its Python: it names a symbol that is gone and that it does not need, so something has
    to have the name; and of its calls only those without data work."""
    shim = os.path.join(build_dir, "shim.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, "-xc", "-"], check=True, text=True,
                   input="void *PyIOBase_Type[100];")
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zkpython.py")

    def python(directory):
        done = subprocess.run(
            ["/usr/bin/python3", script, "127.0.0.1:%d" % server.port],
            env=dict(environment(directory), LD_PRELOAD=shim), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
        return done.stdout

    outputs = []
    for directory in (None, libraries):
        with server.client() as client:
            for path in ("/p", "/p/one", "/p/two"):
                client.create(path, b"data")
        outputs.append(python(directory))
    assert outputs[0].count("\n") > 12
    assert outputs[1] == outputs[0]


def test_debians_shell(libraries, server, run):
    status, output = run(
        DEBIANS_SHELL, server, libraries,
        stdin="create /shell\nset /shell text\nget /shell\nls /\nstat /shell\nexists /shell\n"
        "delete /shell\nls /\nquit\n",
    )  # fmt: skip
    assert status == 0, output
    assert "text" in output and "shell" in output
    with server.client() as client:
        assert client.exists("/shell") is None


def test_debians_load_generator(libraries, server, run):
    """It makes 50 znodes below a path, writes and reads them until it is stopped."""
    process = subprocess.Popen(
        [DEBIANS_LOAD, "%s:%d" % (server.host, server.port), "/load", "50"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={"LD_LIBRARY_PATH": libraries},
    )  # fmt: skip
    try:
        with server.client() as client:
            while not (stat := client.exists("/load")) or stat.numChildren < 50:
                assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    status, output = run(DEBIANS_LOAD, server, libraries, "/load", "clean")
    with server.client() as client:
        assert client.exists("/load") is None, output
