# What PyFxA's classes do against an accounts server, one line of JSON for each step: its name, and
# null or what went wrong. `python pyfxa.py URL`, for PyFxA 0.9.

import sys

from fxa import core, oauth, profile
from fxa.errors import ClientError
from fxa.tools.bearer import get_bearer_token
from steps import expect, run

BASE = sys.argv[1]
EMAIL, FIRST, SECOND = "python@example.test", "first password", "second password"
SYNC = "https://identity.mozilla.com/apps/oldsync"
CLIENT_ID = "5882386c6d801776"

client = core.Client(BASE)
service = oauth.Client(CLIENT_ID, server_url=BASE)
state = {}


def refused(call, errno):
    try:
        call()
    except ClientError as error:
        expect(error.errno == errno, "errno %s" % error.errno)
    else:
        raise AssertionError("was not refused")


def create():
    state["session"] = client.create_account(EMAIL, FIRST, keys=True)


def create_twice():
    refused(lambda: client.create_account(EMAIL, FIRST), 101)


def fetch_keys():
    state["keys"] = state["session"].fetch_keys()
    expect([len(key) for key in state["keys"]] == [32, 32], "lengths of keys")


def fetch_keys_once():
    session = client.login(EMAIL, FIRST, keys=True)
    token, stretched = session._key_fetch_token, session.stretchpwd
    expect(client.fetch_keys(token, stretched) == state["keys"], "keys")
    refused(lambda: client.fetch_keys(token, stretched), 110)


def login():
    session = client.login(EMAIL, FIRST)
    expect(session.verified and session.token != state["session"].token, "a session of its own")
    session.destroy_session()
    refused(session.check_session_status, 110)


def login_wrong():
    refused(lambda: client.login(EMAIL, SECOND), 103)


def login_unknown():
    refused(lambda: client.login("nobody@example.test", FIRST), 102)


def login_other_case():
    name, host = EMAIL.split("@")
    refused(lambda: client.login(name.title() + "@" + host, FIRST), 120)


def session_status():
    state["session"].check_session_status()


def email_status():
    expect(state["session"].get_email_status()["verified"], "verified")


def account_status():
    expect(client.get_account_status(state["session"].uid) == {"exists": True}, "exists")
    expect(client.get_account_status("0" * 32) == {"exists": False}, "does not exist")


def credentials_status():
    expect(client.get_key_stretch_version(EMAIL)[0] == 1, "version 1")


def random_bytes():
    expect(client.get_random_bytes() != client.get_random_bytes(), "random")


def version_2_goes_on_as_1():
    session = core.Client(BASE, key_stretch_version=2).login(EMAIL, FIRST, keys=True)
    expect(session.fetch_keys(stretchpwd=session.stretchpwd) == state["keys"], "keys")


def version_2_account():
    second = core.Client(BASE, key_stretch_version=2)
    refused(lambda: second.create_account("v2@example.test", FIRST), 107)


def authorize_code():
    (challenge, verifier) = service.generate_pkce_challenge()
    code = service.authorize_code(state["session"], "profile", **challenge)
    state["traded"] = service.trade_code(code, **verifier)
    refused(lambda: service.trade_code(code, **verifier), 105)


def authorize_without_challenge():
    refused(lambda: service.authorize_code(state["session"], "profile"), 118)


def trade_wrong_verifier():
    (challenge, _) = service.generate_pkce_challenge()
    code = service.authorize_code(state["session"], "profile", **challenge)
    refused(lambda: service.trade_code(code, code_verifier="w" * 43), 117)


def trade_ttl():
    (challenge, verifier) = service.generate_pkce_challenge()
    code = service.authorize_code(state["session"], "profile", **challenge)
    expect(service.trade_code(code, ttl=60, **verifier)["expires_in"] == 60, "60 seconds")


def authorize_token():
    state["token"] = service.authorize_token(state["session"], "profile " + SYNC)


def bearer_tool():
    token = get_bearer_token(EMAIL, FIRST, [SYNC], BASE, BASE, CLIENT_ID)
    expect(service.verify_token(token, SYNC)["scope"] == [SYNC], "scope")


def verify_token():
    user = service.verify_token(state["token"], "profile")
    expect(user["user"] == state["session"].uid, "user")
    expect(user["client_id"] == CLIENT_ID, "client")


def verify_at_server():
    answer = service.apiclient.post("/verify", {"token": state["token"]})
    expect(answer["user"] == state["session"].uid, "user")


def introspect():
    answer = service.apiclient.post("/introspect", {"token": state["token"]})
    expect(answer["active"] and answer["sub"] == state["session"].uid, "active")


def client_metadata():
    expect(service.get_client_metadata()["id"] == CLIENT_ID, "id")


def get_profile():
    expect(profile.Client(BASE).get_profile(state["token"])["email"] == EMAIL, "email")


def attached_clients():
    answer = client.apiclient.get("/account/attached_clients", auth=state["session"]._auth)
    expect([one["isCurrentSession"] for one in answer].count(True) == 1, "one is current")


def session_device():
    auth = state["session"]._auth
    device = client.apiclient.post("/account/device", {"name": "x", "type": "cli"}, auth=auth)
    listed = client.apiclient.get("/account/devices", auth=auth)
    expect([one["id"] for one in listed if one["isCurrentDevice"]] == [device["id"]], "listed")


def destroy_token():
    service.destroy_token(state["token"])
    expect(service.apiclient.post("/introspect", {"token": state["token"]}) == {"active": False},
           "not active")
    refused(lambda: service.destroy_token(state["token"]), 108)


def change_password():
    before = state["session"].token
    other = client.login(EMAIL, FIRST)
    state["session"].change_password(FIRST, SECOND)
    expect(state["session"].token != before, "a new session")
    state["session"].check_session_status()
    refused(other.check_session_status, 110)
    session = client.login(EMAIL, SECOND, keys=True)
    expect(session.fetch_keys() == state["keys"], "keys")
    refused(lambda: client.login(EMAIL, FIRST), 103)


def destroy_account():
    refused(lambda: client.destroy_account(EMAIL, FIRST), 103)
    client.destroy_account(EMAIL, SECOND)
    refused(lambda: client.login(EMAIL, SECOND), 102)


STEPS = [
    create, create_twice, fetch_keys, fetch_keys_once, login, login_wrong, login_unknown,
    login_other_case, session_status, email_status, account_status, credentials_status,
    random_bytes, version_2_goes_on_as_1, version_2_account, authorize_code,
    authorize_without_challenge, trade_wrong_verifier, trade_ttl, authorize_token, bearer_tool,
    verify_token, verify_at_server, introspect, client_metadata, get_profile, attached_clients,
    session_device, destroy_token, change_password, destroy_account,
]

run(STEPS)
