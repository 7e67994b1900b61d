// The records of a store that is in memory, as a storage node reads and writes them.

import type {
  BatchState,
  BsoStorage,
  Listing,
  Stretch,
  UserReader,
  UserWriter,
} from './bso-storage.ts';
import { listOf, sequenceOf } from './sequence.ts';
import { Locks } from './storage/locks.ts';
import type { Bso, BsoChange, Store, User } from './store.ts';

/** A batch by its collection and its id; neither has a slash. */
type Batches = Map<string, { state: BatchState; readonly changes: BsoChange[] }>;

/** What is written to the store elsewhere is seen at once. */
export function memoryBsos(store: Store): BsoStorage {
  const locks = new Locks();
  const batches = new Map<number, Batches>();
  const macs = new Map<number, Map<string, number>>();
  const use = <T>(uid: number, nowMs: number, work: (user: UserWriter) => Promise<T>) =>
    locks.run(String(uid), async () => {
      const user = store.users.get(uid);
      if (user === undefined) return undefined;
      const open: Batches = batches.get(uid) ?? new Map();
      batches.set(uid, open);
      const known = macs.get(uid) ?? new Map<string, number>();
      macs.set(uid, known);
      const writer = new MemoryUser(user, open, known, nowMs);
      return work(writer).catch((error: unknown) => {
        writer.forget();
        throw error;
      });
    });
  return { read: use, write: use };
}

/** One user of a store, to read. */
export function memoryUser(user: User, nowMs: number): UserReader {
  return new MemoryUser(user, new Map(), new Map(), nowMs);
}

class MemoryUser implements UserWriter {
  readonly #user: User;
  readonly #batches: Batches;
  /** By MAC: until when it is remembered. */
  readonly #macs: Map<string, number>;
  /** That of the request. */
  #mac = '';
  readonly #nowMs: number;

  constructor(user: User, batches: Batches, macs: Map<string, number>, nowMs: number) {
    this.#user = user;
    this.#batches = batches;
    this.#macs = macs;
    this.#nowMs = nowMs;
  }

  get modifiedMs(): number {
    return this.#user.modifiedMs;
  }

  async isFirst(mac: string, untilMs: number): Promise<boolean> {
    // In the order they came, which is nearly that in which they expire.
    for (const [known, expiresMs] of this.#macs) {
      if (expiresMs > this.#nowMs) break;
      this.#macs.delete(known);
    }
    const isFirst = !this.#macs.has(mac);
    if (!isFirst) return false;
    this.#macs.set(mac, untilMs);
    this.#mac = mac;
    return true;
  }

  /** The request has changed nothing, and may come again. */
  forget(): void {
    this.#macs.delete(this.#mac);
  }

  async stampOf(name: string): Promise<number | null> {
    return this.#user.collections.get(name)?.modifiedMs ?? null;
  }

  async stamps(): Promise<ReadonlyMap<string, number>> {
    return this.#ofEach(({ modifiedMs }) => modifiedMs);
  }

  async counts(): Promise<ReadonlyMap<string, number>> {
    return this.#ofEach((collection) => collection.count(this.#nowMs));
  }

  async usage(): Promise<ReadonlyMap<string, number>> {
    return this.#ofEach((collection) => collection.payloadBytes(this.#nowMs));
  }

  async get(name: string, ids: readonly string[]): Promise<Bso[]> {
    const collection = this.#user.collections.get(name);
    return ids.flatMap((id) => collection?.get(id, this.#nowMs) ?? []);
  }

  async list(name: string, stretch: Stretch): Promise<Listing<Bso>> {
    const collection = this.#user.collections.get(name);
    return listOf(collection?.oldestFirst(this.#nowMs) ?? sequenceOf([]), stretch);
  }

  async listIds(name: string, stretch: Stretch): Promise<Listing<string>> {
    const { items, ...listing } = await this.list(name, stretch);
    return { ...listing, items: (items as readonly Bso[]).map(({ id }) => id) };
  }

  async write(name: string, changes: readonly BsoChange[]): Promise<number> {
    return this.#user.write(name, changes, this.#nowMs);
  }

  async deleteRecords(name: string, ids: readonly string[]): Promise<number> {
    return this.#user.deleteRecords(name, ids, this.#nowMs);
  }

  async deleteCollection(name: string): Promise<number> {
    for (const key of [...this.#batches.keys()])
      if (key.startsWith(`${name}/`)) this.#batches.delete(key);
    return this.#user.deleteCollection(name, this.#nowMs);
  }

  async deleteAll(): Promise<number> {
    this.#batches.clear();
    return this.#user.deleteAll(this.#nowMs);
  }

  async batch(name: string, id: string): Promise<BatchState | null> {
    return this.#batches.get(`${name}/${id}`)?.state ?? null;
  }

  async extendBatch(
    name: string,
    id: string,
    changes: readonly BsoChange[],
    state: BatchState,
  ): Promise<void> {
    const { changes: before } = this.#batches.get(`${name}/${id}`) ?? { changes: [] };
    this.#batches.set(`${name}/${id}`, { state, changes: [...before, ...changes] });
  }

  async closeBatch(name: string, id: string): Promise<BsoChange[]> {
    const { changes } = this.#batches.get(`${name}/${id}`) ?? { changes: [] };
    this.#batches.delete(`${name}/${id}`);
    return changes;
  }

  #ofEach(of: (collection: Parameters<User['collections']['set']>[1]) => number) {
    return new Map(Array.from(this.#user.collections, ([name, one]) => [name, of(one)]));
  }
}
