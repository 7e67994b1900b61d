# The steps of a script against a server, one line of JSON for each: its name, and null or what
# went wrong.

import json


def expect(condition, why):
    if not condition:
        raise AssertionError(why)


def run(steps):
    for step in steps:
        try:
            step()
            problem = None
        except Exception as error:
            problem = repr(error)
        print(json.dumps([step.__name__, problem]), flush=True)
