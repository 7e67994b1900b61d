# What kinto-http finds in a collection, as JSON: texts by id. It then changes a, deletes b and
# makes d. `python http_client.py SERVER NAME PASSWORD BUCKET COLLECTION`, for kinto-http 11.

import json
import sys

import kinto_http

SERVER, NAME, PASSWORD, BUCKET, COLLECTION = sys.argv[1:6]
client = kinto_http.Client(
    server_url=SERVER, auth=(NAME, PASSWORD), bucket=BUCKET, collection=COLLECTION
)
records = client.get_records()
print(json.dumps({record["id"]: record["text"] for record in records}))
[a] = [record for record in records if record["id"] == "a"]
client.update_record(data={**a, "text": "of kinto-http"})
client.delete_record(id="b")
client.create_record(id="d", data={"text": "of kinto-http"})
