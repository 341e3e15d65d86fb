"""`make install`: what is installed works by itself, and is removed without a trace."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from pylib.servers import REPO, Server, free_port

from .conftest import environment, make, run


def server(prefix, port, tmp_path, *words):
    """The installed zkServer.sh, on a configuration where it looks for one; stdout."""
    (prefix / "etc/paddock/zoo.cfg").write_text(
        "tickTime=2000\ndataDir=%s\nclientPort=%d\nclientPortAddress=127.0.0.1\n"
        % (tmp_path / "data", port)
    )
    return run(prefix / "bin/zkServer.sh", *words)


@pytest.fixture
def address(prefix, tmp_path):
    """Of a server that the installed script has started."""
    port = free_port()
    started = server(prefix, port, tmp_path, "start")
    yield "127.0.0.1:%d" % port
    stopped = server(prefix, port, tmp_path, "stop")
    assert (started, stopped) == (
        "Starting zookeeper ... STARTED\n", "Stopping zookeeper ... STOPPED\n",
    )  # fmt: skip


def status(prefix, port, tmp_path):
    """Of a server that runs; asked again when it has not answered within the script's five seconds."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return server(prefix, port, tmp_path, "status")
        except subprocess.CalledProcessError:
            if time.monotonic() > deadline:
                raise


def test_the_installed_scripts_find_program_configuration_and_logs(prefix, address, tmp_path):
    port = int(address.split(":")[1])
    assert status(prefix, port, tmp_path).endswith("Mode: standalone\n")
    for script in ("bin/zkCli.sh", "share/paddock/bin/zkCli.sh"):
        assert "[zookeeper]" in run(prefix / script, "-server", address, "ls", "/")
    logs = list((prefix / "var/log/paddock").iterdir())
    assert len(logs) == 1 and "serving port=%d" % port in logs[0].read_text()
    os.remove(logs[0])
    assert "paddock" in run(prefix / "bin/paddock", "version")


def pkg_config(prefix, *words):
    return run("pkg-config", *words, PKG_CONFIG_PATH=prefix / "lib/pkgconfig").split()


@pytest.mark.parametrize("how", ["shared", "static"])
@pytest.mark.parametrize(
    "name, source, answer",
    [("libzookeeper_mt", "test/install/hello.c", "ok: world\n"),
     ("libzookeeper_st", "test/capi/loop.c", "got 0 value\n")],
)  # fmt: skip
def test_a_c_program_is_built_with_pkg_config_and_runs(
    prefix, address, tmp_path, name, source, answer, how
):
    program = str(tmp_path / "program")
    libraries = pkg_config(prefix, "--libs", name)
    if how == "static":
        archive = "%s/%s.a" % (pkg_config(prefix, "--variable=libdir", name)[0], name)
        libraries = [archive] + [
            word for word in pkg_config(prefix, "--static", "--libs", name)
            if word != "-l" + name.removeprefix("lib")
        ]  # fmt: skip
    run("cc", "-Wall", "-Werror", "-o", program, os.path.join(REPO, source),
        *pkg_config(prefix, "--cflags", name), *libraries)  # fmt: skip
    env = {"LD_LIBRARY_PATH": prefix / "lib"} if how == "shared" else {}
    assert answer in run(program, address, **env)
    loaded = run("ldd", program, **env)
    assert ("%s.so.2 => %s/lib/" % (name, prefix) in loaded) == (how == "shared"), loaded
    assert pkg_config(prefix, "--modversion", name) == ["3.9.5"]


def test_every_file_of_a_staged_system_installation_has_its_place(tmp_path):
    make("install", "PREFIX=/usr", "DESTDIR=%s" % tmp_path)
    for path in (
        "usr/bin/paddock", "usr/bin/zkServer.sh", "usr/share/paddock/bin/zkEnv.sh",
        "usr/share/paddock/conf/zoo_sample.cfg", "etc/paddock/zoo_sample.cfg",
        "usr/lib/libzookeeper_mt.so", "usr/lib/libzookeeper_st.so.2", "usr/lib/libzookeeper_mt.a",
        "usr/include/zookeeper/zookeeper.h", "usr/lib/pkgconfig/libzookeeper_st.pc",
        "usr/lib/libzookeeper_recipes.so", "usr/include/zookeeper/recipes.h",
        "usr/lib/pkgconfig/libzookeeper_recipes.pc",
        "usr/lib/systemd/system/paddock.service", "usr/lib/sysusers.d/paddock.conf",
        "usr/share/man/man1/paddock.1", "usr/share/man/man1/zkCli.sh.1",
        "usr/share/man/man1/zkCleanup.sh.1",
        "usr/share/bash-completion/completions/paddock",
        "usr/share/bash-completion/completions/zkCli.sh", "usr/share/zsh/site-functions/_paddock",
        "usr/share/doc/paddock/README.md", "usr/share/doc/paddock/docs/operations.md",
    ):  # fmt: skip
        assert (tmp_path / path).exists(), path  # a link that leads nowhere does not exist
    assert (tmp_path / "var/log/paddock").is_dir()
    unit = (tmp_path / "usr/lib/systemd/system/paddock.service").read_text()
    assert "ExecStart=/usr/bin/paddock server /etc/paddock/zoo.cfg\n" in unit
    for folder, _, names in os.walk(tmp_path):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not name.endswith((".a", ".so.2.0.0")):
                with open(path, "rb") as file:
                    assert REPO.encode() not in file.read(), path  # nothing leads back to the build


def test_uninstall_leaves_what_others_have_put_there_and_nothing_else(tmp_path):
    make("install", "PREFIX=/usr", "DESTDIR=%s" % tmp_path)
    (tmp_path / "etc/paddock/zoo.cfg").write_text("clientPort=2181\n")
    (tmp_path / "usr/include/other.h").write_text("")
    make("uninstall", "DESTDIR=%s" % tmp_path)
    left = [str((here / name).relative_to(tmp_path)) for here, _, names in walk(tmp_path)
            for name in names]  # fmt: skip
    assert sorted(left) == ["etc/paddock/zoo.cfg", "usr/include/other.h"]
    for folder in ("usr/share/paddock", "usr/share/doc/paddock", "usr/include/zookeeper"):
        assert not (tmp_path / folder).exists(), folder


def walk(path):
    return ((type(path)(here), folders, names) for here, folders, names in os.walk(path))


def test_the_unit_is_valid_and_lets_the_service_do_little(prefix, tmp_path):
    unit = prefix / "lib/systemd/system/paddock.service"
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze: dev/setup.sh test installs it")
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True, text=True, env=environment(),
    )  # fmt: skip
    assert (checked.returncode, checked.stderr) == (0, "")
    run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit)


def system_calls(name):
    """A set of systemd's, with the sets in it."""
    calls = set()
    for line in run("systemd-analyze", "syscall-filter", "--no-pager", name).splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            calls |= system_calls(word)
        elif word and not word.startswith("#"):
            calls.add(word)
    return calls


def test_the_unit_allows_every_system_call_that_a_serving_server_makes(tmp_path):
    if shutil.which("systemd-analyze") is None or shutil.which("strace") is None:
        pytest.skip("no systemd-analyze or no strace: dev/setup.sh test installs them")
    trace = tmp_path / "trace"
    wrapper = ["strace", "-f", "-qq", "-o", str(trace)]
    with Server("paddock", {"snapCount": 10}, wrapper=wrapper) as server:
        (child,) = open("/proc/%d/task/%d/children" % (server.pid, server.pid)).read().split()
        try:
            run(os.path.join(REPO, "build/paddock"), "bench", "--servers", server.address,
                "--sessions", "2", "--op", "mix", "--ops", "500", "--warmup", "0")  # fmt: skip
            server.four_letter("cons")
            os.kill(int(child), signal.SIGHUP)  # opens its log anew
            os.kill(int(child), signal.SIGTERM)
            assert server.wait_exit() == 0
        finally:  # it outlives a tracer that is killed
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        version_2 = os.listdir(os.path.join(server.data_dir, "version-2"))
        assert len([name for name in version_2 if name.startswith("snapshot.")]) > 1
    made = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.M))
    assert {"fdatasync", "sendmsg"} & made and "accept4" in made
    assert made - (system_calls("@system-service") - system_calls("@privileged")) == set()
