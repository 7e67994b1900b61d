// A user of a real Kinto with one collection of an app's own records, for the contract of remotes.
// The server's clock is the test's (kinto-clock.ts); its trouble is the way to it.

import { createHash } from 'node:crypto';
import { generic, kinto } from '../../agent/index.ts';
import { type Handler, isObject, jsonResponse, parseObject } from '../../emulator/servers/http.ts';
import { otherClient } from '../../emulator/servers/kinto/other-client.ts';
import type { Data } from '../../emulator/servers/kinto/place.ts';
import { NOW_MS } from './device.ts';
import type { RealKinto } from './kinto.ts';
import { MovedClock } from './kinto-clock.ts';
import { changedBy, otherRecords } from './kinto-other.ts';
import { otherPacks, type Records } from './kinto-packs.ts';
import { isRecordWrite } from './kinto-service.ts';
import type { Body, Service, Traits } from './service.ts';

const NAME = 'things';

interface RealService extends Service {
  readonly readOnly: { is: boolean };
}

export const REAL_KINTO: Traits = {
  ...{ isSealed: true, isGuarded: true, times: 'server', pageRecords: 5 },
  readOnly(service, isReadOnly) {
    (service as RealService).readOnly.is = isReadOnly;
  },
};

/**
 * A new user of the server each time; it has pages of five. `packed`: small records lie in packs.
 */
export function realService(server: RealKinto, { packed = false } = {}): RealService {
  const served = wayTo(server);
  const { clock, readOnly, trouble, user, keys, writes, through } = served;
  const other = otherOf(served, packed);
  return {
    ...{
      clock,
      readOnly,
      isTicking: true,
      fetch: through,
      collection: NAME,
      timeHeaders: ['date'],
    },
    contents: { drivers: [kinto], collections: [generic(NAME, { packed })] },
    identity: {
      account: async () => ({ uid: '1', email: 'user@example.test' }),
      assertion: async () => '',
      accessToken: async () => ({ token: '' }),
      credentials: (fresh) => user.credentials(fresh),
      syncKey: async () => ({ kB: user.kB }),
    },
    config: {
      remote: { protocol: 'kinto', serverUrl: server.url, audience: '', auth: 'basic' as const },
    },
    id: (n) => `record-${n}`,
    wireId: (n) => (packed ? 'records/p-' : keys.wireId(`record-${n}`)),
    live: () => other.read(({ live }) => live()),
    put: (id, body) => other.put(id, { id, ...body }),
    delete: (id) => other.put(id, null),
    spoil: (id) => other.put(id, { id: 'another' }),
    raw: (id) => other.read(({ raw }) => raw(id)),
    writes: (id) => writes.of(keys.wireId(id)),
    wait: (seconds) => void Object.assign(trouble, { waitSeconds: seconds }),
    down: (isDown) => void Object.assign(trouble, { isDown }),
    expire: () => user.changePassword(),
    renew: other.throwAway,
    isPage: ({ url }) => /\/records\?/.test(url),
    isWrite: isRecordWrite,
  };
}

/**
 * Another client of the user: it reads all that there is each time, and writes what it has changed
 * of that.
 */
function otherOf({ clock, keys, packs, ask, writes }: ReturnType<typeof wayTo>, packed: boolean) {
  const path = `/buckets/${keys.bucket}/collections/${NAME}`;
  let there = new Map<string, Data>();
  const changes = new Map<string, object>();
  const records: Records = {
    get: (id) => there.get(id) ?? null,
    live: () => [...there.values()],
    put(id, members) {
      const data = { ...members, id, last_modified: 0 };
      changes.set(id, members);
      there.set(id, data);
      return data;
    },
  };
  const all = otherRecords({ keys, packs, nowMs: () => clock.nowMs, packed }, () => records);
  const look = async (): Promise<void> => {
    const data = await allOf((query) => ask('GET', `${path}/records${query}`));
    there = new Map(data.filter(isObject).map((one) => [`${one.id}`, one as Data]));
  };
  return {
    async read<T>(what: (records: typeof all) => T): Promise<T> {
      await look();
      return what(all);
    },
    async put(id: string, body: Body | null): Promise<void> {
      await ask('PUT', `/buckets/${keys.bucket}`, {});
      await ask('PUT', path, {});
      if (packed) await look();
      all.put(id, body);
      for (const [wireId, data] of changes) await ask('PUT', `${path}/records/${wireId}`, data);
      changes.clear();
    },
    async throwAway(): Promise<void> {
      await ask('DELETE', `/buckets/${keys.bucket}`);
      writes.forget();
    },
  };
}

/** The way to the server, with what a test does to it, and another client of its own user. */
function wayTo(server: RealKinto) {
  const clock = new MovedClock(NOW_MS);
  const readOnly = { is: false };
  const trouble = { waitSeconds: 0, isDown: false };
  const user = freshUser(server);
  const keys = otherClient(user.kB, NAME);
  const packs = otherPacks(user.kB, NAME);
  const writes = countedWrites(packs);
  const through: Handler = async (request) => {
    await user.settled();
    if (trouble.isDown) return jsonResponse(503, {});
    if (readOnly.is && request.method !== 'GET') return jsonResponse(405, {});
    const { url, method } = request;
    const text = await request.clone().text();
    const response = await clock.fetch(request, (sent) => fetch(sent));
    if (method !== 'GET') writes.count({ url, method, text }, await response.clone().text());
    if (trouble.waitSeconds > 0) response.headers.set('Backoff', `${trouble.waitSeconds}`);
    return response;
  };
  const ask = async (method: string, at: string, data?: object): Promise<Body | null> => {
    const response = await through(
      new Request(`${server.url}/v1${at}`, {
        method,
        headers: { authorization: await user.authorization(), 'content-type': 'application/json' },
        ...(data && { body: JSON.stringify({ data }) }),
      }),
    );
    return parseObject(await response.text());
  };
  return { clock, readOnly, trouble, user, writes, keys, packs, through, ask };
}

/** All records, newest first, page by page. */
async function allOf(page: (query: string) => Promise<Body | null>): Promise<unknown[]> {
  const all: unknown[] = [];
  for (let query = ''; ; ) {
    const data = (await page(query))?.data;
    if (!Array.isArray(data) || data.length === 0) return all;
    all.push(...data);
    query = `?_before=${data.at(-1)?.last_modified}`;
  }
}

let users = 0;

/** What all users of a server have together: Kinto takes a quarter of a second for a password. */
interface Account {
  readonly name: string;
  password: string;
}

const accounts = new WeakMap<RealKinto, Promise<Account>>();

const basic = ({ name, password }: Account): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

/**
 * One with a key, and so a bucket, of its own, in the account of all. The device knows the password
 * of its last asking.
 */
function freshUser(server: RealKinto) {
  const account =
    accounts.get(server) ?? server.newUser('contract').then((user): Account => ({ ...user }));
  accounts.set(server, account);
  let known: string | null = null;
  let changing = Promise.resolve();
  return {
    kB: createHash('sha256').update(`contract${users++}`).digest('hex'),
    async authorization() {
      await changing;
      return basic(await account);
    },
    async credentials(fresh: boolean) {
      const { name, password } = await account;
      if (fresh || known === null) known = password;
      return { name, password: known };
    },
    /** Resolves when no change of the password is on its way. */
    settled: () => changing,
    changePassword() {
      changing = changed(server, account);
    },
  };
}

async function changed(server: RealKinto, account: Promise<Account>): Promise<void> {
  const current = await account;
  const password = `${current.password}.`;
  const response = await fetch(`${server.url}/v1/accounts/${current.name}`, {
    method: 'PUT',
    headers: { authorization: basic(current), 'content-type': 'application/json' },
    body: JSON.stringify({ data: { password } }),
  });
  if (!response.ok) throw new Error(`accounts/${current.name}: ${response.status}`);
  current.password = password;
}

/** How often each record was written, by what answers say. */
function countedWrites(packs: ReturnType<typeof otherPacks>) {
  const written = new Map<string, number>();
  /** What was stored last, by wire id. */
  const payloads = new Map<string, unknown>();
  const stored = (id: string, payload: unknown): void => {
    for (const one of changedBy(packs, id, payloads.get(id), payload)) {
      written.set(one, (written.get(one) ?? 0) + 1);
    }
    payloads.set(id, payload);
  };
  return {
    of: (wireId: string): number => written.get(wireId) ?? 0,
    /** Nothing is there any more. */
    forget: () => payloads.clear(),
    /** A request and its answer. */
    count({ url, method, text }: Sent, answer: string): void {
      const { requests, data } = parseObject(text) ?? {};
      const json = parseObject(answer);
      const parts = Array.isArray(requests) ? requests : [{ method, path: url, body: { data } }];
      const answers = Array.isArray(json?.responses)
        ? json.responses
        : [{ status: 200, body: json }];
      for (const [at, part] of parts.entries()) {
        const { status, body } = answers[at] ?? {};
        const [, id] = /\/records\/([^/?]+)$/.exec(`${part.path}`) ?? [];
        // A short answer does not say which record it is; a refusal has no data.
        const isStored = (status === 200 || status === 201) && isObject(body?.data);
        if (id === undefined || !isStored || !/^(PUT|PATCH)$/.test(part.method)) continue;
        stored(id, part.body?.data?.payload);
      }
    },
  };
}

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly text: string;
}
