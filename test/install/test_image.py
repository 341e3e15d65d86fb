"""packaging/Dockerfile: the image can be built, and serves. It takes minutes and Debian's packages, so it runs when
it is asked for: IMAGE=1. buildah builds it, without a daemon; debootstrap makes the image that it begins with."""

import json
import os
import shutil
import subprocess

import pytest
from pylib.servers import REPO, free_port

BASE = "docker.io/library/debian:12-slim"
# The image's own command and health check, a client, and an end in good order.
SESSION = """
id -un
"$@" &
server=$!
until %(health)s >/dev/null 2>&1; do kill -0 $server || exit 1; sleep 0.1; done
paddock cli -server 127.0.0.1:%(port)d create /from-the-image here
paddock cli -server 127.0.0.1:%(port)d get /from-the-image
kill $server
wait $server
"""


@pytest.fixture(scope="module")
def buildah(tmp_path_factory):
    if not os.environ.get("IMAGE"):
        pytest.skip("the image takes minutes: IMAGE=1 builds it")
    if os.getuid() != 0 or shutil.which("buildah") is None or shutil.which("debootstrap") is None:
        pytest.skip("the image needs root, buildah and debootstrap")
    place = tmp_path_factory.mktemp("image")

    def call(*words, **more):
        done = subprocess.run(
            ["buildah", "--root", place / "store", "--runroot", place / "run", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1200,
            env=dict(os.environ, BUILDAH_ISOLATION="chroot", BUILDAH_FORMAT="docker"), **more)  # fmt: skip
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout.strip()

    yield call
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def image(buildah, tmp_path_factory):
    root = tmp_path_factory.mktemp("base")
    made = subprocess.run(["debootstrap", "--variant=minbase", "bookworm", root],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode != 0:
        pytest.skip("debootstrap has made no base: %s" % made.stdout[-300:])
    base = buildah("from", "scratch")
    buildah("add", "-q", base, root, "/")
    buildah("commit", "-q", "--rm", base, BASE)
    shutil.rmtree(root)
    buildah("bud", "-q", "--pull-never", "--network", "host", "-f", "packaging/Dockerfile", "-t", "paddock", REPO, cwd=REPO)
    return "localhost/paddock"


def test_the_image_serves_a_configuration_of_ones_own_as_the_user_paddock(buildah, image, tmp_path):
    port = free_port()
    (tmp_path / "zoo.cfg").write_text("clientPort=%d\ndataDir=/var/lib/paddock\n" % port)
    container = buildah("from", "--pull-never", image)
    config = json.loads(buildah("inspect", container))["Docker"]["config"]
    health = config["Healthcheck"]["Test"][1].replace("2181", str(port))
    answer = buildah("run", "--volume", "%s/zoo.cfg:/etc/paddock/zoo.cfg:ro" % tmp_path, container, "--",
                     "timeout", "60", "sh", "-c", SESSION % {"health": health, "port": port}, "sh", *config["Cmd"])
    assert answer.startswith("paddock\n"), answer
    assert "Created /from-the-image\n" in answer and "\nhere\n" in answer, answer
    assert answer.endswith("the server has ended"), answer
