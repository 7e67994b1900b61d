# What kinto-http finds in a collection that it has no key of, as JSON: the records.
# `python http_reader.py SERVER NAME PASSWORD BUCKET COLLECTION`, for kinto-http 11.

import json
import sys

import kinto_http

SERVER, NAME, PASSWORD, BUCKET, COLLECTION = sys.argv[1:6]
client = kinto_http.Client(
    server_url=SERVER, auth=(NAME, PASSWORD), bucket=BUCKET, collection=COLLECTION
)
print(json.dumps(client.get_records()))
