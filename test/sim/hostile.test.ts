// A server that lies in front of the honest one, a kind of lie at a time: endless things, nonsense
// in every field, statuses, redirects, a captive portal. The device reads a bounded amount, keeps
// what it has, gives its credentials to nobody else, and is well again as soon as the server is.

import { expect, test } from 'vitest';
import type { Agent } from '../../agent/index.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { NetworkRequest } from '../../platform/ports.ts';
import { COLLECTIONS, everything } from './agreement.ts';
import {
  type Answer,
  deviceOn,
  freezeAccount,
  type Reply,
  remembering,
  sharedUser,
  thaw,
  type WholeReply,
} from './lab.ts';
import { faults, type Moment, nameOf, play, recover, withNews } from './play.ts';
import { secondDevice } from './second-device.ts';
import { every } from './share.ts';
import type { Step } from './story.ts';

const START = freezeAccount(
  syntheticAccount({ records: 6, seed: 11, bodyBytes: 160, passwords: 3 }),
);
const USER = sharedUser(START);
const [PAGE = '', PAGE_THERE = ''] = secondDevice(thaw(START)).ids('history');

/**
 * A device that has synced, with a change of its own to send and one of the other device to fetch.
 */
const CHANGES: Step = {
  name: 'changes on both sides',
  async run({ agent, second }) {
    await agent.enable();
    await agent.put('history', {
      guid: PAGE,
      title: 'here',
      visits: [{ date: 1.79533e15, type: 1 }],
    });
    await agent.put('passwords', { origin: 'https://a.example', httpRealm: 'a', password: 'p' });
    second.put('history', { ...second.get('history', PAGE_THERE), id: PAGE_THERE, title: 'there' });
  },
};
const BEGIN: Moment = { storage: new MemoryStorage(), frozen: START, claims: [] };
const from: Moment = await play(CHANGES, BEGIN, USER);
const STAGE = thaw(START);
const atFirst = deviceOn(STAGE, from.storage.fork(), { identity: USER }).agent;
await atFirst.start();
const HELD = await held(atFirst);

type Kind = 'hello' | 'poll' | 'document' | 'list' | 'put';

/** What a request is about. */
function kindOf({ method, url, body }: NetworkRequest<string>): Kind {
  if (url.endsWith('/v1/')) return 'hello';
  if (body !== undefined) return method === 'PUT' || body.includes('"PUT"') ? 'put' : 'poll';
  return /\/records\?/.test(url) ? 'list' : 'document';
}

/** The honest answer, or what `lie` makes of it. */
type Lie = (reply: WholeReply, request: NetworkRequest<string>) => Reply | null;

interface Outcome {
  readonly requests: readonly NetworkRequest<string>[];
  readonly charsRead: number;
  readonly error: string | null;
  readonly pending: number;
  readonly quarantined: number;
}

/** One pass against the liar, then as many honest ones as it takes; what the first was like. */
async function endure(lie: Lie, moment = from): Promise<Outcome> {
  const storage = moment.storage.fork();
  const truth = remembering(moment.frozen);
  const liar: Answer = async (request) => {
    const reply = await truth.answer(request);
    return lie(reply, request) ?? reply;
  };
  const { agent, network } = deviceOn(STAGE, storage, { identity: USER, answer: liar });
  await agent.start();
  const report = await (moment === BEGIN ? agent.enable() : agent.sync());
  if (moment === from) expect(await held(agent), 'what the device held').toEqual(HELD);
  const { history, passwords } = agent.status().collections;
  await getWell({ ...moment, storage, frozen: truth.left() });
  return {
    requests: network.requests,
    charsRead: network.charsRead,
    error: report.error?.code ?? null,
    pending: Number(history?.pending) + Number(passwords?.pending),
    quarantined: Number(history?.quarantined) + Number(passwords?.quarantined),
  };
}

const DAY_MS = 86_400_000;
const seen = new Set<string>();
const isKnown = (moment: Moment): boolean => seen.size === seen.add(nameOf(moment)).size;

/** The server is honest again, a day later: what is pending goes up, and what has news arrives. */
async function getWell(moment: Moment): Promise<void> {
  if (isKnown(moment)) return;
  const first = await recover(moment, USER, DAY_MS);
  if (isKnown(first)) return;
  const wrong = await faults(await recover(withNews(first), USER, DAY_MS), USER);
  expect(wrong.filter((complaint) => !/in quarantine/.test(complaint))).toEqual([]);
}

/** Ids of everything that apps see. */
async function held(agent: Agent): Promise<string[]> {
  const records = await Promise.all(COLLECTIONS.map((name) => everything(agent, name)));
  return records.flatMap((of) => [...of.keys()]).sort();
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

const read = (reply: Reply): { data: { [name: string]: unknown }[] } =>
  JSON.parse(Buffer.from(reply.body as Uint8Array).toString());

/** Lies about listings only. */
const listing =
  (lie: (reply: Reply, request: NetworkRequest<string>) => Reply): Lie =>
  (reply, request) =>
    kindOf(request) === 'list' ? lie(reply, request) : null;

test('the honest server, for comparison', async () => {
  expect(await endure(() => null)).toMatchObject({ error: null, pending: 0, quarantined: 0 });
});

const MIB = 1024 * 1024;

/** `chars` characters, made when they are read. */
function* virtual(head: string, piece: string, chars: number): Generator<string> {
  yield head;
  for (let made = 0; made < chars; made += piece.length) yield piece;
}

const ENDLESS: readonly [what: string, body: () => Iterable<string>][] = [
  [
    'one record of 1 GiB',
    () => virtual('{"data":[{"id":"aaaaaaaaaaaa","payload":"', 'A'.repeat(16384), 1024 * MIB),
  ],
  ['1 GiB of nothing', () => virtual('', ' '.repeat(16384), 1024 * MIB)],
  ['a page that is 1 GiB before its list', () => virtual('{"x":"', 'A'.repeat(16384), 1024 * MIB)],
  ['a million brackets', () => virtual('{"data":[', '['.repeat(10000), 1_000_000)],
  ['a million braces', () => virtual('{"data":[', '{"a":'.repeat(2000), 5_000_000)],
];

test.each(ENDLESS)(
  '%s: given up after at most 5 MiB, by every kind of request',
  async (_, body) => {
    for (const kind of ['hello', 'poll', 'document', 'list', 'put']) {
      const lie: Lie = (reply, request) =>
        kindOf(request) === kind ? { ...reply, body: body() } : null;
      const moment = kind === 'document' ? BEGIN : from;
      expect((await endure(lie, moment)).charsRead).toBeLessThan(11 * MIB);
    }
  },
);

test('an endless page of small records: batches stay small, and the listing ends', async () => {
  let made = 0;
  const page = function* (): Generator<string> {
    yield '{"data":[';
    for (; made < 20_000; made++) {
      yield `{"id":"fake${made}","last_modified":1795330000000,"payload":"{}"},`;
    }
    yield 'null]}';
  };
  const { quarantined } = await endure(listing((reply) => ({ ...reply, body: page() })));
  // So many are remembered of history; of passwords there was the last record, which is none.
  expect(quarantined).toBe(1_000 + 1);
});

test.each([
  ['the same token', (page: number) => String(Math.min(page, 1)), (reply: Reply) => reply.body],
  ['empty pages and ever new tokens', String, () => json({ data: [] })],
] as const)(
  'a listing without an end, with %s: given up after a few pages',
  async (_, token, body) => {
    let pages = 0;
    let first: Reply | null = null;
    const { requests, error } = await endure(
      listing((reply) => {
        first ??= reply;
        const next = `https://syncto.test/v1/x?_token=${token(pages++)}`;
        return { ...first, body: body(first), headers: [...first.headers, ['next-page', next]] };
      }),
    );
    expect(error).toBe('badResponse');
    expect(requests.length).toBeLessThan(20);
  },
);

test('a collection that changes on every page: a few restarts, then later', async () => {
  const { requests, error } = await endure(
    listing((reply, { url }) =>
      url.includes('_token=')
        ? { status: 412, headers: [], body: json({}) }
        : { ...reply, headers: [...reply.headers, ['next-page', 'https://x.test/?_token=2']] },
    ),
  );
  expect(error).toBe('conflict');
  expect(requests.length).toBeLessThan(30);
});

test('a server whose clock goes back: everything is read once more, nothing is lost', async () => {
  const { error } = await endure(
    listing((reply) => ({
      ...reply,
      headers: reply.headers.map(([name, value]) => [name, name === 'etag' ? '"1000"' : value]),
    })),
  );
  expect(['conflict', null]).toContain(error);
});

const PORTAL = '<!DOCTYPE html><html><body>Please accept our terms</body></html>';

test.each(['hello', 'poll', 'document', 'list', 'put'])(
  'a captive portal instead of %s: no change is taken for sent',
  async (kind) => {
    for (const headers of [[], [['etag', '"1795330099990"']]] as const) {
      const lie: Lie = (_, request) =>
        kindOf(request) === kind
          ? {
              status: 200,
              headers: [['content-type', 'text/html'], ...headers],
              body: Buffer.from(PORTAL),
            }
          : null;
      const { error, pending } = await endure(lie, kind === 'document' ? BEGIN : from);
      expect(error).not.toBe(null);
      if (kind !== 'document') expect(pending).toBeGreaterThan(0);
    }
  },
);

const REDIRECTS = [301, 302, 303, 307, 308].flatMap((status) =>
  (['hello', 'poll', 'document', 'list', 'put'] as const).map((kind) => [status, kind] as const),
);

test.each(REDIRECTS)(
  'a redirect %i of %s is not followed: nobody else hears of the user',
  async (status, kind) => {
    const lie: Lie = (_, request) =>
      kindOf(request) === kind
        ? { status, headers: [['location', 'https://elsewhere.test/v1/']], body: json({}) }
        : null;
    const { requests, error } = await endure(lie, kind === 'document' ? BEGIN : from);
    expect(error).not.toBe(null);
    expect(requests.filter(({ url }) => !url.startsWith('https://syncto.test/v1/'))).toEqual([]);
  },
);

test('a next page at another origin: its token is used, its origin is not', async () => {
  const { requests } = await endure(
    listing((reply, { url }) =>
      url.includes('_token=')
        ? reply
        : {
            ...reply,
            headers: [...reply.headers, ['next-page', 'http://elsewhere.test/?_token=0']],
          },
    ),
  );
  expect(requests.some(({ url }) => url.includes('_token=0'))).toBe(true);
  expect(requests.every(({ url }) => url.startsWith('https://syncto.test/v1/'))).toBe(true);
});

const IDS = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  'x'.repeat(65),
  '\u0000',
  'a\nb',
  'é',
  'a/b',
  '../..',
  '%',
  '!',
  ' ',
  '~',
  null,
  5,
  {},
  ['a'],
];

test.each(IDS.map((id) => [id]))(
  'a record with the id %j is set aside, the others arrive',
  async (id) => {
    const { error, pending } = await endure(
      listing((reply) => {
        const { data } = read(reply);
        const first = { last_modified: 1795330000000, payload: '{}', id };
        return { ...reply, body: json({ data: [first, ...data, first] }) };
      }),
    );
    expect({ error, pending }).toEqual({ error: null, pending: 0 });
  },
);

const TIMES = [
  'NaN',
  '1e308',
  '-1',
  '"1795330000000"',
  '0.5',
  '9007199254740992',
  '1e15',
  'null',
  '[]',
  'true',
];

test.each(TIMES)('a record whose time is %s is set aside, the others arrive', async (time) => {
  const { error, pending } = await endure(
    listing((reply) => {
      const text = Buffer.from(reply.body as Uint8Array).toString();
      const stamp = time === 'NaN' ? 'null' : time;
      const bad = `{"id":"badtimebadti","payload":"{}","last_modified":${stamp}}`;
      return {
        ...reply,
        body: Buffer.from(text.replace('"data":[', `"data":[${bad},`).replace(',]', ']')),
      };
    }),
  );
  expect({ error, pending }).toEqual({ error: null, pending: 0 });
});

test('payloads of other records or collections, and replaced ids, prove nothing', async () => {
  for (const change of ['payload', 'id'] as const) {
    const { quarantined } = await endure(
      listing((reply) => {
        const { data } = read(reply);
        const others = data.slice(1).concat(data.slice(0, 1));
        return {
          ...reply,
          body: json({ data: data.map((bso, at) => ({ ...bso, [change]: others[at]?.[change] })) }),
        };
      }),
      BEGIN,
    );
    expect(quarantined).toBe(9);
  }
});

test('the records of another collection are set aside', async () => {
  let kept: Reply['body'] | null = null;
  const { quarantined } = await endure(
    listing((reply, { url }) => {
      const isHistory = url.includes('/history/');
      if (isHistory) kept = reply.body;
      return isHistory || kept === null ? reply : { ...reply, body: kept };
    }),
    BEGIN,
  );
  expect(quarantined).toBe(6);
});

const STATUSES = Array.from({ length: 500 }, (_, index) => index + 100).filter(
  (_, at) => at % every(7) === 0,
);

test.each(['hello', 'poll', 'document', 'list', 'put'])(
  `every status from 100 to 599 for %s`,
  async (kind) => {
    for (const status of STATUSES) {
      const lie: Lie = (reply, request) => (kindOf(request) === kind ? { ...reply, status } : null);
      const { requests } = await endure(lie, kind === 'document' ? BEGIN : from);
      expect(requests.length, `status ${status}`).toBeLessThan(40);
    }
  },
);
