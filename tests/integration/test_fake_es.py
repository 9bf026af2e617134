"""The fault server does what it says; a test that leans on it must be able to trust it."""

import contextlib
import gzip
import http.client
import json
import socket
import threading

import pytest

import fake_es as faults
from shipping import PATIENCE_S

EVENT = {"@timestamp": "2026-01-05T10:11:12Z", "message": "hi"}


def body_of(*ids, **extra):
    lines = []
    for key in ids:
        lines += [json.dumps({"create": {"_id": key}}), json.dumps({**EVENT, "n": key, **extra})]
    return "".join(line + "\n" for line in lines).encode()


def post(fake, body, **headers):
    """(status, reply, headers) of one _bulk on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=PATIENCE_S)
    try:
        connection.request("POST", "/logs-x/_bulk", body, {"Content-Type": "application/x-ndjson", **headers})
        reply = connection.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text or reply.status != 413 else None, reply.headers
    finally:
        connection.close()


def item_statuses(reply):
    return [item["create"]["status"] for item in reply["items"]]


def test_stores_what_it_acknowledges_and_answers_409_the_second_time(fake_es):
    status, reply, _ = post(fake_es, gzip.compress(body_of("a", "b")), **{"Content-Encoding": "gzip"})
    assert (status, item_statuses(reply), reply["errors"]) == (200, [201, 201], False)
    status, reply, _ = post(fake_es, body_of("b", "c"))
    assert (status, item_statuses(reply), reply["errors"]) == (200, [409, 201], True)
    assert list(fake_es.documents) == ["a", "b", "c"]
    assert (fake_es.duplicates, fake_es.attempts["b"]) == (1, 2)


def test_faults_come_in_order_and_then_end(fake_es):
    fake_es.faults(faults.status(429, retry_after=7), faults.status(503, times=2))
    status, _, headers = post(fake_es, body_of("a"))
    assert (status, headers["Retry-After"]) == (429, "7")
    assert [post(fake_es, body_of("a"))[0] for _ in range(3)] == [503, 503, 200]
    assert fake_es.count() == 1


@pytest.mark.parametrize(
    "fault, is_stored",
    [
        (faults.drop_before(), False),
        (faults.drop_after(), True),
        (faults.cut_reply(), True),
        (faults.cut_headers(), True),
        (faults.stall(seconds=0.1), False),
        (faults.stall_after(seconds=0.1), True),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_no_reply_arrives_whole(fake_es, fault, is_stored):
    fake_es.faults(fault)
    with pytest.raises((http.client.HTTPException, ConnectionError, ValueError)):
        status, reply, _ = post(fake_es, body_of("a"))
        item_statuses(reply)
    assert fake_es.count() == int(is_stored)
    assert item_statuses(post(fake_es, body_of("a"))[1]) == [409 if is_stored else 201]


def test_a_reply_with_items_missing_stored_just_those(fake_es):
    fake_es.faults(faults.short_items(0.5))
    assert len(post(fake_es, body_of("a", "b", "c", "d"))[1]["items"]) == 2
    assert list(fake_es.documents) == ["a", "b"]


def test_rules_hit_single_items_and_only_so_often(fake_es):
    fake_es.item_rule('"n": "b"', 429, "es_rejected_execution_exception", "full", times=1)
    assert item_statuses(post(fake_es, body_of("a", "b", "c"))[1]) == [201, 429, 201]
    assert item_statuses(post(fake_es, body_of("b"))[1]) == [201]


def test_limits_size_and_credentials(fake_es):
    fake_es.max_bytes = 100
    assert post(fake_es, gzip.compress(body_of("a", pad="x" * 200)), **{"Content-Encoding": "gzip"})[0] == 413
    fake_es.clear()
    fake_es.authorization = "ApiKey good"
    assert post(fake_es, body_of("a"))[0] == 401
    assert post(fake_es, body_of("a"), Authorization="ApiKey good")[0] == 200


@pytest.mark.parametrize(
    "body, status",
    [
        (b"", 400),
        (body_of("a")[:-1], 400),
        (b'{"create":{"_id":"%s"}}\n{}\n' % (b"x" * 513), 400),
        (b'{"create":{"_type":"x"}}\n{}\n', 400),
        (b"not json\n{}\n", 400),
    ],
    ids=["empty", "no last newline", "long id", "unknown key", "no action"],
)
def test_refuses_a_request_as_the_real_one_does(fake_es, body, status):
    assert post(fake_es, body)[0] == status
    assert fake_es.count() == 0


@pytest.mark.parametrize(
    "source",
    [b"{", b"{}", b'{"@timestamp":1,"a":1,"a":2}', b'{"@timestamp":1,"a":NaN}', b'{"@timestamp":1,"a":"\x01"}', b'{"@timestamp":1,"a":"\xff"}'],
    ids=["broken", "no time", "twins", "nan", "control byte", "utf-8"],
)
def test_refuses_an_item_and_not_its_neighbour(fake_es, source):
    body = b'{"create":{"_id":"bad"}}\n' + source + b"\n" + body_of("good")
    assert item_statuses(post(fake_es, body)[1]) == [400, 201]
    assert list(fake_es.documents) == ["good"]


def test_cut_gzip_gets_no_reply(fake_es):
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        post(fake_es, gzip.compress(body_of("a"))[:-9], **{"Content-Encoding": "gzip"})
    assert fake_es.count() == 0


def test_drop_is_a_reset_not_an_orderly_end(fake_es):
    fake_es.faults(faults.drop_before())
    with socket.create_connection(("127.0.0.1", fake_es.port), timeout=PATIENCE_S) as connection:
        head = "POST /logs-x/_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        connection.sendall(head.encode())
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_counts_requests_open_at_one_time():
    def post_and_wait(fake, n):
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            post(fake, body_of(str(n)))

    with faults.FakeEs() as fake:
        fake.faults(faults.stall_after(times=3))
        threads = [threading.Thread(target=post_and_wait, args=(fake, n)) for n in range(3)]
        for thread in threads:
            thread.start()
        fake.wait_for(lambda fake: fake.count() == 3)
    for thread in threads:
        thread.join()
    assert (fake.peak_concurrent, fake.count()) == (3, 3)


def test_quiet_is_when_the_last_request_has_ended():
    """Also one that was sent by somebody who has gone since."""
    with faults.FakeEs() as fake:
        fake.faults(faults.slow(0.3))
        body = body_of("a")
        head = f"POST /logs-x/_bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", fake.port), timeout=PATIENCE_S) as connection:
            connection.sendall(head.encode() + body)
        fake.wait_quiet()
        assert fake.count() == 1 and fake.requests[0].took_s >= 0.3


def test_chaos_is_the_same_for_the_same_seed():
    def life(seed):
        with faults.FakeEs() as fake:
            fake.set_chaos(seed, (0.3, faults.status(429)), (0.2, faults.status(503)))
            return [post(fake, body_of("a"))[0] for _ in range(20)]

    assert life(1) == life(1)
    assert {200, 429, 503} == set(life(1))


def test_is_scripted_from_outside(fake_es):
    connection = http.client.HTTPConnection("127.0.0.1", fake_es.port, timeout=PATIENCE_S)
    connection.request("POST", "/__control", json.dumps({"faults": [{"kind": "status", "status": 503}]}))
    assert connection.getresponse().read() == b"{}"
    assert post(fake_es, body_of("a"))[0] == 503
    assert post(fake_es, body_of("a"))[0] == 200
    connection.request("GET", "/__state")
    assert json.load(connection.getresponse())["documents"] == 1
    connection.close()
