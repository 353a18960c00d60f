"""The webhook over HTTP: nothing false is accepted, nothing true is lost, nothing is signaled twice."""

import io
import json
import logging
from hashlib import sha256
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kordless_booking.booking.hashes import delivery_hash
from kordless_booking.booking.tokens import decrypt_token
from kordless_booking.models import BookingProjection, WebhookDelivery
from kordless_booking.views.webhook import MAX_BODY_BYTES
from kordless_booking.webhooks.signature import SCHEMES, SignatureScheme
from tests.support.clock import NOW
from tests.support.deliveries import NEW, OLD, Delivery, delivery, event_body
from tests.support.failing_database import refused_writes
from tests.support.signal_receiver import SignalRecorder
from tests.support.urlconfs import mounted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("hooked")]

URL = "/book/webhook/"
CANCELLED = "booking.cancelled"
UPDATED = "booking.updated"


@pytest.fixture(autouse=True)
def every_line(caplog: pytest.LogCaptureFixture) -> None:
    """Quiet ones too."""
    caplog.set_level(logging.INFO, "kordless_booking")


def refused(caplog: pytest.LogCaptureFixture, recorder: SignalRecorder, level: int = logging.WARNING) -> str:
    """The one line that a refusal leaves, after a look that it leaves nothing else."""
    assert WebhookDelivery.objects.count() == BookingProjection.objects.count() == 0
    assert recorder.calls == recorder.events == []
    [line] = [record for record in caplog.records if record.name.startswith(("kordless_booking", "django"))]
    assert line.levelno == level
    text = line.getMessage()
    assert "canary" not in text.lower()
    assert "BOOK_AB12" not in text
    assert NEW not in text
    caplog.clear()
    return text


def test_a_genuine_delivery(client: Client, recorder: SignalRecorder):
    """Stored, signaled, and answered with 200 and nothing that a cache may store."""
    sent = delivery()
    answer = sent.post(client)
    assert (answer.status_code, answer.json()) == (200, {"received": "processed"})
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies
    assert recorder.calls == [("created", "webhook", "02 15:00")]
    assert recorder.events == ["booking.created"]
    [row] = WebhookDelivery.objects.all()
    assert (row.account, row.kind, row.outcome, row.received_at) == ("default", "booking.created", "processed", NOW)
    assert row.delivery_id == sent.headers["X-Kordless-Webhook-Id"]
    assert "canary" not in str(vars(row)).lower()
    kept = decrypt_token("delivery", "default", row.encrypted, max_age=60, now=NOW.timestamp())
    assert kept["body"].encode() == sent.body


def test_w1_a_flipped_bit(client: Client, recorder: SignalRecorder, caplog: pytest.LogCaptureFixture):
    """Nothing is parsed, stored or signaled: not even a body that is no JSON anymore is complained of as such."""
    sent = delivery()
    for place in (0, len(sent.body) // 2, -1):
        changed = bytearray(sent.body)
        changed[place] ^= 1
        assert sent.but(body=bytes(changed)).post(client).status_code == 401
    lines = [record for record in caplog.records if "webhook" in record.getMessage()]
    assert [record.levelno for record in lines] == [logging.WARNING, logging.INFO, logging.INFO]
    caplog.clear()
    assert sent.but(body=b"{").post(client).status_code == 401
    assert "webhook_signature_invalid status=401 account=default req=" in refused(caplog, recorder, logging.INFO)


def test_w2_the_same_json_in_other_bytes(client: Client, recorder: SignalRecorder, caplog: pytest.LogCaptureFixture):
    """The signature is over the raw bytes, not over what they mean."""
    sent = delivery()
    written_anew = json.dumps(json.loads(sent.body), separators=(",", ":")).encode()
    assert sent.but(body=written_anew).post(client).status_code == 401
    refused(caplog, recorder)


@pytest.mark.parametrize(("off", "status"), [(-301, 401), (301, 401), (-299, 200), (299, 200)])
def test_w3_a_timestamp_five_minutes_off(client: Client, off: int, status: int):
    """In both directions, however well it is signed."""
    assert delivery(at=NOW.timestamp() + off).post(client).status_code == status


@pytest.mark.parametrize("at", ["nan", "inf", "-1", "1e400", "\u0661\u0667", "17_0", "9" * 5000, "", "1,2"])
def test_w4_a_timestamp_that_is_none(
    client: Client, recorder: SignalRecorder, caplog: pytest.LogCaptureFixture, at: str
):
    """Rejected before anything is hashed, with a signature that would fit."""
    assert delivery(at=at).post(client).status_code == 401
    assert "webhook_stale" in refused(caplog, recorder)


@pytest.mark.parametrize("signature", ["sig\xe9", "a" * 63, "f" * 1_000_000, "v2=abc", None, "", "'; DROP TABLE x; --"])
def test_w5_a_signature_that_is_none(
    client: Client, recorder: SignalRecorder, caplog: pytest.LogCaptureFixture, signature: str | None
):
    """401, and never an accident."""
    assert delivery().but(Signature=signature).post(client).status_code == 401
    assert "webhook_signature_invalid" in refused(caplog, recorder)


def test_w6_rotation(client: Client, hooked: Any, account_settings: dict[str, Any]):
    """The old secret passes beside the new one, and not after it; of several signatures one that fits is enough."""
    assert delivery(secret=OLD).post(client).status_code == 200
    several = delivery(event_body(UPDATED))
    good = several.headers["X-Kordless-Signature"]
    assert several.but(Signature=f"bad,{good}").post(client).status_code == 200
    hooked.KORDLESS_BOOKING = {**account_settings, "WEBHOOK_SECRETS": NEW}
    assert delivery(event_body(CANCELLED), secret=OLD).post(client).status_code == 401


def test_w7_the_same_delivery_again(client: Client, recorder: SignalRecorder):
    """200 and silence; tests/processes posts it many times at one moment."""
    sent = delivery()
    assert [sent.post(client).json()["received"] for _ in range(3)] == ["processed", "duplicate", "duplicate"]
    assert recorder.names == ["created"]
    assert recorder.events == ["booking.created"]


def test_w8_the_same_id_with_another_body(client: Client, recorder: SignalRecorder, caplog: pytest.LogCaptureFixture):
    """The first one counts, and the operator hears of it."""
    delivery(delivery_id="dlv_same").post(client)
    answer = delivery(event_body(CANCELLED), delivery_id="dlv_same").post(client)
    assert answer.json() == {"received": "duplicate"}
    assert recorder.names == ["created"]
    [line] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "webhook_id_reused" in line.getMessage()


def test_the_same_body_under_another_id_is_a_replay(
    client: Client, recorder: SignalRecorder, caplog: pytest.LogCaptureFixture
):
    """Where only the body is signed, id and timestamp are anybody's to make up."""
    sent = delivery()
    sent.post(client)
    again = sent.but(**{"Webhook-Id": "dlv_other"}).post(client)
    assert again.json() == {"received": "duplicate"}
    assert recorder.names == ["created"]
    assert "webhook_replayed" in caplog.text


def test_a_delivery_counts_for_one_of_two_accounts_that_share_a_secret(
    client: Client,
    recorder: SignalRecorder,
    site: Any,
    account_settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
):
    """A delivery that was signed for one account is not believed at the other's URL, not even under a new id."""
    both = {name: {**account_settings, "WEBHOOK_SECRETS": [NEW]} for name in ("north", "south")}
    site.KORDLESS_BOOKING = {"ACCOUNTS": {**both, "east": {**account_settings, "WEBHOOK_SECRETS": [OLD]}}}
    site.ROOT_URLCONF = mounted("north", "south", "east")
    sent = delivery()
    assert sent.post(client, "/0/webhook/").json() == {"received": "processed"}
    for again in (sent, sent.but(**{"Webhook-Id": "dlv_other"})):
        assert again.post(client, "/1/webhook/").json() == {"received": "duplicate"}
    assert recorder.names == ["created"]
    assert [row.account for row in WebhookDelivery.objects.all()] == ["north"]
    assert "webhook_replayed account=south" in caplog.text
    # An account with a secret of its own is not concerned: an id is unique at one webhook alone.
    own = delivery(secret=OLD, delivery_id=sent.headers["X-Kordless-Webhook-Id"])
    assert own.post(client, "/2/webhook/").json() == {"received": "processed"}


def test_no_id_of_one_account_suppresses_a_delivery_of_another(
    client: Client, recorder: SignalRecorder, site: Any, account_settings: dict[str, Any]
):
    """Ids aren't signed: whoever sends one first, under a shared secret too, keeps no other business from its news."""
    both = {name: {**account_settings, "WEBHOOK_SECRETS": [NEW]} for name in ("north", "south")}
    site.KORDLESS_BOOKING = {"ACCOUNTS": both}
    site.ROOT_URLCONF = mounted("north", "south")
    assert delivery(delivery_id="dlv_same").post(client, "/0/webhook/").json() == {"received": "processed"}
    other = delivery(event_body(CANCELLED), delivery_id="dlv_same")
    assert other.post(client, "/1/webhook/").json() == {"received": "processed"}
    assert recorder.names == ["created", "cancelled"]


def test_a_delivery_is_known_again_after_the_secret_key_was_rotated(
    client: Client, recorder: SignalRecorder, site: Any
):
    """A body that came under the old key is a duplicate, under its own id and under another one."""
    sent = delivery()
    sent.post(client)
    site.SECRET_KEY, site.SECRET_KEY_FALLBACKS = "a-new-key-for-this-test", [site.SECRET_KEY]
    for again in (sent, sent.but(**{"Webhook-Id": "dlv_other"})):
        assert again.post(client).json() == {"received": "duplicate"}
    assert recorder.names == ["created"]


def test_the_hash_of_a_body_reveals_nothing_without_the_key(client: Client, site: Any):
    """The hash stays when an erasure empties the body, and a plain one could be found by trying names and numbers."""
    sent = delivery()
    sent.post(client)
    [row] = WebhookDelivery.objects.all()
    assert row.body_hash != sha256(sent.body).hexdigest()
    assert row.body_hash == delivery_hash(sha256(sent.body).hexdigest())
    site.SECRET_KEY = "another-key-for-this-test"
    assert row.body_hash != delivery_hash(sha256(sent.body).hexdigest())


def test_w9_a_receiver_that_fails_twice(client: Client, recorder: SignalRecorder, caplog: pytest.LogCaptureFixture):
    """Each failure undoes everything and asks for another try, which then works: nothing is known and yet lost."""
    sent = delivery()
    for _ in range(2):
        recorder.failures = 1
        assert sent.post(client).status_code == 500
        assert WebhookDelivery.objects.count() == BookingProjection.objects.count() == 0
    [loud, quiet] = [record for record in caplog.records if "receiver_failed" in record.getMessage()]
    assert (loud.levelno, quiet.levelno) == (logging.ERROR, logging.INFO)
    assert "error=LookupError at=tests.support.signal_receiver:" in loud.getMessage()
    assert "canary" not in caplog.text
    assert sent.post(client).json() == {"received": "processed"}
    assert recorder.names == ["created"]


@pytest.mark.parametrize("late", ["booking.created", UPDATED])
def test_w10_out_of_order(client: Client, recorder: SignalRecorder, late: str):
    """A canceled booking stays canceled, whatever arrives late."""
    delivery(event_body(CANCELLED, at="2026-12-01T14:59:30Z")).post(client)
    answer = delivery(event_body(late, at="2026-12-01T14:58:00Z", startsAt="2026-12-02T14:30:00Z")).post(client)
    assert answer.json() == {"received": "superseded"}
    assert recorder.names == ["cancelled"]
    assert recorder.events == [CANCELLED, late]
    assert BookingProjection.objects.get().canceled


def test_w11_unknown_kinds_and_fields(client: Client, recorder: SignalRecorder):
    """Stored and passed on, and nothing to try again."""
    answer = delivery(b'{"event": "customer.created", "shoe_size": 43}').post(client)
    assert (answer.status_code, answer.json()) == (200, {"received": "other"})
    assert recorder.events == ["customer.created"]
    assert recorder.calls == []
    assert WebhookDelivery.objects.get().outcome == "other"


def test_w12_a_database_that_is_down(client: Client, recorder: SignalRecorder, caplog: pytest.LogCaptureFixture):
    """503, so that Kordless tries again; and the next try works."""
    sent = delivery()
    with refused_writes("INSERT"):
        answer = sent.post(client)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "30"
    assert "webhook_not_recorded" in refused(caplog, recorder, logging.ERROR)

    def gone(*_args: object) -> None:
        raise OperationalError("the server closed the connection")

    with connection.execute_wrapper(gone):
        assert sent.post(client).status_code == 503
    assert sent.post(client).status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "trace"])
def test_w13_other_methods(client: Client, method: str):
    """405, with the ones there are; HEAD and OPTIONS are answered, for whoever tries whether the address is there."""
    answer = getattr(client, method)(URL)
    assert answer.status_code == 405
    for harmless in (client.head(URL), client.options(URL)):
        assert harmless.status_code in {200, 204}
        assert answer["Allow"] == harmless["Allow"] == "POST, HEAD, OPTIONS"


def test_w13_no_cookie_is_needed(recorder: SignalRecorder):
    """Nor anything else that a browser would bring."""
    strict = Client(enforce_csrf_checks=True)
    assert delivery().post(strict).status_code == 200
    assert strict.post("/admin/login/", {}).status_code == 403


class Endless(io.RawIOBase):
    """A body that never ends and counts what is read of it."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "reads without a limit"
        self.given += size
        return b"x" * size


def posted(body: Any, **environ: Any) -> int:
    """The status of a request that is made of nothing but this."""
    environment = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": URL,
        "wsgi.input": body,
        "HTTP_X_KORDLESS_WEBHOOK_ID": "dlv_1",
    }
    return Client().request(**{**environment, **environ}).status_code


def test_w14_too_large_by_its_own_word(recorder: SignalRecorder, caplog: pytest.LogCaptureFixture):
    """413 without a byte being read."""
    body = Endless()
    for length in (str(10 * 1024 * 1024), "9" * 40, str(MAX_BODY_BYTES + 1)):
        assert posted(body, CONTENT_LENGTH=length) == 413
    assert body.given == 0
    caplog.clear()
    assert posted(body, CONTENT_LENGTH=str(MAX_BODY_BYTES + 1)) == 413
    assert "webhook_too_large" in refused(caplog, recorder, logging.INFO)


def test_w14_too_large_without_a_word():
    """A chunked body is read no further than the limit, and one that can't be measured is not read at all."""
    body = Endless()
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked"}
    assert posted(body, **chunked, **{"wsgi.input_terminated": True}) == 413
    assert body.given <= MAX_BODY_BYTES + 1
    assert posted(io.BytesIO(b"{}"), **chunked) == 413


def test_a_small_chunked_body_is_taken(recorder: SignalRecorder):
    """From a server that says where it ends."""
    sent = delivery()
    names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.headers.items()}
    ends = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    assert posted(io.BytesIO(sent.body), **names, **ends) == 200
    assert recorder.names == ["created"]


def test_a_body_that_stops_short(caplog: pytest.LogCaptureFixture, recorder: SignalRecorder):
    """The line was cut: what arrived is no delivery."""

    class Cut(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("connection reset by canary")

    assert posted(Cut(), CONTENT_LENGTH="100") == 400
    assert "reason=truncated" in refused(caplog, recorder)


def test_the_largest_body_is_taken(client: Client):
    """256 KiB with everything in it."""
    filled = event_body(notes="")
    body = event_body(notes="x" * (MAX_BODY_BYTES - len(filled)))
    assert len(body) == MAX_BODY_BYTES
    assert delivery(body).post(client).status_code == 200
    assert delivery(body + b" ").post(client).status_code == 413


def test_w16_what_changed_is_looked_at_again(client: Client, sandbox: Any):
    """All times of the service that the event names, near and far, and no other service."""
    for page in ("haircut/", "haircut/?month=2027-01", "full-color/"):
        client.get(f"/book/{page}")
    sandbox.clear_requests()
    delivery(event_body(CANCELLED, startsAt="2027-01-01T04:30:00Z", endsAt="2027-01-01T05:30:00Z")).post(client)
    assert sandbox.requests == []
    for page in ("haircut/", "haircut/?month=2027-01", "full-color/"):
        client.get(f"/book/{page}")
    queries = [request.query for request in sandbox.requests]
    assert len(queries) == 1
    assert "service_slug=haircut" in queries[0]


def test_w17_a_delivery_costs_a_few_queries_and_kordless_nothing(
    client: Client, sandbox: Any, django_assert_max_num_queries: Any
):
    """However many came before; `python -m benchmarks --only deliveries` measures how long they take."""
    client.get("/book/haircut/")
    sandbox.clear_requests()
    for number in range(30):
        sent = delivery(event_body(confirmation_number=f"BOOK_{number:08}"))
        with django_assert_max_num_queries(14):
            assert sent.post(client).status_code == 200
    assert sandbox.requests == []


def test_a_mistake_of_ours_is_tried_again(client: Client, hooked: Any, caplog: pytest.LogCaptureFixture):
    """500 and one line without the error's message, which may repeat the body; the next try works."""
    sent = delivery()

    def mistake(*_args: object) -> None:
        raise LookupError("canary@example.com")

    with connection.execute_wrapper(mistake):
        assert sent.post(client).status_code == 500
    [line] = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert line.startswith("event=webhook_failed status=500 account=default delivery=dlv_")
    assert "error=LookupError at=tests.webhooks.test_receiving:" in line
    assert "canary" not in caplog.text
    hooked.DEBUG = True
    with connection.execute_wrapper(mistake), pytest.raises(LookupError):
        sent.post(client)
    assert sent.post(client).json() == {"received": "processed"}


def test_without_secrets_there_is_no_webhook(
    client: Client, hooked: Any, account_settings: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    """404 whatever is sent, aloud once."""
    hooked.KORDLESS_BOOKING = account_settings
    assert [delivery(secret="x").post(client).status_code for _ in range(3)] == [404] * 3
    lines = [record for record in caplog.records if "webhook_without_secret" in record.getMessage()]
    assert [line.levelno for line in lines] == [logging.WARNING, logging.INFO, logging.INFO]


def test_without_settings_it_can_come_later(client: Client, hooked: Any):
    """503: the operator will mend it, and Kordless tries again."""
    hooked.KORDLESS_BOOKING = {}
    assert delivery().post(client).status_code == 503


@pytest.mark.parametrize("missing", [None, "", " ", "with space", "x" * 201, "\xe9", "line\nbreak"])
def test_an_id_that_is_none(
    client: Client, recorder: SignalRecorder, caplog: pytest.LogCaptureFixture, missing: str | None
):
    """400: without one nobody can tell whether it was here before."""
    assert delivery().but(**{"Webhook-Id": missing}).post(client).status_code == 400
    assert "reason=id" in refused(caplog, recorder)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"event": "booking.created"}', event_body(startsAt=None)])
def test_a_genuine_body_that_is_no_event(
    client: Client, recorder: SignalRecorder, caplog: pytest.LogCaptureFixture, body: bytes
):
    """400, with where it is wrong."""
    assert delivery(body).post(client).status_code == 400
    assert "webhook_malformed" in refused(caplog, recorder)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_another_scheme(
    client: Client,
    hooked: Any,
    account_settings: dict[str, Any],
    recorder: SignalRecorder,
    caplog: pytest.LogCaptureFixture,
    scheme: SignatureScheme,
):
    """Rejected under a setting that doesn't fit, with the one that would; accepted when that is set."""
    sent = delivery(scheme=scheme)
    if scheme != SignatureScheme():
        assert sent.post(client).status_code == 401
        assert f"set {scheme}" in refused(caplog, recorder, logging.ERROR)
    hooked.KORDLESS_BOOKING = {
        **account_settings,
        "WEBHOOK_SECRETS": NEW,
        "WEBHOOK_SIGNED_PAYLOAD": scheme.signed_payload,
        "WEBHOOK_SIGNATURE_ENCODING": scheme.encoding,
    }
    assert sent.post(client).status_code == 200


def test_a_login_wall_and_a_transaction_around_every_request(client: Client, hooked: Any, recorder: SignalRecorder):
    """Kordless has no login, and a failure is rolled back by the webhook itself."""
    hooked.MIDDLEWARE = [*hooked.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert client.get("/page/").status_code == 302
    assert delivery().post(client).status_code == 200
    assert recorder.names == ["created"]


def test_each_account_has_its_own_secret(client: Client, two_accounts: Any, recorder: SignalRecorder):
    """And its own ids: a delivery to one business says nothing about the other."""
    accounts = two_accounts.KORDLESS_BOOKING["ACCOUNTS"]
    two_accounts.KORDLESS_BOOKING = {
        **two_accounts.KORDLESS_BOOKING,
        "ACCOUNTS": {
            "north": {**accounts["north"], "WEBHOOK_SECRETS": NEW},
            "south": {**accounts["south"], "WEBHOOK_SECRETS": OLD},
        },
    }
    assert delivery().post(client, "/south/webhook/").status_code == 401
    for secret, url in ((NEW, "/north/webhook/"), (OLD, "/south/webhook/")):
        assert delivery(delivery_id="dlv_same", secret=secret).post(client, url).json() == {"received": "processed"}
    assert [arguments["account"] for arguments in recorder.arguments] == ["north", "south"]


def test_a_month_old_body_is_emptied(client: Client, clock: Any):
    """The row stays, so that a replay is still known; what it held is gone."""
    first = delivery()
    first.post(client)
    WebhookDelivery.objects.update(id=1)
    clock.shift(31 * 86400)
    for number in range(100):
        delivery(event_body(confirmation_number=f"BOOK_{number:08}")).post(client)
    assert WebhookDelivery.objects.get(pk=1).encrypted == ""
    assert not WebhookDelivery.objects.exclude(pk=1).filter(encrypted="").exists()
    assert delivery(first.body).post(client).json() == {"received": "duplicate"}


header = st.text(st.characters(max_codepoint=255), max_size=120)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(body=st.binary(max_size=400), signature=header, at=header, name=header, kind=header)
def test_no_bytes_and_no_headers_are_an_accident_of_ours(
    client: Client, body: bytes, signature: str, at: str, name: str, kind: str
):
    """Whatever a server passes on; genuine or not, the answer is 200, 400 or 401."""
    names = {"Signature": signature, "Timestamp": at, "Webhook-Id": name}
    headers = {f"X-Kordless-{key}": value for key, value in names.items()} | {"Content-Type": kind}
    assert Delivery(body, headers).post(client).status_code in {400, 401}
    genuine = delivery(body).but(**{"Webhook-Id": name or None})
    assert genuine.post(client).status_code in {200, 400}
