// What odd servers and what stands before them do to requests, and what is right then.
// Each twist holds for every request that it concerns until it ends; the servers behind it are
// honest. Nothing here says how the agent comes to the right outcome.

import type { SyncErrorCode } from '../../agent/errors.ts';
import type { House, Oddity, Protocol } from './house.ts';
import { META_GLOBAL } from './three-pages.ts';

/** What is right while a twist holds. */
export interface Right {
  /** Of the last pass; null: it is `ok`. */
  readonly code: SyncErrorCode | null;
  /** The server's pages are on the device. */
  readonly reads: boolean;
  /** The device's change is on the server. */
  readonly writes: boolean;
}

/** The same over both protocols, or not. */
export type Rights = Right | { readonly [protocol in Protocol]: Right };

export interface Twist {
  readonly what: string;
  readonly protocols?: readonly Protocol[];
  readonly oddity?: Oddity;
  /** What happens on the server itself when the twist begins and when it ends. */
  readonly begin?: (house: House) => void;
  readonly end?: (house: House) => void;
  /** No pass is closer to the one before. */
  readonly hoursApart?: number;
  /** Of a device whose very first sync meets the twist. */
  readonly first: Rights;
  /** Of one that has synced before. */
  readonly later: Rights;
}

const FINE: Right = { code: null, reads: true, writes: true };

const failed = (code: SyncErrorCode): Right => ({ code, reads: false, writes: false });

function failing(code: SyncErrorCode): Pick<Twist, 'first' | 'later'> {
  return { first: failed(code), later: failed(code) };
}

/**
 * A Syncto gateway is asked with the sign-in itself, a storage node with what it was changed into.
 */
const REFUSED = { syncto: failed('unauthorized'), sync15: failed('unavailable') };
const REFUSED_WRITES = {
  syncto: { ...REFUSED.syncto, reads: true },
  sync15: { ...REFUSED.sync15, reads: true },
};

/** Such a node refuses each upload, whose condition is a time that it has not told truly. */
const UNSENT = { syncto: FINE, sync15: { ...failed('conflict'), reads: true } };

const isStorage = (url: string): boolean => /^https:\/\/(sync15|syncto)\.test\//.test(url);

type Change = (response: Response, request: Request) => Response | Promise<Response>;

/** Changes what the storage says. */
function storage(change: Change): Oddity {
  return {
    async answer(request, honest) {
      return isStorage(request.url) ? change(await honest(), request) : honest();
    },
  };
}

/** Changes what the storage says to a question for a list of records. */
function listing(change: Change): Oddity {
  return storage((response, request) =>
    isListing(request) ? change(response, request) : response,
  );
}

const isListing = ({ url, method }: Pick<Request, 'url' | 'method'>): boolean =>
  method === 'GET' && /\/(storage|collections)\/history(\/records)?\?/.test(url);

/** Answers everything in the servers' stead: a hotel's network, a proxy before all of them. */
function everything(answer: () => Response): Oddity {
  return { answer: async () => answer() };
}

/** The same answer under other headers; null takes one away. */
function withHeaders(
  response: Response,
  change: (name: string, value: string) => string | null,
): Response {
  const headers = new Headers();
  for (const [name, value] of response.headers) {
    const changed = change(name, value);
    if (changed !== null) headers.set(name, changed);
  }
  return new Response(response.body, { status: response.status, headers });
}

function withHeader(name: string, value: string): Oddity {
  return storage((response) => {
    response.headers.set(name, value);
    return response;
  });
}

/** Numbers, quoted or not, with a fraction or without. */
const NUMBER = /^"?(\d+)(\.\d+)?"?$/;

const wholeSeconds = (name: string, value: string): string => {
  if (name === 'etag') return value.replace(/\d{3}"$/, '000"');
  return /modified|timestamp/.test(name) ? value.replace(/\.\d+$/, '') : value;
};

const page = (status: number, headers: { readonly [name: string]: string } = {}) =>
  new Response('<!DOCTYPE html>\n<title>Welcome</title><form action="/login"></form>', {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8', ...headers },
  });

/** Longer than the interval, and as a proxy doubles it. */
const BACKOFF = '7200, 7200';

/** Another payload of `meta/global`, as a client leaves it that starts the account afresh. */
function metaGlobal(payload: string | null): Pick<Twist, 'begin' | 'end'> {
  const write = ({ user, nowMs }: House, text: string | null): void => {
    if (text === null) user.deleteRecords('meta', ['global'], nowMs());
    else user.write('meta', [{ id: 'global', payload: text }], nowMs());
  };
  return {
    begin: (house) => write(house, payload),
    end: (house) => write(house, META_GLOBAL),
  };
}

/** Sync 1.5's lines as a JSON list, and a list's document as lines. */
async function otherForm(response: Response): Promise<Response> {
  const text = await response.text();
  const isLines = response.headers.get('content-type')?.includes('newlines') === true;
  const headers = new Headers(response.headers);
  headers.delete('content-length');
  headers.set('content-type', isLines ? 'application/json' : 'application/newlines');
  const lines = (): string =>
    JSON.parse(text)
      .data.map((record: unknown) => `${JSON.stringify(record)}\n`)
      .join('');
  const changed = isLines ? `[${text.trim().split('\n').join(',')}]` : lines();
  return new Response(changed, { status: response.status, headers });
}

async function isWriting(request: Request): Promise<boolean> {
  if (request.method === 'GET') return false;
  return !request.url.endsWith('/batch') || /"(PUT|PATCH)"/.test((await bodies.get(request)) ?? '');
}

/** A body is read once; who comes between reads a copy before the servers do. */
const bodies = new WeakMap<Request, Promise<string>>();

const refusingWrites: Oddity = {
  async answer(request, honest) {
    bodies.set(request, request.clone().text());
    return (await isWriting(request)) ? new Response('', { status: 401 }) : honest();
  },
};

export const TWISTS: readonly Twist[] = [
  {
    what: 'no header but the type of the answer',
    oddity: storage((response) =>
      withHeaders(response, (name, value) => (name === 'content-type' ? value : null)),
    ),
    first: FINE,
    later: UNSENT,
  },
  {
    what: 'every number in a header twice',
    oddity: storage((response) =>
      withHeaders(response, (_, value) => (NUMBER.test(value) ? `${value}, ${value}` : value)),
    ),
    first: FINE,
    later: FINE,
  },
  {
    what: 'times in whole seconds',
    oddity: storage((response) => withHeaders(response, wholeSeconds)),
    // An entity tag that is not the time of its record is not believed.
    first: { syncto: failed('badResponse'), sync15: FINE },
    later: UNSENT,
  },
  ...[
    ['Backoff', BACKOFF],
    ['X-Weave-Backoff', BACKOFF],
    ['Retry-After', BACKOFF],
    ['Retry-After', '60, 7200'],
  ].map(([name = '', wait = '']) => ({
    what: `${name}: ${wait}`,
    oddity: withHeader(name, wait),
    hoursApart: 2,
    // A collection whose turn it is gets on, or a server that always says so would starve it.
    first: FINE,
    later: FINE,
  })),
  { what: 'a meta/global that is empty', ...metaGlobal(''), ...failing('badResponse') },
  { what: 'a meta/global that is null', ...metaGlobal('null'), ...failing('badResponse') },
  { what: 'no meta/global', ...metaGlobal(null), ...failing('noSyncData') },
  {
    what: 'a page of HTML with 200',
    oddity: everything(() => page(200)),
    ...failing('badResponse'),
  },
  {
    what: 'nothing with 200',
    oddity: everything(() => new Response('')),
    ...failing('badResponse'),
  },
  {
    what: 'a 302 to a portal',
    oddity: everything(() => page(302, { Location: 'https://portal.example/?from=x' })),
    ...failing('badResponse'),
  },
  { what: 'a 403 by a proxy', oddity: storage(() => page(403)), first: REFUSED, later: REFUSED },
  { what: 'a 503 by a proxy', oddity: everything(() => page(503)), ...failing('unavailable') },
  {
    what: 'a slow and honest link: 2 KB a second, and a minute of silence before each piece',
    oddity: { link: () => ({ bytesPerSecond: 2_000, stallMs: 60_000 }) },
    first: FINE,
    later: FINE,
  },
  {
    what: 'a byte every five seconds',
    oddity: { link: ({ url }) => (isStorage(url) ? { bytesPerSecond: 0.2 } : null) },
    ...failing('timeout'),
  },
  {
    what: 'a 401 to the list of records',
    oddity: listing(() => new Response('', { status: 401 })),
    first: REFUSED,
    later: REFUSED,
  },
  {
    what: 'a 401 to what is written',
    oddity: refusingWrites,
    first: FINE,
    later: REFUSED_WRITES,
  },
  {
    what: 'a JSON list where lines were asked for',
    protocols: ['sync15'],
    oddity: listing(otherForm),
    first: FINE,
    later: FINE,
  },
  {
    what: 'lines where a JSON list was asked for',
    protocols: ['syncto'],
    oddity: listing(otherForm),
    ...failing('badResponse'),
  },
];
