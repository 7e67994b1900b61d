// The longest record of each kind of data, for what a small heap can hold: of the wire's own
// length, and an account that has it, with the edit of it that an app makes.

import { Store } from './servers/store.ts';
import type { SeedAccount } from './servers/store-file.ts';
import { accountKeys, type KeyPair, keyFingerprint, sealPayload } from './servers/sync-keys.ts';
import { TEST_KB, TEST_NOW_MS } from './servers/testing.ts';

export type Json = { readonly [member: string]: unknown };

export interface RecordKind {
  readonly collection: string;
  /** With about so many characters; at least one value. */
  body(chars: number): Json;
  /** What an app puts; null where the device only reads. */
  readonly edit: Json | null;
}

export const LONG_ID = 'LongLongLong';
const DATE_US = TEST_NOW_MS * 1000;

const page = { histUri: 'https://long.example/', title: '', visits: [{ date: DATE_US, type: 1 }] };
const login = {
  hostname: 'https://long.example',
  formSubmitURL: '',
  httpRealm: null,
  username: 'ada',
  password: 'secret',
  usernameField: '',
  passwordField: '',
  timeCreated: TEST_NOW_MS,
  timePasswordChanged: TEST_NOW_MS,
};
const login2 = { id: LONG_ID, username: 'grace' };

/** `count` values, the n-th from `make`. */
function many(chars: number, charsOfOne: number, make: (n: number) => unknown): unknown[] {
  return Array.from({ length: Math.max(1, Math.floor(chars / charsOfOne)) }, (_, n) => make(n));
}

export const KINDS: ReadonlyMap<string, RecordKind> = new Map<string, RecordKind>([
  [
    'a title of a page',
    {
      collection: 'history',
      body: (chars) => ({ ...page, title: 'x'.repeat(chars) }),
      edit: { id: LONG_ID, title: 'short' },
    },
  ],
  [
    'the visits of a page',
    {
      collection: 'history',
      body: (chars) => ({
        ...page,
        visits: many(chars, 34, (n) => ({ date: DATE_US - n * 1_000_001, type: 1 })),
      }),
      edit: { id: LONG_ID, title: 'short' },
    },
  ],
  [
    'an unknown member of a page',
    {
      collection: 'history',
      body: (chars) => ({ ...page, notes: '日'.repeat(Math.max(1, chars / 3)) }),
      edit: { id: LONG_ID, title: 'short' },
    },
  ],
  [
    'a password',
    {
      collection: 'passwords',
      body: (chars) => ({ ...login, password: 'x'.repeat(chars) }),
      edit: login2,
    },
  ],
  [
    'a password of another script',
    {
      collection: 'passwords',
      body: (chars) => ({ ...login, password: '日'.repeat(Math.max(1, chars / 3)) }),
      edit: login2,
    },
  ],
  [
    'an entry of a form',
    {
      collection: 'forms',
      body: (chars) => ({ name: 'q', value: 'x'.repeat(chars) }),
      edit: { id: LONG_ID, name: 'p' },
    },
  ],
  [
    'the tabs of another device',
    {
      collection: 'tabs',
      body: (chars) => ({
        clientName: 'Other',
        tabs: many(chars, 100, (n) => ({
          title: `Tab ${n}`,
          urlHistory: [`https://tabs.example/${n}`],
          icon: '',
          lastUsed: 1_795_000_000 - n,
        })),
      }),
      edit: null,
    },
  ],
  [
    'a folder of bookmarks',
    {
      collection: 'bookmarks',
      body: (chars) => ({
        type: 'folder',
        parentid: 'menu',
        parentName: 'menu',
        title: 'Long',
        children: many(chars, 15, (n) => `child${n}`.padEnd(12, '_')),
      }),
      edit: null,
    },
  ],
  [
    'an address',
    {
      collection: 'addresses',
      body: (chars) => ({
        entry: { version: 1, name: 'Ada', 'street-address': 'x'.repeat(chars), timesUsed: 1 },
      }),
      edit: { id: LONG_ID, name: 'Grace' },
    },
  ],
  [
    'the storage of an extension',
    {
      collection: 'extension-storage',
      body: (chars) => ({
        extId: 'long@example',
        data: JSON.stringify(
          Object.fromEntries(
            many(chars, 200, (n) => [`key${n}`, { text: 'x'.repeat(150), n }]) as [
              string,
              unknown,
            ][],
          ),
        ),
      }),
      edit: { id: LONG_ID, extId: 'long@example', set: { key0: 1 } },
    },
  ],
]);

const KEYS: KeyPair = { encKey: Buffer.alloc(32, 1), macKey: Buffer.alloc(32, 2) };
const OTHER_PAGES = 3;

/** Characters of a record on the wire of Sync 1.5. */
export function envelopeChars(body: Json): number {
  const payload = seal({ id: LONG_ID, ...body });
  return JSON.stringify({ id: LONG_ID, modified: 1_795_330_000.25, payload }).length;
}

/** The longest record of a kind with at most so many characters on the wire. */
export function longest({ body }: RecordKind, chars: number): Json {
  let low = 1;
  let high = chars;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (envelopeChars(body(middle)) <= chars) low = middle;
    else high = middle - 1;
  }
  return body(low);
}

/** A text under the keys of `accountOf`. */
export function sealed(text: string): string {
  return sealPayload(KEYS, text, Buffer.alloc(16, 4));
}

function seal(body: Json): string {
  return sealed(JSON.stringify(body));
}

/** An account with these records, in this order, by collection. */
export function accountOf(records: readonly { collection: string; body: Json }[]): SeedAccount {
  const store = new Store();
  const user = store.addUser(keyFingerprint(TEST_KB));
  const put = (collection: string, id: string, payload: string) =>
    user.write(collection, [{ id, payload }], TEST_NOW_MS);
  const pair = [KEYS.encKey, KEYS.macKey].map((key) => Buffer.from(key).toString('base64'));
  const names = ['history', ...new Set([...KINDS.values()].map(({ collection }) => collection))];
  const engines = Object.fromEntries(
    names.map((name) => [name, { version: name === 'bookmarks' ? 2 : 1, syncID: 'abcdefghijkl' }]),
  );
  const meta = { syncID: 'mnopqrstuvwx', storageVersion: 5, engines, declined: [] };
  put('meta', 'global', JSON.stringify(meta));
  const bulk = { id: 'keys', collection: 'crypto', default: pair, collections: {} };
  put(
    'crypto',
    'keys',
    sealPayload(accountKeys(TEST_KB), JSON.stringify(bulk), Buffer.alloc(16, 3)),
  );
  for (const { collection, body } of records) {
    put(collection, String(body.id ?? LONG_ID), seal({ id: LONG_ID, ...body }));
  }
  return { kB: TEST_KB, store };
}

/** Short pages beside the long record, so that it is seen that others go on. */
export const OTHERS = Array.from({ length: OTHER_PAGES }, (_, n) => ({
  collection: 'history',
  body: { ...page, id: `other_page_${n}`, histUri: `https://other.example/${n}` },
}));
