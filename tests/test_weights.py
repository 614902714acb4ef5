"""Weights that others trained: known by hash, fetched over https only, whole or not at all."""

import hashlib
import http.server
import os
import threading
import urllib.error
import urllib.request
from types import SimpleNamespace

import pytest
import yaml

from benchmark import cli
from benchmark.errors import BenchmarkError
from benchmark.weights import fetch as fetching
from benchmark.weights import public

BYTES = bytes(range(256)) * 2000  # 512,000 bytes
SHA256 = hashlib.sha256(BYTES).hexdigest()
PAGE = b"\n <!DOCTYPE html><html>quota exceeded</html>"


# ------------------------------------------------------------------------------------------------------------ a server
class Handler(http.server.BaseHTTPRequestHandler):
    """/file: the bytes, with ranges; other paths misbehave each in their own way."""

    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        server, body = self.server, self.server.pages.get(self.path)
        server.requests.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        if body is None:
            return self.send_error(404, "Not Found")
        etag, begin = server.etag, 0
        asked = self.headers.get("Range")
        if asked and server.ranges and self.headers.get("If-Range") in (None, etag):
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
            if begin >= len(body):
                return self.send_error(416)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - begin))
        if etag:
            self.send_header("ETag", etag)
        self.send_header("Content-Type", "text/html; charset=utf-8" if self.path == "/html" else "binary/octet-stream")
        self.end_headers()
        body = body[begin:]
        self.wfile.write(body[: server.cut] if server.cut else body)
        server.cut = server.cuts.pop(0) if server.cuts else None


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.pages = {"/file": BYTES, "/html": PAGE, "/page": PAGE, "/other": BYTES[::-1], "/short": BYTES[:-1]}
    server.requests, server.etag, server.ranges, server.cut, server.cuts = [], '"v1"', True, None, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def opener(server):
    """Stands for the network: https://HOST/path is answered by the local server, any host but `offline`."""
    plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def open_(url, headers):
        host, path = url.removeprefix("https://").split("/", 1)
        if host == "offline":
            raise urllib.error.URLError("Name or service not known")
        request = urllib.request.Request(f"http://127.0.0.1:{server.server_address[1]}/{path}", headers=headers)
        response = plain.open(request, timeout=5)
        response.geturl = lambda: "http://elsewhere/x?token=1" if host == "downgraded" else url
        return response

    return open_


@pytest.fixture
def make(tmp_path, opener):
    """A registry of one entry `net` and its fetch; the folder is tmp_path/weights."""

    def make_(*urls, size=None, sha256=SHA256, path="net.pt", **entry):
        file = {"path": path, "urls": [f"https://{url}" for url in urls], "size": size, "sha256": sha256}
        source = tmp_path / f"registry{len(list(tmp_path.glob('registry*')))}.yaml"
        source.write_text(yaml.safe_dump({"net": {"family": "adm", "what": "a net", "files": [file], **entry}}))
        folder = tmp_path / "weights"
        return SimpleNamespace(
            registry=source,
            folder=folder,
            path=folder / path,
            part=folder / f"{path}.part",
            lock=tmp_path / "weights.lock.yaml",
            fetch=lambda: fetching.fetch("net", folder, source, opener, pause=0),
            locate=lambda: public.locate("net", folder, source),
        )

    return make_


def left(make):
    return sorted(path.name for path in make.folder.iterdir())


# --------------------------------------------------------------------------------------------------------- the registry
def test_the_package_s_registry_is_sound_and_has_what_the_experiments_need():
    entries = public.load()
    needed = {"adm_imagenet256", "adm_lsun_bedroom256", "adm_lsun_cat256", "adm_celebahq256", "ddpm_celebahq256"}
    needed |= {"ddpm_ema_celebahq256", "ddpm_ema_bedroom256", "ddpm_ema_cat256", "anycost_attributes"}
    assert needed | {"alexnet", "vgg16", "niqe"} <= set(entries)
    for entry in entries.values():
        assert entry.what
        assert entry.citation
        assert entry.licence != "unknown"
        assert entry.manual or all(file.urls for file in entry.files)
        if entry.family in ("adm", "ddpm"):
            assert entry.flags["image_size"] == 256
    assert entries["adm_lsun_cat256"].flags["dropout"] == 0.1
    assert entries["adm_celebahq256"].flags["use_fp16"] is False
    places = [str(entry.place(file)) for entry in entries.values() for file in entry.files]
    assert len(places) == len(set(places))


def test_files_of_metrics_belong_where_torch_and_pyiqa_look_for_them(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert public.lookup("niqe").path() == tmp_path / "hub/pyiqa/niqe_modelparameters.mat"
    assert public.lookup("vgg16").path() == tmp_path / "hub/checkpoints/vgg16-397923af.pth"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"path": "../net.pt"}, "no file name below its folder"),
        ({"path": "/etc/passwd"}, "no file name below its folder"),
        ({"path": "a\\..\\b"}, "no file name below its folder"),
        ({"urls": ["http://a.test/net.pt"]}, "not an https address"),
        ({"urls": ["file:///etc/passwd"]}, "not an https address"),
        ({"sha256": "md5:1"}, "64 digits"),
        ({"colour": 1}, "unknown key 'colour'"),
    ],
)
def test_a_registry_that_is_unsound_is_refused_in_one_line(tmp_path, change, says):
    source = tmp_path / "registry.yaml"
    source.write_text(yaml.safe_dump({"net": {"family": "adm", "what": "", "files": [{"path": "net.pt", **change}]}}))
    with pytest.raises(BenchmarkError, match=says) as error:
        public.load(source)
    assert "\n" not in str(error.value)


def test_an_unknown_name_gets_the_known_ones():
    with pytest.raises(
        BenchmarkError, match="unknown weights 'adm': known weights are adm_celebahq256, adm_imagenet256"
    ):
        public.locate("adm")


# ------------------------------------------------------------------------------------------------------------- by hand
def test_a_missing_file_gets_one_line_with_its_place_size_and_hash(make):
    net = make("a/file", size=len(BYTES))
    with pytest.raises(BenchmarkError) as error:
        net.locate()
    assert f"no file {net.path}" in str(error.value)
    assert f"--dir {net.folder}" in str(error.value)
    assert f"512,000 bytes, sha256 {SHA256}" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_put_there_by_hand_is_accepted_by_its_hash_and_not_fetched(make, server):
    net = make("a/file", size=len(BYTES))
    net.folder.mkdir()
    net.path.write_bytes(BYTES)
    assert net.locate() == net.path
    assert net.fetch() == [(net.path, False)]
    assert not server.requests
    assert not net.lock.exists()


@pytest.mark.parametrize(("content", "says"), [(BYTES[:-1], "has 511,999 bytes"), (BYTES[::-1], "sha256 is")])
def test_a_wrong_file_is_refused_and_never_overwritten(make, content, says):
    net = make("a/file", size=len(BYTES))
    net.folder.mkdir()
    net.path.write_bytes(content)
    for attempt in (net.locate, net.fetch):
        with pytest.raises(BenchmarkError, match=says):
            attempt()
    assert net.path.read_bytes() == content


@pytest.mark.parametrize("known", [None, SHA256[:8]])
def test_an_unpublished_hash_is_recorded_on_first_use_and_binds_from_then_on(make, known):
    net = make("a/file", sha256=known)
    net.folder.mkdir()
    net.path.write_bytes(BYTES)
    net.locate()
    net.locate()
    assert yaml.safe_load(net.lock.read_text()) == {"net/net.pt": SHA256}
    assert net.lock.read_text().count(SHA256) == 1
    net.path.write_bytes(BYTES[::-1])
    with pytest.raises(BenchmarkError, match=r"weights.lock.yaml has recorded|expected"):
        net.locate()
    net.path.unlink()
    assert net.fetch() == [(net.path, True)]


def test_a_damaged_lock_file_is_refused(make):
    net = make("a/file", sha256=None)
    net.lock.write_text("net/net.pt: yes\n")
    net.folder.mkdir()
    net.path.write_bytes(BYTES)
    with pytest.raises(BenchmarkError, match="not a lock file"):
        net.locate()


# ------------------------------------------------------------------------------------------------------------ fetching
@pytest.mark.parametrize("sha256", [SHA256, None])
def test_a_fetched_file_is_whole_in_its_place_and_leaves_nothing_beside_it(make, sha256):
    net = make("a/file", sha256=sha256, path="deep/net.pt")
    assert net.fetch() == [(net.path, True)]
    assert net.path.read_bytes() == BYTES
    assert [path.name for path in net.path.parent.iterdir()] == ["net.pt"]
    assert net.lock.exists() == (sha256 is None)


def test_a_broken_connection_is_resumed_where_it_broke(make, server):
    net = make("a/file")
    server.cut, server.cuts = 200_000, [100_000]
    net.fetch()
    assert net.path.read_bytes() == BYTES
    assert [request[1] for request in server.requests] == [None, "bytes=200000-", "bytes=300000-"]


def test_a_later_fetch_goes_on_from_the_part_that_is_there(make, server):
    net = make("a/file")
    net.folder.mkdir()
    net.part.write_bytes(BYTES[:300_000])
    net.fetch()
    assert server.requests == [("/file", "bytes=300000-", None)]
    assert net.path.read_bytes() == BYTES


def test_a_cut_off_fetch_says_that_it_can_go_on_and_keeps_its_part(make, server):
    net = make("a/file")
    server.cuts = [50_000] * 5
    server.cut = 50_000
    with pytest.raises(BenchmarkError, match=r"cut off after 200,000 of 512,000 bytes; the next fetch goes on"):
        net.fetch()
    assert net.part.stat().st_size == 200_000
    server.cut, server.cuts = None, []
    net.fetch()
    assert net.path.read_bytes() == BYTES


def test_without_a_hash_a_part_is_continued_only_if_the_server_vouches_for_it(make, server):
    net = make("a/file", sha256=None)
    server.cut, server.cuts = 100_000, [1, 1, 1, 1]
    with pytest.raises(BenchmarkError, match="cut off"):
        net.fetch()
    begun = net.part.stat().st_size
    server.etag, server.cut, server.cuts, server.requests = '"v2"', None, [], []
    server.pages["/file"] = BYTES[::-1]
    net.fetch()
    assert server.requests == [("/file", f"bytes={begun}-", '"v1"')]
    assert net.path.read_bytes() == BYTES[::-1]


def test_a_part_of_unknown_origin_and_hash_is_thrown_away(make, server):
    net = make("a/file", sha256=None)
    net.folder.mkdir()
    net.part.write_bytes(b"rubbish")
    net.fetch()
    assert net.path.read_bytes() == BYTES


def test_a_server_without_ranges_sends_everything_again(make, server):
    net = make("a/file")
    server.ranges = False
    net.folder.mkdir()
    net.part.write_bytes(BYTES[:1000])
    net.fetch()
    assert net.path.read_bytes() == BYTES


def test_a_part_that_is_already_whole_is_only_renamed(make, server):
    net = make("a/file")
    net.folder.mkdir()
    net.part.write_bytes(BYTES)
    net.fetch()
    assert net.path.read_bytes() == BYTES
    assert left(net) == ["net.pt"]


def test_a_part_that_does_not_fit_is_thrown_away_so_that_the_next_fetch_succeeds(make):
    net = make("a/file")
    net.folder.mkdir()
    net.part.write_bytes(BYTES[::-1][:1000])
    with pytest.raises(BenchmarkError, match="what came has sha256"):
        net.fetch()
    net.fetch()
    assert net.path.read_bytes() == BYTES


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("a/other", "a: what came has sha256"),
        ("a/html", r"a: answered with a web page \(HTML\)"),
        ("a/page", "a: sent an error page"),
        ("a/lfs", "a: sent a Git LFS pointer"),
        ("a/json", r"a: sent an error message \(JSON\)"),
        ("a/empty", "a: sent nothing"),
        ("a/nothing", "a: HTTP 404 Not Found"),
        ("offline/file", "offline: Name or service not known"),
        ("downgraded/file", r"downgraded: leads to http://elsewhere/x, which is not https; refused"),
    ],
)
def test_what_is_not_the_file_is_refused_in_one_line_and_leaves_no_file(make, server, url, says):
    server.pages |= {"/lfs": b"version https://git-lfs.github.com/spec/v1\n", "/json": b'{"error": "gated"}'}
    server.pages["/empty"] = b""
    net = make(url)
    with pytest.raises(BenchmarkError, match=says) as error:
        net.fetch()
    assert f"put the file at {net.path} by hand" in str(error.value)
    assert SHA256 in str(error.value)
    assert "\n" not in str(error.value)
    assert left(net) == []


def test_another_size_is_refused_before_anything_is_fetched(make):
    net = make("a/short", size=len(BYTES))
    with pytest.raises(BenchmarkError, match="offers 511,999 bytes, expected 512,000"):
        net.fetch()


def test_mirrors_are_tried_in_order_until_one_gives_the_file(make, server):
    net = make("offline/file", "a/nothing", "a/page", "a/other", "a/file")
    net.fetch()
    assert net.path.read_bytes() == BYTES
    assert [request[0] for request in server.requests] == ["/nothing", "/page", "/other", "/file"]


def test_redirects_and_addresses_other_than_https_are_refused(make):
    opener = fetching.https_opener()
    for url in ("http://127.0.0.1:1/x", "file:///etc/passwd", "ftp://127.0.0.1/x"):
        with pytest.raises(urllib.error.URLError, match="unknown url type"):
            opener(url, {})
    handler, request = fetching._HttpsOnly(), urllib.request.Request("https://a.test/x", headers={"Range": "bytes=5-"})
    assert handler.redirect_request(request, None, 302, "", {}, "https://b.test/y").headers["Range"] == "bytes=5-"
    with pytest.raises(fetching.FetchError, match="not https"):
        handler.redirect_request(request, None, 302, "", {}, "http://b.test/y")


def test_a_link_that_leads_out_of_the_folder_is_not_followed(make, tmp_path):
    net = make("a/file", path="deep/net.pt")
    net.folder.mkdir()
    (tmp_path / "outside").mkdir()
    (net.folder / "deep").symlink_to(tmp_path / "outside")
    with pytest.raises(BenchmarkError, match="leads out of"):
        net.fetch()
    assert not list((tmp_path / "outside").iterdir())


def test_two_fetches_of_one_file_do_not_mix(make):
    fcntl = pytest.importorskip("fcntl")
    net = make("a/file")
    net.folder.mkdir()
    with open(net.part, "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BenchmarkError, match="another process"):
            net.fetch()


def test_a_full_disk_is_said_before_anything_is_fetched(make, monkeypatch):
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(BenchmarkError, match="needs 512,000 bytes more, 1,000 are free"):
        make("a/file").fetch()


# --------------------------------------------------------------------------------------------------------- command line
def test_the_command_lists_locates_fetches_and_verifies(make, opener, monkeypatch, capsys):
    net = make("a/file")
    monkeypatch.setattr(fetching, "https_opener", lambda: opener)

    def weights(*words):
        status = cli.main(["weights", *words, "--dir", str(net.folder), "--registry", str(net.registry)])
        out = capsys.readouterr()
        return status, out.out, out.err

    assert "absent" in weights("list")[1]
    assert weights("where", "net") == (0, f"net  {net.path}\n", "")
    assert weights("verify")[0] == 0
    assert weights("verify", "net")[0] == 2
    assert "name what to fetch: net" in weights("fetch")[2]
    assert weights("fetch", "net") == (0, f"net: {net.path}: fetched, checked\n", "")
    assert weights("fetch", "net") == (0, f"net: {net.path}: already here, checked\n", "")
    assert weights("verify") == (0, f"net: {net.path}: sha256 {SHA256}: right\n", "")
    assert "here" in weights("list")[1]
    os.truncate(net.path, 100)
    status, _, err = weights("verify")
    assert status == 2
    assert err.startswith("error: weights net: ")
    assert err.count("\n") == 1
