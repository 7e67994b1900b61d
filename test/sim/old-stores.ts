// How a device goes on from a store of an earlier layout, and what is wrong afterwards: the server
// may differ from what it held only by what waited in the outbox, each change once, and the device
// must hold what the server does.

import { isDeepStrictEqual } from 'node:util';
import type { Agent } from '../../agent/index.ts';
import type { Fault } from '../../emulator/device/flash-image.ts';
import type { Edit } from '../../emulator/options.ts';
import type { Store, User } from '../../emulator/servers/store.ts';
import type { SeedAccount } from '../../emulator/servers/store-file.ts';
import type { World } from '../../emulator/servers/world.ts';
import { accountOf, type HeldRecord, type OldStore } from '../support/old-stores.ts';
import { type Json, secondDevice } from './second-device.ts';

/** How often each record was written, by `collection/id`. */
type Writes = ReadonlyMap<string, number>;

/** The servers' account as it was, counting what is written to it. */
export function watchedAccount(store: OldStore): { account: SeedAccount; writes: Writes } {
  const account = accountOf(store);
  const writes = new Map<string, number>();
  for (const user of account.store.users.values()) {
    const write = user.write.bind(user);
    user.write = (name, changes, nowMs) => {
      const list = [...changes];
      for (const { id } of list) {
        writes.set(`${name}/${id}`, (writes.get(`${name}/${id}`) ?? 0) + 1);
      }
      return write(name, list, nowMs);
    };
  }
  return { account, writes };
}

interface Ended {
  readonly world: World;
  readonly nowMs: number;
  readonly writes: Writes;
  readonly held: { readonly [collection: string]: readonly HeldRecord[] };
  readonly quarantined: number;
  readonly pending: number;
}

/** A device that goes on from an old store; the power can be cut at any of its writes. */
export interface Revived<E = Ended> {
  /**
   * Boots and syncs. Resolves to false if the power went before it was done; what fails otherwise
   * is thrown.
   */
  goOn(): Promise<boolean>;
  /** Writes so far; `bootWrites` of them before the first pass began. */
  readonly writes: number;
  readonly bootWrites: number;
  ended(): Promise<E>;
}

/** `cutAt`: the write that the power does not outlive. */
export type Revive<S = OldStore, E = Ended> = (
  store: S,
  cutAt: number | null,
  fault: Fault,
) => Promise<Revived<E>>;

const FAULTS: readonly Fault[] = ['torn', 'lost', 'reordered'];

interface SweepOptions<S, E> {
  /** What is wrong in the end, in words. */
  readonly wrongs: (store: S, ended: E) => string[];
  /** From one write to the next that is cut. */
  readonly stride: number;
  /** What becomes of what was not synced: all ways if it is left out. */
  readonly faults?: readonly Fault[];
}

interface Sweep {
  readonly writes: number;
  readonly bootWrites: number;
  readonly cuts: number;
  readonly complaints: readonly string[];
}

/**
 * Cuts the power in the step from the old layout (`bootWrites`) and in the pass that follows, one
 * way after the other; every outcome is opened again and goes on to its end.
 */
export async function sweep<S, E>(
  store: S,
  revive: Revive<S, E>,
  { wrongs, stride, faults = FAULTS }: SweepOptions<S, E>,
): Promise<Sweep> {
  const whole = await revive(store, null, 'kept');
  if (!(await whole.goOn())) throw new Error('the power went by itself');
  const complaints = wrongs(store, await whole.ended());
  const { writes, bootWrites } = whole;
  let cuts = 0;
  for (let at = 1; at <= writes; at += stride) {
    const fault = faults[cuts++ % faults.length] ?? 'kept';
    const device = await revive(store, at, fault);
    const wasCut = !(await device.goOn());
    const isDone = await device.goOn();
    const wrong = isDone ? wrongs(store, await device.ended()) : ['it was cut again'];
    if (!wasCut) wrong.push('it was not cut');
    complaints.push(...wrong.map((one) => `write ${at}, ${fault}: ${one}`));
  }
  return { writes, bootWrites, cuts, complaints };
}

/** Pages that no device can read: see the fixtures' README. */
const SPOILED = 4;

export function spoiledPages(store: OldStore): string[] {
  const world = { store: accountOf(store).store, account: { kB: store.account.kB } } as World;
  const second = secondDevice({ world, nowMs: store.nowMs });
  const readable = second.readable('history');
  return second.ids('history').filter((id) => !readable.has(id));
}

/** In words; empty when all is well. */
export function wrongs(store: OldStore, ended: Ended): string[] {
  const { world, nowMs, writes, held, quarantined, pending } = ended;
  const second = secondDevice({ world, nowMs });
  const before = payloads(accountOf(store).store);
  const after = payloads(world.store);
  const wrong: string[] = [];
  const expect = (is: boolean, what: string): void => void (is || wrong.push(what));
  expect(quarantined === SPOILED, `${quarantined} in quarantine`);
  expect(pending === 0, `${pending} pending`);
  const changed = [...after].filter(([key, payload]) => before.get(key) !== payload);
  const ours = changed.map(([key]) => key).filter((key) => !key.startsWith('clients/'));
  expect(ours.length === store.edits.length, `changed: ${ours.join(' ')}`);
  expect(
    [...before.keys()].every((key) => after.has(key)),
    'a record is gone from the server',
  );
  for (const [key, count] of writes) {
    expect(key.startsWith('clients/') || count === 1, `${key} was written ${count} times`);
  }
  for (const { collection, op, record } of [...store.edits, ...(store.sent ?? [])]) {
    const id = String(record.guid ?? record.id);
    const bodies = second.readable(collection);
    const found = [...bodies.values()].filter((body) => holds(body, record));
    if (op === 'put') expect(found.length === 1, `${found.length} of ${JSON.stringify(record)}`);
    else expect(bodies.get(id)?.deleted === true, `${collection}/${id} is not deleted`);
  }
  for (const collection of collectionsOf(store)) {
    const there = second.readable(collection);
    for (const [id, { deleted }] of there) if (deleted === true) there.delete(id);
    const here = new Map((held[collection] ?? []).map((one) => [one.id, one]));
    expect(here.size === there.size, `${collection}: ${here.size} here, ${there.size} there`);
    for (const [id, body] of there) {
      expect(isAlike(here.get(id), body), `${collection}/${id} differs`);
    }
  }
  return wrong;
}

/** What is synced in the store. */
export function collectionsOf({ collections = ['history', 'passwords'] }: OldStore) {
  return collections;
}

/** The server's record has what an edit named. */
function holds(body: Json, record: Edit['record']): boolean {
  const { guid, visits, ...members } = record;
  if (body.deleted === true || (guid !== undefined && body.id !== guid)) return false;
  const seen = asSeen(body);
  const there = datesOf(seen.visits);
  return (
    datesOf(visits).every((date) => there.includes(date)) &&
    Object.entries(members).every(([name, value]) => isDeepStrictEqual(seen[name], value))
  );
}

/** What apps see is what the server's record says, in every member that both name. */
function isAlike(here: HeldRecord | undefined, body: Json): boolean {
  if (here === undefined) return false;
  const { visits, ...seen } = asSeen(body);
  const shared = Object.keys(seen).filter((name) => name !== 'id' && name in here);
  return (
    shared.length > 0 &&
    isDeepStrictEqual(datesOf(here.visits).sort(), datesOf(visits).sort()) &&
    shared.every((name) => isDeepStrictEqual(here[name], seen[name]))
  );
}

/** A body of the server with the members that apps see and edits name. */
function asSeen({ histUri, bmkUri, hostname, entry, data, ...members }: Json): Json {
  const url = histUri ?? bmkUri;
  const items = typeof data === 'string' ? JSON.parse(data) : undefined;
  return {
    ...members,
    ...(entry as Json | undefined),
    ...(url !== undefined && { url }),
    ...(hostname !== undefined && { hostname, origin: hostname }),
    ...(items !== undefined && { items, set: items }),
  };
}

function datesOf(visits: unknown): number[] {
  return ((visits as { date: number }[] | undefined) ?? []).map(({ date }) => date);
}

function payloads(store: Store): Map<string, string> {
  const all = new Map<string, string>();
  for (const user of store.users.values()) for (const one of payloadsOf(user)) all.set(...one);
  return all;
}

function* payloadsOf(user: User): Generator<[string, string]> {
  for (const [name, collection] of user.collections) {
    for (const { id, payload } of collection.inArrivalOrder(0)) yield [`${name}/${id}`, payload];
  }
}

interface Listing {
  readonly records: readonly { readonly [member: string]: unknown }[];
  readonly next: string | null;
}

/** Everything that apps see of history and passwords. */
export async function listAllOf(
  list: (query: { collection: string; limit: number; after?: string }) => Promise<Listing>,
): Promise<Ended['held']> {
  const held: Record<string, HeldRecord[]> = {};
  for (const collection of ['history', 'passwords']) {
    const records: HeldRecord[] = [];
    let after: string | null = null;
    do {
      const query = { collection, limit: 20, ...(after !== null && { after }) };
      const page: Listing = await list(query);
      records.push(...page.records.map((one) => ({ ...one, id: `${one.guid}` })));
      after = page.next;
    } while (after !== null);
    held[collection] = records;
  }
  return held;
}

/** One pass of a device that has booted, whatever its state is. */
export async function syncOnce(agent: Agent): Promise<void> {
  const report = await (agent.status().state === 'disabled' ? agent.enable() : agent.sync());
  if (!report.ok) throw new Error(JSON.stringify(report.error));
}
