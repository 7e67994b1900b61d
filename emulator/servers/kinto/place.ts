// Objects of one kind under one parent: the collections of a bucket, the records of one. Each place
// has a clock of its own. A stamp is given once in a place; a deletion leaves a tombstone there.

/** As it goes over the wire. */
export type Data = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly last_modified: number;
};

type Members = Readonly<Record<string, unknown>>;

/** What a place holds, as plain JSON. */
export interface PlaceDump {
  readonly stampMs: number;
  /** Oldest change first. */
  readonly live: readonly Data[];
  readonly tombstones: readonly Data[];
}

export class Place {
  readonly #nowMs: () => number;
  /** Oldest change first. */
  readonly #live = new Map<string, Data>();
  readonly #tombstones = new Map<string, Data>();
  #stampMs = 0;

  constructor(nowMs: () => number, from: PlaceDump = { stampMs: 0, live: [], tombstones: [] }) {
    this.#nowMs = nowMs;
    this.#stampMs = from.stampMs;
    for (const data of from.live) this.#live.set(data.id, data);
    for (const data of from.tombstones) this.#tombstones.set(data.id, data);
  }

  dump(): PlaceDump {
    return { stampMs: this.#stampMs, live: this.live(), tombstones: this.tombstones() };
  }

  /** The place's own stamp: that of its last change, or of when it was first asked for. */
  get stampMs(): number {
    if (this.#stampMs === 0) this.#next();
    return this.#stampMs;
  }

  live(): Data[] {
    return [...this.#live.values()];
  }

  tombstones(): Data[] {
    return [...this.#tombstones.values()];
  }

  get(id: string): Data | null {
    return this.#live.get(id) ?? null;
  }

  /**
   * Under a new stamp, or under the one that it asks for if the object has no later one: a past
   * stamp, too, of an object that was not there.
   */
  put(id: string, members: Members): Data {
    const before = this.#live.get(id) ?? this.#tombstones.get(id);
    const wantedMs = Number(members.last_modified);
    const isUsable = Number.isInteger(wantedMs) && wantedMs > (before?.last_modified ?? 0);
    return this.#set(id, members, isUsable ? this.#free(wantedMs) : this.#next());
  }

  /**
   * Another writer's: its stamp is from before the place's own, as that of a transaction is which
   * was committed late.
   */
  late(id: string, members: Members): Data {
    return this.#set(id, members, this.#free(this.stampMs - 1, -1));
  }

  delete(id: string): Data {
    const data = { id, last_modified: this.#next(), deleted: true };
    this.#live.delete(id);
    this.#tombstones.set(id, data);
    return data;
  }

  /** The tombstones go, and with them their stamps; an object that goes too leaves nothing. */
  purge(id?: string): void {
    this.#tombstones.clear();
    if (id !== undefined) this.#live.delete(id);
    this.#stampMs = Math.max(1, ...this.live().map((data) => data.last_modified));
  }

  #set(id: string, members: Members, last_modified: number): Data {
    const data = { ...members, id, last_modified };
    this.#tombstones.delete(id);
    this.#live.delete(id);
    this.#live.set(id, data);
    return data;
  }

  #next(): number {
    this.#stampMs = Math.max(this.#stampMs + 1, this.#nowMs());
    return this.#stampMs;
  }

  #free(fromMs: number, step = 1): number {
    const all = [...this.live(), ...this.tombstones()];
    const taken = new Set(all.map((data) => data.last_modified));
    let stampMs = fromMs;
    while (taken.has(stampMs)) stampMs += step;
    this.#stampMs = Math.max(this.#stampMs, stampMs);
    return stampMs;
  }
}
