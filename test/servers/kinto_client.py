# What kinto-http's client does against the Syncto API, one line of JSON for each step: its name,
# and null or what went wrong. `python kinto_client.py ACCOUNTS SYNCTO EMAIL PASSWORD`, for
# kinto-http 11.

import sys
from hashlib import sha256

import kinto_http
from fxa import core
from fxa.tools.bearer import get_bearer_token
from steps import expect, run

ACCOUNTS, SYNCTO, EMAIL, PASSWORD = sys.argv[1:5]
SYNC = "https://identity.mozilla.com/apps/oldsync"
state = {}


def refused(call, status):
    try:
        call()
    except kinto_http.KintoException as error:
        expect(error.response.status_code == status, "status %s" % error.response.status_code)
    else:
        raise AssertionError("was not refused")


def sign_in():
    session = core.Client(ACCOUNTS).login(EMAIL, PASSWORD, keys=True)
    bucket = sha256(session.fetch_keys()[1]).hexdigest()[:32]
    token = get_bearer_token(EMAIL, PASSWORD, [SYNC], ACCOUNTS, ACCOUNTS, "5882386c6d801776")
    auth = kinto_http.BearerTokenAuth(token)
    state["client"] = kinto_http.Client(
        server_url=SYNCTO + "/v1", auth=auth, bucket=bucket, collection="history"
    )


def server_info():
    expect(state["client"].server_info()["project_name"] == "syncto", "its name")


def get_records():
    state["records"] = state["client"].get_records()
    ids = {record["id"] for record in state["records"]}
    expect(len(ids) == len(state["records"]) > 10, "each once")


def get_limited():
    records = state["client"].get_records(_limit=5, pages=1)
    expect(records == state["records"][:5], "the first five")


def get_pages():
    expect(state["client"].get_records(_limit=7, pages=99) == state["records"], "all, seven at a time")


def get_timestamp():
    newest = max(record["last_modified"] for record in state["records"])
    expect(int(state["client"].get_records_timestamp()) >= newest, "not before the newest")


def get_record():
    record = state["records"][0]
    expect(state["client"].get_record(id=record["id"])["data"] == record, "the same")


def get_missing():
    refused(lambda: state["client"].get_record(id="nope"), 404)


def update_record():
    record = state["records"][0]
    data = {"payload": record["payload"]}
    after = state["client"].update_record(id=record["id"], data=data, safe=False)["data"]
    expect(after["last_modified"] > record["last_modified"], "later than before")
    state["since"] = record["last_modified"]


def update_stale():
    record = state["records"][0]
    change = {"payload": "late"}
    before = record["last_modified"]
    refused(
        lambda: state["client"].update_record(id=record["id"], data=change, if_match=before), 412
    )


def create_record():
    data = {"payload": state["records"][0]["payload"]}
    after = state["client"].create_record(id="made-by-http", data=data)["data"]
    expect(after["id"] == "made-by-http", "its id")
    refused(lambda: state["client"].create_record(id="made-by-http", data=data), 412)


def get_changes():
    ids = [record["id"] for record in state["client"].get_records(_since=state["since"])]
    expect("made-by-http" in ids and state["records"][0]["id"] in ids, "both changes")


def delete_record():
    # Of history, Syncto lets nobody delete unless it is configured so.
    refused(lambda: state["client"].delete_record(id="made-by-http"), 405)


STEPS = [
    sign_in, server_info, get_records, get_limited, get_pages, get_timestamp, get_record,
    get_missing, update_record, update_stale, create_record, get_changes, delete_record,
]

run(STEPS)
