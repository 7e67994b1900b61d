// A server of one account that a test can look into: a driver without a wire, for tests of what
// stands above the protocols. It writes down what it is asked, and fails when it is told to.

import type { Listed, Outgoing, PushResult } from '../../agent/remotes/remote.ts';
import { type SyncPage, type SyncStorage, stored } from '../../agent/remotes/sync/storage.ts';
import { type KeyBundle, keyBundle, syncKeyBundle } from '../../crypto/keys.ts';
import { softwareCrypto } from '../../crypto/software.ts';
import { KB } from './remote.ts';
import { testRandom } from './store.ts';

export const crypto = softwareCrypto(testRandom(), () => Promise.resolve());
export const SYNC_KEY = syncKeyBundle({ kB: KB });

/** Two keys as `crypto/keys` writes them. */
export function keyPair(fill: number): [enc: string, mac: string] {
  const text = (byte: number) => Buffer.alloc(32, byte).toString('base64');
  return [text(fill), text(fill + 1)];
}

export const DEFAULT_KEYS = {
  default: keyPair(1),
  collections: {},
  collection: 'crypto',
  id: 'keys',
};

const bundleOf = (fill: number): KeyBundle =>
  keyBundle(new Uint8Array(32).fill(fill), new Uint8Array(32).fill(fill + 1));
export const DEFAULT_BUNDLE = bundleOf(1);

interface TestRecord {
  readonly id: string;
  readonly modifiedMs: number;
  readonly payload: string;
}

export interface TestServer extends SyncStorage {
  /**
   * What was asked, in order: `poll`, `fetch meta/global`, `changes history`, `upload history`,
   * `add 2`.
   */
  readonly log: string[];
  readonly documents: Map<string, { modifiedMs: number; payload: string }>;
  /** Records by collection, oldest first. */
  readonly collections: Map<string, TestRecord[]>;
  /** What a request does instead of answering, by the start of its line in the log. */
  readonly instead: Map<string, () => void>;
  results: (records: readonly Outgoing[]) => PushResult[];
  where: string;
  /** Puts a record, sealed with the default keys. */
  put(collection: string, id: string, body: object, modifiedMs: number): Promise<void>;
  /** Sets `meta/global`. */
  setMeta(value: unknown, modifiedMs?: number): void;
  /** Sets `crypto/keys`, sealed as the account's key wants it. */
  setKeys(value: object, modifiedMs?: number, key?: KeyBundle): Promise<void>;
}

export const META = {
  syncID: 'sync-1',
  storageVersion: 5,
  engines: {
    history: { version: 1, syncID: 'history-1' },
    passwords: { version: 1, syncID: 'passwords-1' },
  },
  declined: [],
};

/** An account with the two collections of the firmware, and nothing in them. */
export async function testServer(): Promise<TestServer> {
  const log: string[] = [];
  const documents: TestServer['documents'] = new Map();
  const collections: TestServer['collections'] = new Map();
  const instead: TestServer['instead'] = new Map();
  const asked = (line: string): void => {
    log.push(line);
    for (const [start, action] of instead) if (line.startsWith(start)) action();
  };
  const recordsOf = (name: string): readonly TestRecord[] => collections.get(name) ?? [];
  const stampOf = (name: string): number => recordsOf(name).at(-1)?.modifiedMs ?? 0;
  const versionOf = (name: string, id: string | null): number =>
    id === null ? stampOf(name) : (documents.get(`${name}/${id}`)?.modifiedMs ?? 0);

  const server: TestServer = {
    log,
    documents,
    collections,
    instead,
    where: 'https://here.test',
    results: (records) => records.map(() => stored(9_000)),
    ...puttingInto(documents, collections),
    place: async () => server.where,
    async poll(items) {
      asked('poll');
      return items.map(({ collection, id, knownMs }) => versionOf(collection, id) !== knownMs);
    },
    async fetch(collection, id) {
      asked(`fetch ${collection}/${id}`);
      const own = recordsOf(collection).find((record) => record.id === id);
      const kept = own ?? documents.get(`${collection}/${id}`);
      if (kept === undefined) return { kind: 'missing' };
      const { modifiedMs, payload } = kept;
      const envelope = { id, version: `${modifiedMs}`, modifiedMs, payload };
      return { kind: 'found', envelope, serverNowMs: 10_000 };
    },
    async write(collection, { id, payload, base }) {
      const name = `${collection}/${id}`;
      asked(`write ${name}`);
      const known = documents.get(name)?.modifiedMs;
      if ((known === undefined ? null : `${known}`) !== base) return { kind: 'conflict' };
      const modifiedMs = Number(base) + 1_000;
      documents.set(name, { modifiedMs, payload: payload ?? '' });
      return stored(modifiedMs);
    },
    async changes(collection, { sinceMs }) {
      asked(`changes ${collection}`);
      const newer = recordsOf(collection).filter(({ modifiedMs }) => modifiedMs > sinceMs);
      return pageOf(newer, stampOf(collection));
    },
    async upload(collection) {
      asked(`upload ${collection}`);
      return {
        addCharsMax: 24_000,
        addMax: 10,
        async add(records) {
          asked(`add ${records.length}`);
          return server.results(records);
        },
        commit: async () => ({ kind: 'none' }),
      };
    },
  };
  server.setMeta(META);
  await server.setKeys(DEFAULT_KEYS);
  return server;
}

/** What a test puts there, sealed as a device does it. */
function puttingInto(
  documents: TestServer['documents'],
  collections: TestServer['collections'],
): Pick<TestServer, 'put' | 'setMeta' | 'setKeys'> {
  return {
    async put(collection, id, body, modifiedMs) {
      const [payload = ''] = await crypto.seal(DEFAULT_BUNDLE, [JSON.stringify({ id, ...body })]);
      const records = (collections.get(collection) ?? []).filter((record) => record.id !== id);
      collections.set(collection, [...records, { id, modifiedMs, payload }]);
    },
    setMeta(value, modifiedMs = 1_000) {
      const payload = typeof value === 'string' ? value : JSON.stringify(value);
      documents.set('meta/global', { modifiedMs, payload });
    },
    async setKeys(value, modifiedMs = 1_000, key = SYNC_KEY) {
      const [payload = ''] = await crypto.seal(key, [JSON.stringify(value)]);
      documents.set('crypto/keys', { modifiedMs, payload });
    },
  };
}

function pageOf(records: readonly TestRecord[], stampMs: number): SyncPage {
  return {
    stampMs,
    serverNowMs: 10_000,
    async next(out: Listed[]) {
      for (const record of records) {
        const envelope = { ...record, version: `${record.modifiedMs}` };
        out.push({ ok: true, envelope, chars: 100 + (envelope.payload?.length ?? 0) });
      }
      return false;
    },
    nextPage: () => null,
    cancel: () => undefined,
  };
}
