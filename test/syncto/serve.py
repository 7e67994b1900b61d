"""Serves Syncto 1.5.0 on loopback. Arguments: the token server's URL, a clock (seconds at which it
stands still, or 0 for this machine's), settings as NAME=VALUE. It prints the port that it took."""
import sys
import time

token_server, clock, settings = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
if clock:
    # Before anything else is imported: some modules take the function by its name.
    gmtime = time.gmtime
    time.time = lambda: clock
    time.gmtime = lambda seconds=None: gmtime(clock if seconds is None else seconds)

import syncto  # noqa: E402
from waitress.server import create_server  # noqa: E402

application = syncto.main({}, **dict(
    {
        'syncto.cache_backend': 'cliquet.cache.memory',
        'syncto.cache_hmac_secret': '0123456789abcdef' * 4,
        'syncto.token_server_url': token_server,
    },
    **dict(setting.split('=', 1) for setting in settings)))
server = create_server(application, host='127.0.0.1', port=0)
print(server.effective_port, flush=True)
server.run()
