// What every remote must do for a collection whose records are replaced all at once: apps see what
// there was or what there is now, whenever they look and wherever the power goes. Nothing in here
// knows a protocol.

import { describe, expect, it } from 'vitest';
import { atomic } from '../../agent/index.ts';
import { isPart } from '../../agent/remotes/parts.ts';
import type { MemoryStorage } from '../../platform/memory/storage.ts';
import { every } from '../sim/share.ts';
import type { Body, Service } from '../support/service.ts';
import { Bench } from './bench.ts';

/** Records of another client: more than a commit has. */
const RECORDS = 60;
const COMMITS_MAX = 100;

type Device = Awaited<ReturnType<Bench['boot']>>;

/** The suite; `start` makes a new service, which is the same each time. */
export function atomicContract(name: string, start: () => Service): void {
  const bench = (): Bench =>
    new Bench(() => {
      const service = start();
      const collections = service.contents.collections.flatMap((held) =>
        isPart(held) ? [] : atomic(held),
      );
      return Object.assign(service, { contents: { ...service.contents, collections } });
    });

  describe(`the contract of remotes, records replaced at once: ${name}`, () => {
    it('shows apps what there was or what there is now, whenever they look', async () => {
      const { bench: it, device, before } = await begunAnew(bench());
      const seen: string[] = [];
      const look = async (): Promise<void> => void seen.push(await shown(it, device));
      const commit = device.storage.commit.bind(device.storage);
      device.storage.commit = async (changes) => {
        await look();
        await commit(changes);
        await look();
      };
      it.wire.before = look;
      await it.recovered(device);
      const after = await shown(it, device);
      expect(after).not.toBe(before);
      const at = seen.indexOf(after);
      expect(at).toBeGreaterThan(4);
      expect(seen.slice(0, at).filter((text) => text !== before)).toEqual([]);
      expect(seen.slice(at).filter((text) => text !== after)).toEqual([]);
      await it.agreed(device);
    });

    it.each(['before', 'after'] as const)(
      'shows the one or the other after a cut %s any commit, and goes on',
      async (when) => {
        let atCommit = 1;
        for (; atCommit < COMMITS_MAX; atCommit += every(13)) {
          const { bench: it, device, before } = await begunAnew(bench());
          const storage = device.storage.fork({ atCommit, when });
          const doomed = await it.boot(storage);
          it.advance(60_000, doomed);
          await doomed.agent.sync().catch(() => null);
          if (storage.commits < atCommit) break;
          const again = await it.boot(storage.fork());
          const found = await shown(it, again);
          await it.recovered(again);
          const where = `cut ${when} commit ${atCommit}`;
          expect([before, await shown(it, again)], where).toContain(found);
          await it.agreed(again);
          expect(leftOver(again.storage), where).toEqual([]);
        }
        expect(atCommit).toBeGreaterThan(9);
      },
    );

    it('keeps what apps change at any moment of it, the last one too', async () => {
      const commits = await editedAt(bench(), Number.MAX_SAFE_INTEGER);
      expect(commits).toBeGreaterThan(4);
      for (let at = 1; at <= commits; at += every(13)) {
        const it = bench();
        const { id } = it.service;
        await editedAt(it, at);
        const where = `edited at commit ${at} of ${commits}`;
        const live = await it.live();
        expect(live[id(3)], where).toEqual({ text: 'late 3' });
        expect(live[id(4)], where).toEqual({ text: 'late 4' });
        expect(live[id(95)], where).toEqual({ text: 'late 95' });
        expect(live[id(5)], where).toBeUndefined();
      }
    });

    it('keeps what apps change before, during and after it', async () => {
      const { bench: it, device } = await begunAnew(bench());
      const { id } = it.service;
      let n = 100;
      it.wire.before = async () => {
        it.advance(1_000, device);
        await it.put(device, 2, { text: `ours ${n}` });
        await it.put(device, n++, { text: 'ours' });
      };
      await it.recovered(device);
      it.wire.before = () => undefined;
      await it.recovered(device);
      const live = await it.live();
      expect(live[id(2)]).toEqual({ text: `ours ${n - 1}` });
      for (let k = 100; k < n; k++) expect(live[id(k)]).toEqual({ text: 'ours' });
      await it.agreed(device);
    });
  });
}

/** The server has begun anew, with some records as they were, some others, and not all. */
async function begunAnew(bench: Bench) {
  const { service } = bench;
  const device = await bench.synced(RECORDS);
  await bench.put(device, 0, { text: 'ours 0' });
  await bench.put(device, 90, { text: 'ours 90' });
  await bench.delete(device, 1);
  bench.advance(60_000, device);
  await service.renew();
  for (let n = 2; n < RECORDS - 5; n++) {
    await service.put(service.id(n), { text: n % 3 === 0 ? `new ${n}` : `theirs ${n}` });
  }
  for (let n = 200; n < 203; n++) await service.put(service.id(n), { text: `new ${n}` });
  return { bench, device, before: await shown(bench, device) };
}

/** Passes at whose n-th commit apps make their edits; how many commits there were. */
async function editedAt(it: Bench, at: number): Promise<number> {
  const { device } = await begunAnew(it);
  it.advance(60_000, device);
  const { storage } = device;
  const before = storage.commits;
  const edits: Promise<unknown>[] = [];
  const commit = storage.commit.bind(storage);
  storage.commit = (changes) => {
    if (storage.commits - before + 1 === at) {
      for (const n of [3, 4, 95]) edits.push(it.put(device, n, { text: `late ${n}` }));
      edits.push(it.delete(device, 5));
    }
    return commit(changes);
  };
  await it.recovered(device);
  const commits = storage.commits - before;
  await Promise.all(edits);
  await it.recovered(device);
  await it.agreed(device);
  return commits;
}

async function shown(bench: Bench, device: Device): Promise<string> {
  const { records } = await device.agent.list(bench.service.collection, { limit: 1_000 });
  return JSON.stringify(records.map((body: Body) => [body.id, body.text]));
}

/** Keys of one set are left, and those of the other are not. */
function leftOver(storage: MemoryStorage): string[] {
  const keys = storage.snapshot().map(([key]) => key);
  const seconds = keys.filter((key) => /^\w+\.g\w+\.2/.test(key));
  const firsts = keys.filter((key) => /^\w+\.g\w+\.[a-z]/.test(key));
  return seconds.length < firsts.length ? seconds : firsts;
}
