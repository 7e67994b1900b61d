// What a Kinto holds, in memory: buckets of users, collections in them, records in these.

import { Place } from './place.ts';

export interface Bucket {
  /** Who made it: nobody else reads or writes what is in it. */
  readonly owner: string;
  /** What `GET` of the collections answers. */
  readonly names: Place;
  /** The records of each. */
  readonly collections: Map<string, Place>;
}

export class KintoStore {
  readonly buckets = new Map<string, Bucket>();
  /** What `GET` of the buckets answers. */
  readonly names: Place;
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

  flush(): void {
    this.buckets.clear();
    for (const { id } of this.names.live()) this.names.purge(id);
  }
}
