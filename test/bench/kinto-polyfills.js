// What kinto.js takes from a browser, as far as a sync needs it. `open(url)` and `read()` are the
// host's: the head of an answer as JSON, then its body in pieces. Timers never fire and the time
// stands still: nothing in a sync that succeeds depends on them.

globalThis.self = globalThis;
globalThis.console = { log() {}, warn() {}, error() {} };
globalThis.setTimeout = () => 0;
globalThis.clearTimeout = () => {};
globalThis.Date = class {
  getTime() {
    return 1_700_000_000_000;
  }
};
globalThis.Headers = class {
  constructor(entries = {}) {
    this.map = new Map(Object.entries(entries));
  }
  get(name) {
    return this.map.get(name.toLowerCase()) ?? null;
  }
};
globalThis.FormData = class {};
globalThis.Blob = class {};
globalThis.fetch = async (url) => {
  const { status, headers } = JSON.parse(globalThis.open(url));
  return { status, headers: new Headers(headers), text: async () => readAll() };
};

function readAll() {
  const pieces = [];
  for (;;) {
    const piece = globalThis.read();
    if (piece === null) return pieces.join('');
    pieces.push(piece);
  }
}
