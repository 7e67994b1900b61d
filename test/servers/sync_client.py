# What syncclient's class does against the token server and the storage, one line of JSON for each
# step: its name, and null or what went wrong. `python sync_client.py ACCOUNTS TOKEN EMAIL PASSWORD`,
# for syncclient 0.8 and the PyFxA that makes its assertions.

import sys
import warnings
from hashlib import sha256

warnings.simplefilter("ignore")

from fxa import core
from requests.exceptions import HTTPError
from syncclient.client import SyncClient
from steps import expect, run

ACCOUNTS, TOKEN, EMAIL, PASSWORD = sys.argv[1:5]
state = {}


def sign_in():
    session = core.Client(ACCOUNTS).login(EMAIL, PASSWORD, keys=True)
    key = session.fetch_keys()[1]
    assertion = session.get_identity_assertion(TOKEN)
    state["client"] = SyncClient(assertion, sha256(key).hexdigest()[:32], TOKEN)


def info_collections():
    expect(state["client"].info_collections()["history"] > 0, "history")


def info_quota():
    used, limit = state["client"].info_quota()
    expect(used > 0 and limit is None, "used, no limit")


def collection_usage():
    expect(state["client"].get_collection_usage()["history"] > 0, "history")


def collection_counts():
    expect(state["client"].get_collection_counts()["history"] > 0, "history")


def put_record():
    stamp = state["client"].put_record("mine", {"id": "a", "payload": "first", "sortindex": 1})
    expect(stamp == state["client"].info_collections()["mine"], "the collection's stamp")
    state["stamp"] = stamp


def get_record():
    expect(state["client"].get_record("mine", "a")["payload"] == "first", "payload")


def put_part():
    state["client"].put_record("mine", {"id": "a", "sortindex": 9})
    record = state["client"].get_record("mine", "a")
    expect([record["payload"], record["sortindex"]] == ["first", 9], "the payload stays")


def put_more():
    # syncclient has a POST in name only.
    for n in range(5):
        state["client"].put_record("mine", {"id": "r%d" % n, "payload": "p", "sortindex": n})


def get_records():
    records = state["client"].get_records("mine", sort="index")
    expect([record["id"] for record in records][:3] == ["a", "r4", "r3"], "by index")


def get_ids():
    ids = state["client"].get_records("mine", full=False, ids=["r1", "r2", "none"])
    expect(sorted(ids) == ["r1", "r2"], "those that are there")


def get_newer():
    records = state["client"].get_records("mine", newer=state["stamp"])
    expect(len(records) == 6, "all that changed since")


def get_pages():
    client, found, offset = state["client"], [], None
    while True:
        found += client.get_records("mine", limit=2, offset=offset, sort="oldest")
        offset = client.raw_resp.headers.get("X-Weave-Next-Offset")
        if offset is None:
            break
    expect(len({record["id"] for record in found}) == len(found) == 6, "each once")


def if_modified():
    headers = {"X-If-Modified-Since": str(state["client"].info_collections()["mine"])}
    try:
        state["client"].get_records("mine", headers=headers)
    except HTTPError as error:
        expect(error.response.status_code == 304, "304")
    else:
        raise AssertionError("was answered")


def if_unmodified():
    headers = {"X-If-Unmodified-Since": str(state["stamp"])}
    try:
        state["client"].put_record("mine", {"id": "a", "payload": "late"}, headers=headers)
    except HTTPError as error:
        expect(error.response.status_code == 412, "412")
    else:
        raise AssertionError("was written")


def delete_record():
    state["client"].delete_record("mine", "a")
    try:
        state["client"].get_record("mine", "a")
    except HTTPError as error:
        expect(error.response.status_code == 404, "404")
    else:
        raise AssertionError("is there")


def delete_all():
    state["client"].delete_all_records()
    expect(state["client"].info_collections() == {}, "nothing is left")


STEPS = [
    sign_in, info_collections, info_quota, collection_usage, collection_counts, put_record,
    get_record, put_part, put_more, get_records, get_ids, get_newer, get_pages, if_modified,
    if_unmodified, delete_record, delete_all,
]

run(STEPS)
