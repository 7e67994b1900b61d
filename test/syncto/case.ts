// What a request of the parity table is: raw, as a client would put it on the wire, so that no HTTP
// library mends it first. `<word>` in any of it stands for what is only known when the
// request is sent: see `fill`.

export interface Sent {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An answer that stands in for the one of a server behind Syncto; null: it hangs up. */
export interface Trouble {
  readonly at: 'token' | 'sync15';
  readonly answer: Answered | null;
}

/** One or several requests, one after the other, to servers as they were seeded. */
export interface Case {
  readonly name: string;
  readonly steps: readonly Sent[];
  readonly trouble?: Trouble;
}

export interface Answered {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a server behind Syncto was asked, and what it said; null: it hung up. */
export interface Exchange {
  readonly asked: Sent;
  readonly answered: Answered | null;
}

/** What became of one request. */
export interface Outcome {
  readonly answered: Answered;
  readonly exchanges: readonly Exchange[];
}

/** The client state of the account that the servers are seeded with. */
export const BUCKET = '<bucket>';

/** A request with what its words stand for; a word that is not known stays. */
export function fill(sent: Sent, words: ReadonlyMap<string, string>): Sent {
  const filled = (text: string): string =>
    text.replace(/<(\w+)>/g, (all, word: string) => words.get(word) ?? all);
  const headers = Object.entries(sent.headers).map(([name, value]) => [name, filled(value)]);
  return {
    ...sent,
    target: filled(sent.target),
    headers: Object.fromEntries(headers),
    ...(sent.body === undefined ? {} : { body: filled(sent.body) }),
  };
}

/** The other way round: what words stand for is put back. */
export function unfill(text: string, words: ReadonlyMap<string, string>): string {
  let unfilled = text;
  for (const [word, value] of words) unfilled = unfilled.split(value).join(`<${word}>`);
  return unfilled;
}

/** A body with its long texts shortened, so that what is written down stays short. */
export function shortened(body: string): string {
  if (body.length <= TEXT_CHARS_MAX) return body;
  try {
    const shorter = (_name: string, value: unknown): unknown =>
      typeof value === 'string' && value.length > TEXT_CHARS_MAX ? lengthOf(value) : value;
    return JSON.stringify(JSON.parse(body, shorter));
  } catch {
    return lengthOf(body);
  }
}

const TEXT_CHARS_MAX = 1_000;

function lengthOf(text: string): string {
  return `${text.slice(0, 20)}... of ${text.length}`;
}
