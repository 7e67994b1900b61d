// kinto.js as a side: it syncs each collection through Syncto, looks for the account's keys before,
// and settles conflicts as its user would: of two edits the later stays, of visits all, and an edit
// outlives a deletion.

import type { Conflict } from 'kinto';
import { clientState, defaultKeys, type KeyPair } from '../../emulator/servers/sync-keys.ts';
import { type KintoCollection, type KintoRecord, kintoClient } from '../support/kinto-js.ts';
import type { Thing } from './model.ts';
import { bodyWith, KINDS, type Kind, type Outcome, type Side, thingInBody } from './side.ts';
import type { User } from './user.ts';

const ROUNDS_MAX = 6;
type Body = Readonly<Record<string, unknown>>;

/** A side that has nothing yet. */
export function kintoSide(user: User): Side {
  return new KintoSide(user);
}

class KintoSide implements Side {
  readonly name = 'kinto.js';
  readonly findsDoubles = false;
  readonly #user: User;
  readonly #bucket: string;
  readonly #client: ReturnType<typeof kintoClient>;
  readonly #collections: ReadonlyMap<Kind, KintoCollection>;
  #keys: KeyPair | null = null;
  /** Of the account, as it was when all was read for the last time. */
  #heard = '';
  #needsAnother = false;

  constructor(user: User) {
    this.#user = user;
    this.#bucket = clientState(user.kB);
    this.#client = kintoClient({
      ...{ remote: `${user.url}/syncto/v1`, bucket: this.#bucket },
      keys: () => {
        if (this.#keys === null) throw new Error('the keys were not read yet');
        return this.#keys;
      },
    });
    this.#collections = new Map(KINDS.map((kind) => [kind, this.#client.collection(kind)]));
  }

  async value(kind: Kind, key: string): Promise<string | null> {
    const one = await this.#found(kind, key);
    return one === undefined ? null : thingInBody(kind, one.body ?? {}).value;
  }

  async put(kind: Kind, thing: Thing): Promise<void> {
    const before = await this.#found(kind, thing.key);
    const body = bodyWith(kind, thing, before?.body ?? {});
    if (before === undefined) await this.#of(kind).create({ body });
    else await this.#of(kind).update({ ...before, body });
  }

  async delete(kind: Kind, key: string): Promise<boolean> {
    const record = await this.#found(kind, key);
    // What may be on its way up has no version yet that a deletion could be of.
    if (record?.last_modified === undefined) return false;
    await this.#of(kind).delete(record.id);
    return true;
  }

  async held(kind: Kind): Promise<Thing[]> {
    const { data } = await this.#of(kind).list();
    return data.map(({ body }) => thingInBody(kind, body ?? {}));
  }

  async pass(): Promise<Outcome> {
    const first = await this.#passOnce();
    if (first.code !== '401') return first;
    this.#needsAnother = true;
    return this.#passOnce();
  }

  /** It keeps what it has in memory, so it breaks off where the network does. */
  async crash(): Promise<void> {
    await this.pass();
  }

  async #passOnce(): Promise<Outcome> {
    try {
      await this.#learn();
      let conflicts = 0;
      for (const kind of KINDS) conflicts += await this.#sync(kind);
      return { ok: true, code: '', conflicts };
    } catch (error) {
      const status = (error as { response?: { status: number } }).response?.status;
      return { ok: false, code: String(status ?? (error as Error).message), conflicts: 0 };
    }
  }

  /** Who begins anew reads all, and sends all that it has. */
  async #learn(): Promise<void> {
    const { payload } = await this.#record('meta', 'global');
    const sealed = (await this.#record('crypto', 'keys')).payload;
    const now = `${JSON.parse(payload).syncID} ${sealed}`;
    if (now === this.#heard) return;
    this.#keys = defaultKeys(this.#user.kB, sealed);
    if (this.#heard !== '') for (const kind of KINDS) await this.#of(kind).resetSyncStatus();
    this.#heard = now;
  }

  /** Syncs until no conflict is left: how many there were. Errors: those of kinto.js. */
  async #sync(kind: Kind): Promise<number> {
    const collection = this.#of(kind);
    let count = 0;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const result = await collection.sync({ headers: await this.#headers() });
      const [first] = result.errors;
      if (first !== undefined) throw new Error(JSON.stringify(first).slice(0, 300));
      if (result.conflicts.length === 0) return count;
      count += result.conflicts.length;
      for (const conflict of result.conflicts) await this.#settle(kind, conflict);
    }
    return count;
  }

  async #settle(kind: Kind, { type, local, remote }: Conflict<KintoRecord>): Promise<void> {
    const collection = this.#of(kind);
    if (type === 'incoming') {
      const resolution = remote.deleted ? local : united(kind, local, remote);
      await collection.resolve({ type, local, remote }, resolution);
      return;
    }
    // The next pull brings the other version, but for what is deleted here: that it passes over.
    if (local.deleted !== true) return;
    const [transformer] = collection.remoteTransformers;
    const theirs = (await transformer?.decode(await this.#record(kind, local.id))) as KintoRecord;
    await collection.db.execute((transaction) => {
      if (theirs.deleted) transaction.delete(theirs.id);
      else transaction.update({ ...theirs, _status: 'synced' });
    });
  }

  #of(kind: Kind): KintoCollection {
    const collection = this.#collections.get(kind);
    if (collection === undefined) throw new Error(`there is no ${kind}`);
    return collection;
  }

  async #found(kind: Kind, key: string): Promise<KintoRecord | undefined> {
    const { data } = await this.#of(kind).list();
    return data.find((one) => thingInBody(kind, one.body ?? {}).key === key);
  }

  async #headers(): Promise<Record<string, string>> {
    const assertion = await this.#user.assertion(this.#needsAnother);
    this.#needsAnother = false;
    return { Authorization: `BrowserID ${assertion}` };
  }

  async #record(collection: string, id: string): Promise<Wire> {
    const place = this.#client.api.bucket(this.#bucket).collection(collection);
    return (await place.getRecord<Wire>(id, { headers: await this.#headers() })).data;
  }
}

interface Wire {
  readonly id: string;
  readonly payload: string;
  readonly last_modified: number;
}

function united(kind: Kind, local: KintoRecord, remote: KintoRecord): KintoRecord {
  const [mine, theirs]: Body[] = [local.body ?? {}, remote.body ?? {}];
  if (mine === undefined || theirs === undefined) return local;
  const isMineLater = timeOf(kind, mine) > timeOf(kind, theirs);
  const later = isMineLater ? mine : theirs;
  if (kind === 'passwords') return { ...remote, body: later };
  const visits = new Map<number, Visit>();
  for (const visit of [...visitsOf(theirs), ...visitsOf(mine)]) visits.set(visit.date, visit);
  const all = [...visits.values()].sort((a, b) => b.date - a.date);
  return { ...remote, body: { ...theirs, title: later.title, visits: all } };
}

interface Visit {
  readonly date: number;
}

function visitsOf(body: Body): readonly Visit[] {
  return (body.visits ?? []) as readonly Visit[];
}

function timeOf(kind: Kind, body: Body): number {
  if (kind === 'passwords') return Number(body.timePasswordChanged ?? 0);
  return Math.max(0, ...visitsOf(body).map(({ date }) => date));
}
