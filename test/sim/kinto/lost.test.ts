// What a Kinto loses: everything, what was written since a backup, a bucket, a collection, records
// whose tombstones are purged. A device loses nothing of it, puts up again what the server lacks,
// doubles nothing, and tells it once. A second device that hears of it later adds nothing.

import { expect, test } from 'vitest';
import { MemoryStorage } from '../../../platform/memory/storage.ts';
import {
  type Device,
  deviceOn,
  disagreements,
  type Form,
  heldBy,
  type Other,
  otherOf,
  type Servers,
  thaw,
  wireIdOf,
} from './lab.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const COUNT = 12;
const MORE = 10;

interface Two {
  readonly servers: Servers;
  readonly other: Other;
  readonly first: Device;
  readonly second: Device;
  later(byMs: number): void;
}

/** Two devices of the user, and what both have synced; the backup is from before the last edits. */
async function synced(form: Form): Promise<Two> {
  const servers = thaw(undefined, form);
  const other = otherOf(servers);
  for (let n = 0; n < COUNT; n++) other.put('contacts', `c${n}`, { who: `Person ${n}` });
  const [first, second] = [1, 2].map((seed) => deviceOn(servers, new MemoryStorage(), { seed }));
  if (first === undefined || second === undefined) throw new Error('no devices');
  const two: Two = {
    ...{ servers, other, first, second },
    later(byMs) {
      servers.nowMs += byMs;
      for (const { platform } of [first, second]) platform.time.set(servers.nowMs);
    },
  };
  for (const { agent } of [first, second]) {
    await agent.start();
    expect(await agent.enable()).toMatchObject({ ok: true });
  }
  two.later(10 * MINUTE_MS);
  servers.backup = servers.server.store.dump();
  two.later(10 * MINUTE_MS);
  await first.agent.put('contacts', { id: 'c0', mail: 'since the backup' });
  await first.agent.put('contacts', { id: 'new', who: 'since the backup' });
  for (const { agent } of [first, second]) expect(await agent.sync()).toMatchObject({ ok: true });
  two.later(10 * MINUTE_MS);
  return two;
}

/** So many are there in the end that none is missed. */
function restoredWithMore({ servers, other, later }: Two): void {
  servers.server.store.restore(servers.backup);
  for (let n = 20; n < 20 + MORE; n++) other.put('contacts', `c${n}`, { who: `Person ${n}` });
  later(MINUTE_MS);
}

const LOSSES: readonly {
  readonly what: string;
  /** Kinds of what the first device is told, and how often. */
  readonly told: Readonly<Record<string, number>>;
  /** Of records that lie one by one: it can happen to none in a pack. */
  readonly isOfRecords?: true;
  /** The same of records that lie as they are; left out: the server is believed there. */
  readonly asTheyAre?: Readonly<Record<string, number>>;
  /** Passes of the first device until all is up again. */
  readonly passes?: number;
  /** Records that others have made meanwhile. */
  readonly added?: number;
  lose(two: Two): void | Promise<void>;
}[] = [
  {
    what: 'everything',
    told: { beganAnew: 1 },
    asTheyAre: { beganAnew: 1 },
    lose: ({ servers }) => servers.server.store.flush(),
  },
  {
    what: 'its bucket, which is made again',
    told: { beganAnew: 1 },
    asTheyAre: { beganAnew: 1 },
    lose({ servers: { server } }) {
      for (const { id } of server.store.names.live()) server.store.names.delete(id);
      server.store.buckets.clear();
    },
  },
  {
    what: 'a collection, which is made again',
    told: { beganAnew: 1 },
    asTheyAre: { beganAnew: 1 },
    lose({ servers: { server } }) {
      for (const { names, collections } of server.store.buckets.values()) {
        names.delete('contacts');
        collections.delete('contacts');
      }
    },
  },
  {
    what: 'what was written since a backup',
    told: { beganAnew: 1 },
    asTheyAre: {},
    lose: ({ servers }) => servers.server.store.restore(servers.backup),
  },
  {
    what: 'what was written since a backup, and others have written since',
    told: { beganAnew: 1 },
    asTheyAre: {},
    async lose({ servers, other, first, later }) {
      servers.server.store.restore(servers.backup);
      other.put('contacts', 'c9', { who: 'Person 9', mail: 'after it' });
      later(MINUTE_MS);
      // It is noticed where a change meets what is older than it.
      await first.agent.put('contacts', { id: 'c0', note: 'unsent' });
    },
  },
  {
    what: 'what was written since a backup, and more has come since',
    told: { beganAnew: 1 },
    asTheyAre: {},
    isOfRecords: true,
    added: MORE,
    lose: restoredWithMore,
  },
  {
    what: 'what was written since a backup, and nothing shows it for a week',
    told: { beganAnew: 1 },
    asTheyAre: {},
    added: MORE,
    lose(two) {
      restoredWithMore(two);
      two.later(8 * DAY_MS);
    },
  },
  {
    what: 'what was written since a backup, and a change meets it before anything shows it',
    told: { beganAnew: 1 },
    asTheyAre: {},
    added: MORE,
    async lose(two) {
      restoredWithMore(two);
      await two.first.agent.put('contacts', { id: 'c0', note: 'unsent' });
    },
  },
  {
    what: 'what was written since a backup, and another has written beside it',
    told: { beganAnew: 1 },
    asTheyAre: {},
    passes: 2,
    // A pack that has news for all others has an older version of this one.
    lose({ servers, other, later }) {
      servers.server.store.restore(servers.backup);
      for (let n = 1; n < COUNT; n++) other.put('contacts', `c${n}`, { who: `Person ${n}`, n });
      later(MINUTE_MS);
    },
  },
  {
    what: 'what was written in the minute since a backup, and others have written beside it',
    told: { beganAnew: 1 },
    asTheyAre: {},
    added: 2,
    // A listing begins a minute before its position: older versions are in it.
    async lose({ servers, other, first, second, later }) {
      const both = async (): Promise<void> => {
        for (const { agent } of [first, second])
          expect(await agent.sync()).toMatchObject({ ok: true });
        later(5_000);
      };
      for (const n of [2, 3]) other.put('contacts', `c${n}`, { who: `Person ${n}`, mail: 'old' });
      await both();
      servers.backup = servers.server.store.dump();
      later(5_000);
      await first.agent.put('contacts', { id: 'c2', mail: 'since the backup' });
      await first.agent.put('contacts', { id: 'newest', who: 'since the backup, too' });
      await both();
      servers.server.store.restore(servers.backup);
      for (const n of [20, 21]) other.put('contacts', `c${n}`, { who: `Person ${n}` });
    },
  },
  {
    what: 'what was made again since a backup, in which it is deleted',
    told: { beganAnew: 1 },
    asTheyAre: {},
    async lose({ servers, first, second, later }) {
      await first.agent.delete('contacts', 'c8');
      await first.agent.sync();
      later(MINUTE_MS);
      servers.backup = servers.server.store.dump();
      await first.agent.put('contacts', { id: 'c8', who: 'Person 8' });
      for (const { agent } of [first, second])
        expect(await agent.sync()).toMatchObject({ ok: true });
      later(MINUTE_MS);
      servers.server.store.restore(servers.backup);
    },
  },
  {
    what: 'records that nobody has deleted',
    isOfRecords: true,
    told: { unprovenDeletion: 3 },
    lose({ other }) {
      for (const n of [1, 2, 3]) other.records('contacts').delete(wireIdOf('contacts', `c${n}`));
    },
  },
  {
    what: 'records that nobody has deleted, and their tombstones',
    isOfRecords: true,
    told: { beganAnew: 1 },
    passes: 2,
    lose({ other }) {
      const records = other.records('contacts');
      for (const n of [1, 2, 3]) records.delete(wireIdOf('contacts', `c${n}`));
      records.purge();
      other.put('contacts', 'c9', { who: 'Person 9', mail: 'after it' });
    },
  },
];

const CASES = LOSSES.flatMap((loss) => [
  { ...loss, how: 'one by one', form: 'alone' as Form },
  ...(loss.isOfRecords ? [] : [{ ...loss, how: 'in packs', form: 'packed' as Form }]),
  ...(loss.asTheyAre === undefined
    ? []
    : [{ ...loss, how: 'as they are', form: 'plain' as Form, told: loss.asTheyAre }]),
]);

test.each(CASES)('a server that has lost $what has it again, once: $how', async (loss) => {
  const two = await synced(loss.form);
  const { first, second, other, later } = two;
  await loss.lose(two);
  const before = await heldBy(first, 'contacts');
  first.platform.events.length = 0;
  for (let pass = 0; pass < (loss.passes ?? 1); pass++) {
    later(MINUTE_MS);
    expect(await first.agent.sync()).toMatchObject({ ok: true, error: null });
  }
  expect(await disagreements(first, other)).toEqual([]);
  const now = await heldBy(first, 'contacts');
  for (const [id, body] of before) expect(now.get(id), id).toMatchObject(body);
  expect(now.size).toBe(before.size + (loss.added ?? 0));
  for (const kind of ['beganAnew', 'unprovenDeletion']) {
    const events = first.told(kind).filter(({ collection }) => collection === 'contacts');
    expect(events.length, kind).toBe(loss.told[kind] ?? 0);
  }
  // Nothing more to tell, and nothing more to do, for either.
  for (const device of [second, first, second]) {
    later(MINUTE_MS);
    expect(await device.agent.sync()).toMatchObject({ ok: true });
  }
  first.platform.events.length = 0;
  later(MINUTE_MS);
  expect(await first.agent.sync()).toMatchObject({ ok: true });
  expect([...first.told('beganAnew'), ...first.told('unprovenDeletion')]).toEqual([]);
  expect(await heldBy(first, 'contacts')).toEqual(now);
  expect(await disagreements(second, other)).toEqual([]);
});
