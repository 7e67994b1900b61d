// What a Kinto holds, in memory: buckets of users, collections in them, records in these.

import { Place, type PlaceDump } from './place.ts';

export interface Bucket {
  /** Who made it: nobody else reads or writes what is in it. */
  readonly owner: string;
  /** What `GET` of the collections answers. */
  readonly names: Place;
  /** The records of each. */
  readonly collections: Map<string, Place>;
}

/** All of it, as plain JSON. */
export interface KintoDump {
  readonly names: PlaceDump;
  readonly buckets: readonly {
    readonly id: string;
    readonly owner: string;
    readonly names: PlaceDump;
    readonly collections: readonly (readonly [name: string, records: PlaceDump])[];
  }[];
}

export class KintoStore {
  readonly buckets = new Map<string, Bucket>();
  /** What `GET` of the buckets answers. */
  names: Place;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.names = new Place(nowMs);
  }

  makeBucket(id: string, owner: string): Bucket {
    const bucket = { owner, names: new Place(this.#nowMs), collections: new Map() };
    this.buckets.set(id, bucket);
    return bucket;
  }

  makeCollection({ collections }: Bucket, id: string): Place {
    const records = new Place(this.#nowMs);
    collections.set(id, records);
    return records;
  }

  dump(): KintoDump {
    const buckets = [...this.buckets].map(([id, { owner, names, collections }]) => ({
      ...{ id, owner, names: names.dump() },
      collections: [...collections].map(([name, place]) => [name, place.dump()] as const),
    }));
    return { names: this.names.dump(), buckets };
  }

  /** Holds what a dump does and nothing else, as after a backup was restored. */
  restore({ names, buckets }: KintoDump): void {
    const placeOf = (dump: PlaceDump): Place => new Place(this.#nowMs, dump);
    this.names = placeOf(names);
    this.buckets.clear();
    for (const { id, owner, names: own, collections } of buckets) {
      const records = collections.map(([name, dump]) => [name, placeOf(dump)] as const);
      this.buckets.set(id, { owner, names: placeOf(own), collections: new Map(records) });
    }
  }

  flush(): void {
    this.buckets.clear();
    for (const { id } of this.names.live()) this.names.purge(id);
  }
}
