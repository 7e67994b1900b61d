// Sync 1.5 servers that lie, a kind of lie at a time: token server and storage node, each answer of
// theirs. The device asks a bounded number of times, gives its access token to the token server and
// its signatures to nobody who was not named by it, and loses no change: honest servers, a day
// later, have everything.

import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { NetworkRequest } from '../../platform/ports.ts';
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
const LOGIN = { origin: 'https://a.example', httpRealm: 'a', password: 'p' };

/**
 * A device that has synced, with changes of its own to send and one of the other device to fetch.
 */
const CHANGES: Step = {
  name: 'changes on both sides',
  async run({ agent, second, claim }) {
    await agent.enable();
    const visits = [{ date: 1.79533e15, type: 1 }];
    await agent.put('history', { guid: PAGE, title: 'here', visits });
    await agent.put('passwords', LOGIN);
    claim('the page', (there) => there.get('history', PAGE).title === 'here');
    claim('the login', (there) =>
      [...there.live('passwords').values()].some(({ hostname }) => hostname === LOGIN.origin),
    );
    second.put('history', { ...second.get('history', PAGE_THERE), id: PAGE_THERE, title: 'there' });
  },
};
const BEGIN: Moment = {
  storage: new MemoryStorage(),
  frozen: START,
  claims: [],
  protocol: 'sync15',
};
const CHANGED: Moment = await play(CHANGES, BEGIN, USER);
const STAGE = thaw(START);

const KINDS = ['token', 'poll', 'limits', 'document', 'list', 'post'] as const;
type Kind = (typeof KINDS)[number];

/** What a request is about. */
function kindOf({ method, url }: NetworkRequest<string>): Kind {
  if (url.includes('/1.0/sync/1.5')) return 'token';
  if (method === 'POST') return 'post';
  if (url.includes('/info/configuration')) return 'limits';
  if (url.includes('/info/')) return 'poll';
  return /\/storage\/\w+\?/.test(url) ? 'list' : 'document';
}

/**
 * What the liar says; `ask` does what was asked for and has the honest answer. Null: that answer.
 */
type Lie = (
  ask: () => Promise<WholeReply>,
  request: NetworkRequest<string>,
) => Promise<Reply | null>;

interface Outcome {
  readonly requests: readonly NetworkRequest<string>[];
  readonly charsRead: number;
  readonly error: string | null;
  readonly notBeforeMs: number | null;
}

const DAY_MS = 86_400_000;
const PASS_REQUESTS_MAX = 40;

/** A pass against the liar and one a day later; then honest servers, and everything has arrived. */
async function endure(lie: Lie, moment = CHANGED): Promise<Outcome> {
  const storage = moment.storage.fork();
  const truth = remembering(moment.frozen);
  const answer: Answer = async (request) => {
    const ask = (): Promise<WholeReply> => truth.answer(request);
    return (await lie(ask, request)) ?? ask();
  };
  const options = { protocol: 'sync15', identity: USER, answer } as const;
  const { agent, network, platform } = deviceOn(STAGE, storage, options);
  await agent.start();
  const report = await (moment === BEGIN ? agent.enable() : agent.sync());
  const requests = network.requests.slice();
  const { notBeforeMs } = agent.status();
  expect(requests.length).toBeLessThan(PASS_REQUESTS_MAX);
  platform.time.set(platform.clock.nowMs() + DAY_MS);
  await agent.sync();
  expect(network.requests.length).toBeLessThan(2 * PASS_REQUESTS_MAX);
  for (const { url, headers } of network.requests) {
    const isBearer = headers.some(([, value]) => value.startsWith('Bearer '));
    expect(isBearer, url).toBe(url.startsWith('https://token.test/'));
  }
  await getWell({ ...moment, storage, frozen: truth.left() });
  const error = report.error?.code ?? null;
  return { requests, charsRead: network.charsRead, error, notBeforeMs };
}

const well = new Set<string>();

async function getWell(moment: Moment): Promise<void> {
  const name = nameOf(moment);
  if (well.has(name)) return;
  well.add(name);
  const first = await recover(moment, USER, 2 * DAY_MS);
  const wrong = await faults(await recover(withNews(first), USER, 2 * DAY_MS), USER);
  // What the liar made up does not come again, so nothing clears its marks.
  expect(wrong.filter((complaint) => !/in quarantine/.test(complaint))).toEqual([]);
}

/** Where an answer of that kind is heard. */
const momentOf = (kind: Kind): Moment => (kind === 'document' ? BEGIN : CHANGED);

const told =
  (kind: Kind, lie: (reply: WholeReply) => Reply): Lie =>
  async (ask, request) =>
    kindOf(request) === kind ? lie(await ask()) : null;

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

const read = ({ body }: WholeReply): object => JSON.parse(Buffer.from(body).toString());

const withHeader = (reply: WholeReply, name: string, value: string): WholeReply => ({
  ...reply,
  headers: [[name, value], ...reply.headers.filter(([other]) => other !== name)],
});

test('the honest servers, for comparison', async () => {
  expect(await endure(async () => null)).toMatchObject({ error: null, notBeforeMs: null });
});

describe.each(KINDS)('an answer to %s', (kind) => {
  const STATUSES = [200, 202, 204, 206, 301, 304, 400, 401, 403, 404, 405, 406, 409, 410, 412];
  const MORE = [413, 415, 429, 451, 500, 502, 503, 504, 513, 599];
  const BODIES = ['0', '8', '14', '17', '{}', '{"success":[],"failed":{},"modified":1}', '<html>'];

  test('of any status, with any body, done or not, loses nothing', async () => {
    const answers = [...STATUSES, ...MORE].flatMap((status) =>
      BODIES.map((body) => [status, body] as const),
    );
    for (const [status, body] of answers.filter((_, at) => at % every(5) === 0)) {
      for (const isDone of kind === 'post' ? [true, false] : [true]) {
        const lie: Lie = async (ask, request) => {
          if (kindOf(request) !== kind) return null;
          const headers = isDone ? (await ask()).headers : [];
          return { status, headers, body: Buffer.from(body) };
        };
        await endure(lie, momentOf(kind));
      }
    }
  });

  test('that sends it elsewhere is not followed', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const lie = told(kind, () => ({
        status,
        headers: [['location', 'https://elsewhere.test/']],
        body: json({}),
      }));
      const { requests, error } = await endure(lie, momentOf(kind));
      expect(error).not.toBe(null);
      expect(requests.filter(({ url }) => url.includes('elsewhere'))).toEqual([]);
    }
  });

  test('without an end is given up', async () => {
    function* endless(): Generator<string> {
      for (;;) yield '[{"id":"a","payload":"'.padEnd(16_384, 'x');
    }
    const lie = told(kind, (reply) => ({ ...reply, body: endless() }));
    const { charsRead, error } = await endure(lie, momentOf(kind));
    expect(error).not.toBe(null);
    expect(charsRead).toBeLessThan(12 * 1024 * 1024);
  });
});

describe('a token server', () => {
  const answering = (change: object): Lie =>
    told('token', (reply) => ({ ...reply, body: json({ ...read(reply), ...change }) }));

  test.each([
    'http://sync15.test/1.5/1',
    'http://elsewhere.test/1.5/1',
    'https://user@elsewhere.test/1.5/1',
    'https://elsewhere.test/1.5/1?a=1',
    'https://elsewhere.test/1.5/1#a',
    'https:/elsewhere.test',
    'ftp://elsewhere.test',
    '//elsewhere.test/1.5/1',
    '',
    null,
    ['https://elsewhere.test/1.5/1'],
  ])('that names %j as the place of the data is not believed', async (api_endpoint) => {
    const { requests, error } = await endure(answering({ api_endpoint }));
    expect(error).toBe('badResponse');
    expect(requests.map(kindOf)).toEqual(['token']);
  });

  test.each([0, -1, 1e99, '3600', null, {}])(
    'whose credentials live %j seconds is asked once',
    async (duration) => {
      const { requests, error } = await endure(answering({ duration }));
      expect(error).toBe(null);
      expect(requests.map(kindOf).filter((kind) => kind === 'token')).toHaveLength(1);
    },
  );

  test.each(['0', '-1', '1', '4102444800', '99999999999', '999999999999999', 'NaN', ''])(
    'whose clock says %j costs a wait at most',
    async (time) => {
      const { error } = await endure(
        told('token', (reply) => withHeader(reply, 'x-timestamp', time)),
      );
      expect([null, 'unavailable']).toContain(error);
    },
  );

  test('that moves the user at every question: a reset each time, and then an end', async () => {
    let places = 0;
    const lie: Lie = async (ask, request) => {
      const kind = kindOf(request);
      if (kind !== 'token') return { status: 401, headers: [], body: json(0) };
      const reply = await ask();
      const api_endpoint = `https://sync15.test/${places++}/1.5/1`;
      return { ...reply, body: json({ ...read(reply), api_endpoint }) };
    };
    const { requests, error } = await endure(lie);
    expect(error).toBe('storageReset');
    expect(requests.length).toBeLessThan(10);
  });

  test.each([false, true])(
    'that refuses the user (first: %s) asks for a sign-in',
    async (isFirst) => {
      let asked = 0;
      const lie: Lie = async (_ask, request) =>
        kindOf(request) === 'token' && (!isFirst || asked++ === 0)
          ? { status: 401, headers: [], body: json({ status: 'invalid-credentials', errors: [] }) }
          : null;
      const { requests, error } = await endure(lie);
      expect(error).toBe(isFirst ? null : 'unauthorized');
      expect(requests.map(kindOf).filter((kind) => kind === 'token')).toHaveLength(2);
    },
  );
});

describe('a storage node', () => {
  test.each(['poll', 'list', 'post'] as const)(
    'that refuses every signature of a %s gets a quarter of an hour',
    async (kind) => {
      const lie = told(kind, (reply) => ({ ...reply, status: 401 }));
      const { requests, error, notBeforeMs } = await endure(lie);
      expect(error).not.toBe(null);
      expect(requests.map(kindOf).filter((other) => other === kind)).toHaveLength(2);
      expect(notBeforeMs).toBeGreaterThanOrEqual(STAGE.nowMs + 15 * 60_000);
    },
  );

  const LIMITS = ['request_bytes', 'post_bytes', 'record_payload_bytes', 'total_bytes'];
  const COUNTS = ['post_records', 'total_records'];

  test.each([...LIMITS, ...COUNTS].map((name) => `max_${name}`))(
    'whose %s is nonsense is sent the changes all the same',
    async (name) => {
      for (const value of [0, 1, 20, -5, 0.5, 1e99, '7', null]) {
        const lie = told('limits', (reply) => ({ ...reply, body: json({ [name]: value }) }));
        expect(await endure(lie)).toMatchObject({ error: null });
      }
    },
  );

  test.each<[string, (page: number) => string, (reply: WholeReply) => Uint8Array]>([
    ['with one name', () => 'a', ({ body }) => body],
    ['with two names', (page) => 'ab'.charAt(page % 2), ({ body }) => body],
    ['with nine names', (page) => `${page % 9}`, ({ body }) => body],
    ['without records', String, () => new Uint8Array()],
    ['with endless names', () => 'x'.repeat(100_000), ({ body }) => body],
  ])('whose pages %s never end is given up', async (_which, nameOfPage, bodyOf) => {
    let pages = 0;
    let first: WholeReply | null = null;
    const lie = told('list', (reply) => {
      first ??= reply;
      const next = withHeader(first, 'x-weave-next-offset', nameOfPage(pages++));
      return { ...withHeader(next, 'x-weave-records', '0'), body: bodyOf(first) };
    });
    expect(await endure(lie)).toMatchObject({ error: 'badResponse' });
  });

  const TIMES = ['0.00', '1.00', '1795330009.99', '9007199254740.99', '999999999999999', '-1', ''];

  test.each(['x-last-modified', 'x-weave-timestamp', 'date'])(
    'whose %s is wrong costs a second reading at most',
    async (name) => {
      for (const time of TIMES) {
        for (const kind of ['poll', 'list', 'post'] as const) {
          await endure(told(kind, (reply) => withHeader(reply, name, time)));
        }
      }
    },
  );

  test('whose answers name wrong times costs a second reading at most', async () => {
    for (const time of [0, -1, 1e-3, 1795330009.99, 9007199254740.99, 1e99, '1', null, {}]) {
      await endure(
        told('post', (reply) => ({ ...reply, body: json({ ...read(reply), modified: time }) })),
      );
      await endure(
        told('poll', (reply) => {
          const stamps = Object.keys(read(reply)).map((name) => [name, time]);
          return { ...reply, body: json(Object.fromEntries(stamps)) };
        }),
      );
    }
  });

  test.each(['', '<!DOCTYPE html><html><body>Please accept our terms</body></html>'])(
    'that is a captive portal (%j) is not taken for one that has stored a change',
    async (text) => {
      for (const kind of KINDS) {
        const lie: Lie = async (_ask, request) =>
          kindOf(request) === kind
            ? { status: 200, headers: [['content-type', 'text/html']], body: Buffer.from(text) }
            : null;
        await endure(lie, momentOf(kind));
      }
    },
  );

  const IDS = [
    '__proto__',
    'constructor',
    '',
    'x'.repeat(65),
    'a\nb',
    'é',
    ' ',
    null,
    5,
    {},
    ['a'],
  ];
  const STRANGE = [
    null,
    7,
    [],
    '{',
    {},
    { id: 'aaaaaaaaaaaa' },
    { id: 'aaaaaaaaaaaa', payload: 7 },
  ];

  test('among whose records are strange ones brings the others', async () => {
    for (const line of [...IDS.map((id) => ({ id, modified: 1, payload: '{}' })), ...STRANGE]) {
      const lie = told('list', (reply) => {
        const lines = [
          JSON.stringify({ id: 'b', modified: 1, payload: '{}' }),
          JSON.stringify(line),
        ];
        return {
          ...reply,
          body: Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), reply.body]),
        };
      });
      expect(await endure(lie, BEGIN)).toMatchObject({ error: null });
    }
  });
});
