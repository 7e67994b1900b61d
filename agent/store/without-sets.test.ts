// A collection that was replaced at once by one firmware, and is opened by the next one, which does
// not do that any more: nothing is lost, and nothing is sent twice.

import { expect, test } from 'vitest';
import type { MemoryStorage } from '../../platform/memory/storage.ts';
import { StorageError } from '../../platform/storage-rules.ts';
import { Bench } from '../../test/contract/bench.ts';
import { recordsService } from '../../test/support/made-up/services.ts';
import type { Service } from '../../test/support/service.ts';
import { atomic, type Contents, generic, wasAtomic } from '../index.ts';

/** Of which a step moves not all. */
const RECORDS = 120;

type Build = (service: Service) => Contents['collections'];

const ATOMIC: Build = ({ collection }) => [atomic(generic(collection))];
const PLAIN: Build = ({ collection }) => [generic(collection)];
const WAS_ATOMIC: Build = ({ collection }) => [wasAtomic(generic(collection))];

/** A bench whose next boot has the firmware `it.build`. */
class Updates extends Bench {
  build = ATOMIC;
  constructor() {
    super(() => {
      const service = recordsService();
      const { contents } = service;
      return Object.defineProperty(service, 'contents', {
        get: () => ({ ...contents, collections: this.build(service) }),
      });
    });
  }
}

/** The second set is live, and has changes that were not sent. */
async function replaced() {
  const it = new Updates();
  const device = await it.synced(RECORDS);
  const { service } = it;
  service.renew();
  for (let n = 0; n < RECORDS; n++)
    service.put(service.id(n), { text: `theirs ${n % 2 ? n : -n}` });
  await it.recovered(device);
  await it.put(device, 3, { text: 'unsent' });
  await it.put(device, 300, { text: 'unsent, too' });
  await it.delete(device, 4);
  const { storage } = device;
  expect(storage.snapshot().some(([key]) => key.endsWith('.2c'))).toBe(true);
  return { it, storage, held: await it.held(device) };
}

/** All that there was is there, what was not sent goes up, and nothing else does. */
async function expectWhole({ it, held }: Awaited<ReturnType<typeof replaced>>, on: MemoryStorage) {
  const device = await it.boot(on);
  expect(Object.fromEntries(await it.held(device))).toEqual(Object.fromEntries(held));
  const name = it.service.collection;
  it.advance(60_000, device);
  const { collections } = await it.recovered(device);
  expect(collections[name]).toMatchObject({ pulled: 0, pushed: 3 });
  await it.agreed(device);
}

const seconds = (storage: MemoryStorage): string[] =>
  storage.snapshot().flatMap(([key]) => (/^\w+\.g\w+\.2/.test(key) ? [key] : []));

test('a build without sets refuses what it cannot read, and touches nothing of it', async () => {
  const stored = await replaced();
  const { it, storage } = stored;
  it.build = PLAIN;
  const device = it.create(storage.fork());
  const kept = () => device.storage.snapshot().filter(([key]) => key !== 's');
  const before = kept();
  const refused = { code: 'clientTooOld', message: 'things: needs atomic()' };
  await expect(device.agent.start()).rejects.toMatchObject(refused);
  expect(await device.agent.sync()).toMatchObject({ ok: false, error: refused });
  await expect(it.put(device, 3, { text: 'x' })).rejects.toMatchObject(refused);
  await expect(it.held(device)).rejects.toMatchObject(refused);
  expect(kept()).toEqual(before);
  it.build = ATOMIC;
  await expectWhole(stored, device.storage.fork());
});

test('its user can sign out of it all the same', async () => {
  const { it, storage } = await replaced();
  it.build = PLAIN;
  const device = it.create(storage.fork());
  await expect(device.agent.start()).rejects.toMatchObject({ code: 'clientTooOld' });
  await device.agent.disable();
  expect(device.storage.snapshot().map(([key]) => key)).toEqual(['s']);
  const again = await it.boot(device.storage.fork());
  expect(await again.agent.enable()).toMatchObject({ ok: true });
  await it.agreed(again);
});

test('a build without sets opens the first one, whatever is left of the second', async () => {
  const it = new Updates();
  const device = await it.synced(20);
  it.service.renew();
  for (let n = 0; n < 20; n++) it.service.put(it.service.id(n), { text: 'theirs again' });
  const { storage } = device;
  for (let atCommit = 1; ; atCommit++) {
    const cut = storage.fork({ atCommit, when: 'after' });
    const doomed = await it.boot(cut);
    it.advance(60_000, doomed);
    await doomed.agent.sync().catch(() => null);
    if (
      cut.snapshot().some(([key, value]) => key.endsWith('.2c') && !`${value}`.includes('staging'))
    )
      break;
    it.build = PLAIN;
    const plain = await it.boot(cut.fork());
    await it.recovered(plain);
    await it.agreed(plain);
    it.build = ATOMIC;
    expect(atCommit).toBeLessThan(100);
  }
});

test('a build that knows of it moves everything into the first set', async () => {
  const stored = await replaced();
  const { it, storage } = stored;
  it.build = WAS_ATOMIC;
  const fork = storage.fork();
  await expectWhole(stored, fork);
  expect(seconds(fork)).toEqual([]);
  // The one after that need not know of it.
  it.build = PLAIN;
  await it.agreed(await it.boot(fork.fork()));
});

test.each(['before', 'after'] as const)(
  'it goes on moving after a cut %s any commit',
  async (when) => {
    let cuts = 0;
    for (let atCommit = 1; ; atCommit++) {
      const stored = await replaced();
      const { it, storage } = stored;
      it.build = WAS_ATOMIC;
      const cut = storage.fork({ atCommit, when });
      await it.boot(cut).catch(() => null);
      if (cut.commits < atCommit) break;
      cuts++;
      const again = cut.fork();
      await expectWhole(stored, again);
      expect(seconds(again), `cut ${when} commit ${atCommit}`).toEqual([]);
    }
    console.log(`moved into the first set with ${cuts} cuts ${when} a commit`);
    expect(cuts).toBeGreaterThan(4);
  },
);

test('where there is no room to move, all stays where it is, and works', async () => {
  const stored = await replaced();
  const { it, storage } = stored;
  it.build = WAS_ATOMIC;
  const full = storage.fork();
  const commit = full.commit.bind(full);
  let refused = 0;
  full.commit = async (changes) => {
    const has = (kind: string) =>
      changes.some(([key, value]) => value !== null && key.includes(`.${kind}.`));
    const isSecondStep = has('x') && !has('r');
    if (isSecondStep) refused++;
    if (isSecondStep) throw new StorageError('full', 'full');
    await commit(changes);
  };
  const device = await it.boot(full);
  expect(Object.fromEntries(await it.held(device))).toEqual(Object.fromEntries(stored.held));
  expect(refused).toBe(1);
  const firsts = full.snapshot().filter(([key]) => /^\w+\.g\w+\.[a-z]/.test(key));
  expect(firsts).toEqual([]);
  await expectWhole(stored, full.fork());
});
