"""Credentials, TLS and hosts: what the elasticsearch output says on the wire and whom it believes."""

import base64
import ssl
import subprocess

import pytest

from fake_es import FakeEs
from shipping import PATIENCE_S, elastic, summary, write_config

GIVES_UP_S = 100  # a replay has patience for two minutes with what may pass


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("".join(f"line {n}\n" for n in range(500)))
    return path


def replay_args(tmp_path, path, **output):
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": ["unused"]}], [elastic(**output)])
    return ["--replay", path, "-c", config, "--state", tmp_path / "state"]


# ---- credentials -----------------------------------------------------------------------------------


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


CREDENTIALS = {
    "basic": ({"user": "ship", "password": "pass:word ü"}, basic("ship", "pass:word ü")),
    "key of two parts": ({"api_key": "id:secret"}, "ApiKey " + base64.b64encode(b"id:secret").decode()),
    "encoded key": ({"api_key": "aWQ6c2VjcmV0"}, "ApiKey aWQ6c2VjcmV0"),
}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_credentials_from_the_configuration(run_ship, log, fake_es, tmp_path, name):
    options, header = CREDENTIALS[name]
    fake_es.authorization = header
    done = run_ship(replay_args(tmp_path, log, url=fake_es.url, **options)).expect(0)
    assert summary(done).delivered == 500
    assert {request.headers.get("Authorization") for request in fake_es.requests} == {header}


def test_credentials_from_a_file(run_ship, log, fake_es, tmp_path):
    (tmp_path / "key").write_text("id:secret\nnot this line\n")
    fake_es.authorization = CREDENTIALS["key of two parts"][1]
    run_ship(replay_args(tmp_path, log, url=fake_es.url, api_key=f"${{file:{tmp_path}/key}}")).expect(0)
    assert fake_es.count() == 500


@pytest.mark.parametrize(
    "args, env, header",
    [
        (["--user", "ship:secret"], {}, basic("ship", "secret")),
        (["--api-key", "id:secret"], {}, CREDENTIALS["key of two parts"][1]),
        ([], {"SHIP_USER": "ship:secret"}, basic("ship", "secret")),
        ([], {"SHIP_API_KEY": "id:secret"}, CREDENTIALS["key of two parts"][1]),
    ],
    ids=["--user", "--api-key", "SHIP_USER", "SHIP_API_KEY"],
)
def test_credentials_from_the_command_line(run_ship, log, fake_es, args, env, header):
    fake_es.authorization = header
    run_ship(["--replay", log, "--to", fake_es.url, *args], env=env).expect(0)
    assert fake_es.count() == 500


def test_credentials_in_the_url(run_ship, log, fake_es):
    fake_es.authorization = basic("ship", "p@ss")
    run_ship(["--replay", log, "--to", f"http://ship:p%40ss@127.0.0.1:{fake_es.port}"]).expect(0)
    assert fake_es.count() == 500


# ---- the request -----------------------------------------------------------------------------------


def test_what_a_request_looks_like(run_ship, log, fake_es, index):
    run_ship(["--replay", log, "--to", fake_es.url, "--index", index]).expect(0)
    for request in fake_es.requests:
        assert request.path == f"/{index}/_bulk"
        assert request.headers["Content-Encoding"] == "gzip"
        assert request.headers["Content-Type"] == "application/x-ndjson"
        assert "Expect" not in request.headers
        assert request.wire_bytes < request.plain_bytes / 4


# ---- TLS -------------------------------------------------------------------------------------------


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True, timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """ca.pem, server certificates of it (good for 127.0.0.1, for another name, expired), and one signed by itself."""
    place = tmp_path_factory.mktemp("tls")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", f"{place}/ca.key", "-out", f"{place}/ca.pem", "-subj", "/CN=test CA", "-days", "2")
    for name, who, days in (("good", "IP:127.0.0.1", 2), ("other", "DNS:other.example", 2), ("expired", "IP:127.0.0.1", -1)):
        request = ["-keyout", f"{place}/{name}.key", "-out", f"{place}/{name}.csr", "-subj", f"/CN={name}"]
        openssl("req", *key, *request)
        (place / "ext").write_text(f"subjectAltName={who}\n")
        signer = ["-CA", f"{place}/ca.pem", "-CAkey", f"{place}/ca.key", "-CAcreateserial", "-days", str(days)]
        openssl("x509", "-req", "-in", f"{place}/{name}.csr", *signer, "-extfile", f"{place}/ext", "-out", f"{place}/{name}.pem")
    self_signed = ["-keyout", f"{place}/self.key", "-out", f"{place}/self.pem", "-subj", "/CN=self", "-days", "2"]
    openssl("req", "-x509", *key, *self_signed, "-addext", "subjectAltName=IP:127.0.0.1")
    return place


@pytest.fixture
def tls_es(certificates):
    """tls_es(name) -> a FakeEs that speaks TLS with that certificate."""
    started = []

    def start(name="good"):
        fake = FakeEs()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
        # The handshake belongs to the connection's own thread.
        fake.tls = context
        fake._server.socket = context.wrap_socket(fake._server.socket, server_side=True, do_handshake_on_connect=False)
        started.append(fake.start())
        return fake

    yield start
    for fake in started:
        fake.stop()


def https(fake):
    return f"https://127.0.0.1:{fake.port}"


def test_a_server_of_our_own_authority(run_ship, log, tls_es, certificates):
    fake = tls_es()
    args = ["--replay", log, "--to", https(fake), "--ca-file", certificates / "ca.pem", "--user", "ship:secret"]
    fake.authorization = basic("ship", "secret")
    assert summary(run_ship(args).expect(0)).delivered == 500
    assert fake.count() == 500


UNTRUSTED = {
    "nobody vouches for it": ("good", False, "unable to get local issuer certificate"),
    "by itself": ("self", True, "self-signed certificate"),
    "another name": ("other", True, "127.0.0.1"),
    "expired": ("expired", True, "certificate has expired"),
}


@pytest.mark.parametrize("name", UNTRUSTED)
def test_a_server_that_is_not_trusted(run_ship, log, tls_es, certificates, name):
    certificate, knows_authority, said = UNTRUSTED[name]
    fake = tls_es(certificate)
    trust = ["--ca-file", certificates / "ca.pem"] if knows_authority else []
    done = run_ship(["--replay", log, "--to", https(fake), *trust, "--user", "ship:top-Secret"]).expect(1)
    assert fake.requests == []  # not a byte of it, the password least of all
    assert f"{https(fake)}: not trusted: " in done.stderr and said in done.stderr and "tls.ca_file" in done.stderr
    assert "top-Secret" not in done.stderr
    assert done.seconds < GIVES_UP_S  # nobody mends it while a replay waits


def test_a_certificate_that_is_renewed(start_ship, log, tls_es, certificates, tmp_path):
    """The service holds, tells, and goes on when it is mended at the far side."""
    fake = tls_es("expired")
    output = elastic(https(fake), tls={"ca_file": str(certificates / "ca.pem")})
    inputs = [{"type": "file", "paths": [str(log)]}]
    more = {"state": str(tmp_path / "state"), "retry": {"initial": "10ms", "max": "100ms"}}
    ship = start_ship(["run", "-c", write_config(tmp_path / "ship.yaml", inputs, [output], **more)])
    ship.wait_for(lambda: "certificate has expired" in ship.stderr)
    fake.tls.load_cert_chain(certificates / "good.pem", certificates / "good.key")
    fake.wait_for(lambda fake: fake.count() == 500)
    ship.wait_for(lambda: "answering again" in ship.stderr)
    assert ship.stderr.count("certificate has expired") == 1
    assert ship.stop().rc == 0


def test_verification_can_be_left_out(run_ship, log, tls_es, tmp_path):
    fake = tls_es("other")
    run_ship(replay_args(tmp_path, log, url=https(fake), tls={"verify": False})).expect(0)
    assert fake.count() == 500


def test_a_ca_file_that_is_not_there(run_ship, log, tls_es, tmp_path):
    fake = tls_es()
    done = run_ship(["--replay", log, "--to", https(fake), "--ca-file", tmp_path / "nothing.pem"])
    assert done.rc in (1, 2)
    assert str(tmp_path / "nothing.pem") in done.stderr
    assert done.seconds < GIVES_UP_S


# ---- several hosts ---------------------------------------------------------------------------------


def test_one_of_three_hosts_is_dead(run_ship, log, fake_es, free_port, tmp_path):
    with FakeEs() as other:
        urls = [f"http://127.0.0.1:{free_port}", fake_es.url, other.url]
        done = run_ship(replay_args(tmp_path, log, url=urls, batch={"max_events": 20})).expect(0)
        assert summary(done).delivered == 500
        assert fake_es.count() + other.count() == 500
        assert fake_es.count() and other.count()
        assert done.seconds < GIVES_UP_S


def test_a_host_dies_on_the_way(start_ship, tmp_path, fake_es):
    path = tmp_path / "app.log"
    path.write_text("".join(f"line {n}\n" for n in range(3000)))
    dying = FakeEs(latency_s=0.02).start()
    output = elastic([dying.url, fake_es.url], batch={"max_events": 20})
    fake_es.latency_s = 0.02
    config = write_config(tmp_path / "ship.yaml", [{"type": "file", "paths": [str(path)]}], [output], state=str(tmp_path / "state"))
    ship = start_ship(["run", "-c", config])
    try:
        dying.wait_for(lambda fake: fake.count() > 200)
    finally:
        dying.stop()
    # An answer that was cut off is sent again to the other one: there it is no duplicate.
    fake_es.wait_for(lambda fake: len(fake.documents.keys() | dying.documents.keys()) == 3000)
    assert ship.stop().rc == 0
