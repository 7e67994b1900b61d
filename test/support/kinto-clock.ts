// A real server whose clock a test moves: what it says of time is later by as much as the test has
// gone ahead until then, and what it is told is put back. Order and distances of what happened
// between two moves stay as the server has them.

/** The server's time, and the test's from there on. */
interface Move {
  readonly serverMs: number;
  readonly aheadMs: number;
}

export class MovedClock {
  readonly #moves: Move[];
  /** The newest stamp of an answer: of many writes in a batch it is ahead of the server's time. */
  #stampMs = 0;

  /** The server's time now is `startMs` to the test. */
  constructor(startMs: number) {
    const serverMs = Date.now();
    this.#moves = [{ serverMs: 0, aheadMs: startMs - serverMs }];
  }

  get nowMs(): number {
    return this.toTest(Date.now());
  }

  /** What the server has stamped until now is from before it, be it in the same millisecond. */
  set nowMs(timeMs: number) {
    const lastMs = Math.max(this.#stampMs, Date.now());
    let serverMs = lastMs;
    while (serverMs <= lastMs) serverMs = Date.now();
    this.#moves.push({ serverMs, aheadMs: timeMs - serverMs });
  }

  toTest(serverMs: number): number {
    const move = this.#moves.findLast((one) => serverMs >= one.serverMs);
    return serverMs + (move?.aheadMs ?? 0);
  }

  /** A time that the server never had is the last one before it. */
  toServer(testMs: number): number {
    const at = this.#moves.findLastIndex((one) => testMs >= one.serverMs + one.aheadMs);
    const move = this.#moves[at];
    if (move === undefined) return testMs;
    const end = this.#moves[at + 1]?.serverMs ?? Number.POSITIVE_INFINITY;
    return Math.min(testMs - move.aheadMs, end - 1);
  }

  /** Sends a request to the server, its times put back, and the answer's put ahead. */
  async fetch(request: Request, send: (request: Request) => Promise<Response>): Promise<Response> {
    const { url, method } = request;
    const back = (text: string): string => this.#changed(text, (timeMs) => this.toServer(timeMs));
    const ahead = (text: string): string => this.#changed(text, (timeMs) => this.#heard(timeMs));
    const headers = new Headers([...request.headers].map(([name, value]) => [name, back(value)]));
    const text = await request.text();
    const body = method === 'GET' ? {} : { body: back(text) };
    const sent = url.replace(
      /(_since=|_before=)(\d+)/,
      (_, name, ms) => name + this.toServer(Number(ms)),
    );
    const response = await send(new Request(sent, { method, headers, ...body }));
    const answered = new Headers(
      [...response.headers].map(([name, value]) => [name, ahead(value)] as [string, string]),
    );
    answered.delete('content-length');
    answered.set('date', new Date(this.nowMs).toUTCString());
    const said = await response.text();
    const { status } = response;
    return new Response(said === '' ? null : ahead(said), { status, headers: answered });
  }

  /** A time of an answer; one that lies far ahead is no stamp that the server has given. */
  #heard(serverMs: number): number {
    if (serverMs < Date.now() + AHEAD_MS_MAX) this.#stampMs = Math.max(this.#stampMs, serverMs);
    return this.toTest(serverMs);
  }

  /** Entity tags, stamps and queries in a text: whole milliseconds of this century. */
  #changed(text: string, change: (timeMs: number) => number): string {
    return text.replace(TIMES, (_, before, ms) => before + change(Number(ms)));
  }
}

const AHEAD_MS_MAX = 1_000;
const TIMES = /((?:^|\\?)"|"last_modified":\s*|_since=)(\d{13})(?=\\?"|[,}&"\s]|$)/g;
