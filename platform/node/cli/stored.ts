// What the commands read past the agent, in the layout of SPEC.md: the marks of records that were
// set aside, how long the server wants to be left alone, and what kind of server it is. It writes
// nothing, and what it does not understand it leaves out.

import { type Contents, generic, installedApps } from '../../../agent/index.ts';
import type { Storage } from '../../ports.ts';
import { StorageError } from '../../storage-rules.ts';
import { contents, KINTO, OWA } from './contents.ts';
import { FIRST } from './service.ts';

type Reading = Pick<Storage, 'get' | 'scan'>;

/** A record of the server that was set aside. */
interface Mark {
  readonly collection: string;
  readonly id: string;
  /** Why. */
  readonly code: string;
  /** The server's time of the version that was set aside. */
  readonly modifiedMs: number;
}

export interface MarkPage {
  readonly marks: readonly Mark[];
  /** Where the next page goes on; null: this was the last one. */
  readonly next: string | null;
}

/**
 * The marks of a collection, by id, from behind `after` on. `place`: what the keys of its service
 * begin with, if it is not the first. Errors: `StorageError`.
 */
export async function readMarks(
  storage: Reading,
  collection: string,
  after: string | null,
  place = '',
): Promise<MarkPage> {
  const { generation } = await readState(storage, place);
  if (typeof generation !== 'number') return { marks: [], next: null };
  const prefix = `${place}${generation.toString(36)}.${letterOf(collection)}.q.`;
  const from = prefix + (after ?? '');
  const limit = PAGE_MARKS + 1;
  const found = await storage.scan({ from, to: `${prefix.slice(0, -1)}/`, limit });
  // The one that the last page ended with comes again.
  const keys = found.filter((key) => key !== from).slice(0, PAGE_MARKS);
  const values = await storage.get(keys);
  const marks = keys.map((key, at): Mark => {
    const { code, modifiedMs } = membersOf(values[at]);
    return {
      collection,
      id: unescaped(key.slice(prefix.length)),
      code: typeof code === 'string' ? code : 'damaged',
      modifiedMs: typeof modifiedMs === 'number' ? modifiedMs : 0,
    };
  });
  const last = keys[keys.length - 1];
  const isOver = found.length < limit || last === undefined;
  return { marks, next: isOver ? null : last.slice(prefix.length) };
}

/** Milliseconds until the server may be asked again, by its own wish. Errors: `StorageError`. */
export async function readServerWaitMs(
  storage: Reading,
  nowMs: number,
  place = '',
): Promise<number> {
  const { backoff } = await readState(storage, place);
  const { setAtMs, untilMs } = objectOf(objectOf(backoff).server);
  if (typeof setAtMs !== 'number' || typeof untilMs !== 'number') return 0;
  // Where the clock was put back, the wait begins now: see agent/schedule/backoff.ts.
  return Math.max(0, nowMs < setAtMs ? untilMs - setAtMs : untilMs - nowMs);
}

/**
 * Names of collections in which conflicts wait for somebody to decide; none where that cannot be
 * read: the agent mends the storage, and what waits is sent a day later at the earliest.
 * `services`: those beside the first.
 */
export async function readUndecided(
  storage: Reading,
  { collections }: Pick<Contents, 'collections'>,
  services: readonly string[],
): Promise<string[]> {
  try {
    return await undecidedIn(storage, collections, services);
  } catch (error) {
    if (error instanceof StorageError) return [];
    throw error;
  }
}

async function undecidedIn(
  storage: Reading,
  collections: Contents['collections'],
  services: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const service of [FIRST, ...services]) {
    const place = placeOf(service);
    const { generation } = await readState(storage, place);
    if (typeof generation !== 'number') continue;
    for (const { name, letter } of collections) {
      const from = `${place}${generation.toString(36)}.${letter}.b.`;
      const to = `${from.slice(0, -1)}/`;
      if ((await storage.scan({ from, to, limit: 1 })).length > 0) found.push(name);
    }
  }
  return found;
}

/** How data is kept: on a Kinto records have other names than for apps. */
export type Keeping = 'kinto' | 'owa' | 'sync';

export function keepingOf(protocol: string): Keeping {
  return protocol === KINTO ? 'kinto' : protocol === OWA ? 'owa' : 'sync';
}

/** One that keeps data so. */
export function protocolOf(keeping: Keeping): string {
  return keeping === 'kinto' ? KINTO : keeping === 'owa' ? OWA : 'sync15';
}

/**
 * For which kind of server a service's data was kept; null: there is none, or it cannot be read,
 * which the agent has the words for.
 */
export async function readKeeping(
  storage: Reading,
  service: string | null = null,
): Promise<Keeping | null> {
  const place = placeOf(service);
  try {
    const { generation, uid } = await readState(storage, place);
    if (typeof generation !== 'number' || typeof uid !== 'string') return null;
    const base = `${place}${generation.toString(36)}.`;
    const [secret = null, meta = null] = await storage.get([`${base}w`, `${base}m`]);
    // Whose document it is stands there, as a digest.
    if (typeof meta === 'string' && /^[\da-f]{24}$/.test(meta)) return 'owa';
    if (secret === null || meta !== null) return 'sync';
    // Web apps have such names everywhere: they say nothing of the server.
    const named = await storage.scan({ from: `${base}w.`, to: `${base}w/`, limit: 2 });
    const isOfApps = named.every((key) => key === `${base}w.${installedApps.letter}`);
    return isOfApps && named.length > 0 ? null : 'kinto';
  } catch (error) {
    if (error instanceof StorageError) return null;
    throw error;
  }
}

const PAGE_MARKS = 500;

const { devices } = contents;
const LETTERS: ReadonlyMap<string, string> = new Map(
  [...contents.collections, ...(devices ? [devices.collection] : [])].map(
    ({ name, letter }) => [name, letter] as const,
  ),
);

/** What keys of a collection have behind the generation: see agent/store/layout.ts. */
export function letterOf(collection: string): string {
  return LETTERS.get(collection) ?? generic(collection).letter;
}

/** What all keys of a further service begin with; nothing for the first. */
export function placeOf(name: string | null): string {
  return name === null || name === FIRST ? '' : `:${name}:`;
}

type Members = { readonly [name: string]: unknown };

async function readState(storage: Pick<Storage, 'get'>, place: string): Promise<Members> {
  const [state] = await storage.get([`${place}s`]);
  return membersOf(state);
}

/** Of a JSON value, in any form. */
function membersOf(stored: unknown): Members {
  if (typeof stored !== 'string') return {};
  try {
    return objectOf(JSON.parse(stored.slice(stored.indexOf('{'))));
  } catch {
    return {};
  }
}

function objectOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function unescaped(id: string): string {
  return id.replace(/%(2[015])/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
