// What a device has set aside, read off its storage as SPEC.md has it (no event says what was set
// aside before a boot), and whether that is right: by the account's own key, and by the rules of
// record-rules.ts. Independent of the agent. It changes nothing.

import type { Storage } from '../platform/ports.ts';
import { asideName, isForDevices } from './record-rules.ts';
import { type OpenedRecord, recordsOf } from './server-records.ts';
import type { SeedAccount } from './servers/store-file.ts';

/** A record whose version on the server the device has not taken. */
export interface SetAside {
  readonly collection: string;
  /** Its id; for one whose id no device can take, the name that it has instead: `asideName`. */
  readonly id: string;
  readonly code: string;
}

/** SPEC.md, "Collections, and their index". */
const LETTERS: readonly (readonly [letter: string, collection: string])[] = [
  ['h', 'history'],
  ['p', 'passwords'],
  ['b', 'bookmarks'],
  ['f', 'forms'],
  ['a', 'addresses'],
  ['e', 'extension-storage'],
  ['t', 'tabs'],
  ['c', 'clients'],
  ['s', 'settings'],
  ['r', 'reading-list'],
  ['v', 'contacts'],
];
const PAGE_KEYS = 200;
/**
 * What a device remembers of a collection at most: what it sets aside past that is in events alone.
 */
const REMEMBERED_MAX = 1_000;

/**
 * Everything that is set aside of the `collections` of a remote, in the order of the storage's
 * keys.
 * `at`: what all keys of the remote begin with; nothing, for the device's first one. Errors: those
 * of the storage.
 */
export async function readQuarantine(
  storage: Storage,
  collections: readonly string[] = [],
  at = '',
): Promise<SetAside[]> {
  const [state = null] = await storage.get([`${at}s`]);
  if (typeof state !== 'string') return [];
  const generation = Number(jsonOf(state).generation).toString(36);
  const found: SetAside[] = [];
  for (const [letter, collection] of [...LETTERS, ...ownLetters(collections)]) {
    const prefix = `${at}${generation}.${letter}.q.`;
    for (let from: string | null = prefix; from !== null; ) {
      const keys = await storage.scan({ from, to: `${prefix.slice(0, -1)}/`, limit: PAGE_KEYS });
      const values = await storage.get(keys);
      for (const [at, key] of keys.entries()) {
        const { code } = jsonOf(String(values[at]));
        found.push({ collection, id: unescaped(key.slice(prefix.length)), code: String(code) });
      }
      from = keys.length < PAGE_KEYS ? null : `${keys.at(-1)}!`;
    }
  }
  return found;
}

/** Of the collections of apps: SPEC.md, as above. */
function ownLetters(collections: readonly string[]): [letter: string, collection: string][] {
  const known = LETTERS.map(([, collection]) => collection);
  return collections
    .filter((name) => !known.includes(name))
    .map((name) => [`g${name.replaceAll('.', '~')}`, name]);
}

/**
 * What is stored, and of collections with more than a device remembers also what was `reported`
 * once.
 */
export function withForgotten(
  stored: readonly SetAside[],
  reported: readonly SetAside[],
): readonly SetAside[] {
  const all = [...stored];
  for (const name of new Set(reported.map(({ collection }) => collection))) {
    const ids = new Set(stored.flatMap(({ collection, id }) => (collection === name ? [id] : [])));
    if (ids.size < REMEMBERED_MAX) continue;
    for (const { collection, id, code } of reported) {
      if (collection !== name || ids.has(id)) continue;
      ids.add(id);
      all.push({ collection, id, code });
    }
  }
  return all;
}

/** Form 2 has a `b` before the JSON. */
function jsonOf(value: string): { readonly [member: string]: unknown } {
  return JSON.parse(value.slice(value.indexOf('{')));
}

function unescaped(text: string): string {
  return text.replace(/%(2[0-5])/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/**
 * What a device has set aside, of the collections of these names, although it should have taken it,
 * and what it has neither taken nor set aside. `only` these records are looked at, for accounts too
 * large to be read whole; not those of `except`. `wireId`: what the remote calls a record.
 */
export function quarantineProblems(
  account: SeedAccount,
  names: readonly string[],
  aside: readonly SetAside[],
  nowMs: number,
  { only, except, wireId = (_, id) => id }: Looked,
): string[] {
  const problems: string[] = [];
  for (const name of names) {
    const marks = new Map(
      aside.filter(({ collection }) => collection === name).map(({ id, code }) => [id, code]),
    );
    for (const record of recordsOf(account, name, nowMs, only)) {
      if (except?.has(record.id)) continue;
      const id = asideName(record.id);
      const code = marks.get(id) ?? marks.get(wireId(name, record.id));
      if (isForDevices(name, record.id, record.body)) {
        if (code === undefined || isTooMuch(record, code)) continue;
        problems.push(`${name} ${id}: set aside (${code}), although it proves itself`);
      } else if (code === undefined) {
        problems.push(
          `${name} ${id}: the server has it, the device neither took it nor set it aside`,
        );
      }
    }
  }
  return problems;
}

interface Looked {
  readonly only?: readonly string[];
  readonly except?: ReadonlySet<string>;
  readonly wireId?: (collection: string, id: string) => string;
}

/** A device's limits are its own. A record that is shorter than this is within all of them. */
const SHORT_CHARS = 2_000;
const SIZE_CODES: readonly string[] = ['tooLarge', 'killedDevice'];

function isTooMuch({ payloadChars }: OpenedRecord, code: string): boolean {
  return SIZE_CODES.includes(code) && payloadChars > SHORT_CHARS;
}
