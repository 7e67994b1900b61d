// Part of the contract of remotes (remote.ts): answers that are lost, power that goes at any
// commit, and a server that begins anew.

import { expect, it } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Traits } from '../support/service.ts';
import { type Bench, MINUTE_MS, type Start } from './bench.ts';

/** Requests and commits of the story that is told again and again; past that a test is wrong. */
const POINTS_MAX = 100;

/** Answers that never come, and power that goes. */
export function breaking(start: Start, { pageRecords, planned }: Traits): void {
  if (planned !== undefined) itPlans(start, planned);

  it('mends itself after any lost answer: nothing is lost, nothing is written twice', async () => {
    let point = 0;
    for (let isOver = false; !isOver && point < POINTS_MAX; point++) {
      const bench = start();
      const device = await bench.story();
      bench.wire.loses = (_request, count) => count === point + 1;
      const report = await device.agent.sync();
      isOver = bench.wire.asked.length <= point;
      expect(report.ok || report.error !== null).toBe(true);
      bench.wire.loses = () => false;
      await bench.recovered(device);
      await bench.toldToTheEnd(device, `answer ${point + 1} was lost`);
    }
    // At least one that looks, and one that writes.
    expect(point).toBeGreaterThan(2);
    expect(point).toBeLessThan(POINTS_MAX);
  });

  it.each(['before', 'after'] as const)(
    'goes on after a cut %s any commit: nothing is lost, nothing is written twice',
    async (when) => {
      let cuts = 0;
      for (let atCommit = 1; cuts < POINTS_MAX; atCommit++) {
        const bench = start();
        const fresh = new MemoryStorage();
        await bench.story(fresh);
        const storage = fresh.fork({ atCommit, when });
        const doomed = await bench.boot(storage);
        await doomed.agent.sync().catch(() => null);
        if (storage.commits < atCommit) break;
        cuts++;
        const again = await bench.boot(storage.fork());
        await bench.recovered(again);
        await bench.toldToTheEnd(again, `cut ${when} commit ${atCommit}`);
      }
      expect(cuts).toBeGreaterThan(1);
    },
  );

  it.each(['before', 'after'] as const)(
    'begins again after a cut %s any commit of the first sync',
    async (when) => {
      let cuts = 0;
      for (let atCommit = 1; cuts < POINTS_MAX; atCommit++) {
        const bench = start();
        const { id } = bench.service;
        for (let n = 0; n < 4; n++) await bench.service.put(id(n), { text: `theirs ${n}` });
        // What a remote reads once more because it is young would hide what was not kept.
        bench.advance(2 * MINUTE_MS);
        const storage = new MemoryStorage([], { atCommit, when });
        const doomed = await bench.boot(storage);
        await doomed.agent.enable().catch(() => null);
        if (storage.commits < atCommit) break;
        cuts++;
        const again = await bench.boot(storage.fork());
        await bench.recovered(again);
        expect(Object.keys(await bench.live())).toHaveLength(4);
        await bench.agreed(again);
      }
      expect(cuts).toBeGreaterThan(2);
    },
  );

  if (pageRecords === null) return;
  it('reads on from page to page while others write, and after a link that broke', async () => {
    const count = pageRecords + 8;
    for (const broken of [false, true]) {
      const bench = start();
      const { id, collection } = bench.service;
      for (let n = 0; n < count; n++) await bench.service.put(id(n), { text: `theirs ${n}` });
      const device = await bench.boot();
      let pages = 0;
      bench.wire.before = async (request) => {
        if (!isPage(bench, request) || ++pages !== 2) return;
        await bench.service.put(id(0), { text: 'again' });
        await bench.service.delete(id(1));
        await bench.service.put(id(count), { text: 'new' });
      };
      bench.wire.loses = (request) => broken && isPage(bench, request) && pages === 1;
      const first = await device.agent.enable();
      if (broken) expect(first.ok).toBe(false);
      bench.wire.loses = () => false;
      const second = await bench.recovered(device);
      expect(pages).toBeGreaterThan(1);
      // What a page has brought is not read again.
      const pulled = [first, second].map((report) => report.collections[collection]?.pulled ?? 0);
      expect(pulled[0] ?? 0).toBeGreaterThanOrEqual(pageRecords);
      expect((pulled[0] ?? 0) + (pulled[1] ?? 0)).toBeLessThan(count + pageRecords);
      expect(Object.keys(await bench.live())).toHaveLength(count);
      await bench.agreed(device);
    }
  });

  /** It asks for records of the collection. */
  function isPage({ service }: Bench, request: Request): boolean {
    return request.method === 'GET' && service.isPage(request);
  }
}

function itPlans(start: Start, planned: NonNullable<Traits['planned']>): void {
  it('has on its storage what it must know again, before a byte of it leaves', async () => {
    const bench = start();
    const device = await bench.synced(2);
    for (let n = 0; n < 7; n++) await bench.put(device, n, { text: `ours ${n}` });
    // Whoever does not wait for a storage that takes its time has sent the bytes before.
    const { storage } = device;
    const commit = storage.commit.bind(storage);
    storage.commit = async (changes) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await commit(changes);
    };
    const missing: string[] = [];
    const plans: (readonly string[])[] = [];
    bench.wire.before = async (request) => {
      if (!(await bench.service.isWrite(request))) return;
      const stored = JSON.stringify(storage.snapshot());
      const words = planned(await request.clone().text());
      plans.push(words);
      missing.push(...words.filter((word) => !stored.includes(word)));
    };
    expect(await device.agent.sync()).toMatchObject({ ok: true });
    expect(plans.length).toBeGreaterThan(1);
    expect(missing).toEqual([]);
    // A plan ends with its upload; the head of what was read may be one of its words.
    const left = JSON.stringify(storage.snapshot());
    const sent = [...new Set(plans.flat())];
    expect(sent.filter((word) => left.includes(word)).length).toBeLessThanOrEqual(1);
  });

  it.each([false, true])(
    'knows what it has sent though the answer was lost (and the power cut: %j)',
    async (isCut) => {
      const bench = start();
      let device = await bench.synced(2);
      await bench.put(device, 0, { text: 'ours' });
      bench.wire.loses = ({ method }) => method === 'POST';
      expect(await device.agent.sync()).toMatchObject({ ok: false });
      bench.wire.loses = () => false;
      expect((await bench.live())[bench.service.id(0)]).toEqual({ text: 'ours' });
      if (isCut) device = await bench.boot(device.storage.fork());
      // Set back, and no other client's text is in the way.
      bench.advance(MINUTE_MS, device);
      await bench.put(device, 0, { text: 'theirs 0', more: 1 });
      await bench.recovered(device);
      expect((await bench.live())[bench.service.id(0)]).toEqual({ text: 'theirs 0', more: 1 });
      await bench.agreed(device);
    },
  );
}

/** The server's collection is another one, or remembers less. */
export function beginningAnew(start: Start, { compact, drop }: Traits): void {
  it('reads a collection that was begun anew, and gives what it lacks', async () => {
    const bench = start();
    const { id } = bench.service;
    const device = await bench.synced(5);
    await bench.put(device, 0, { text: 'ours 0' });
    await bench.put(device, 6, { text: 'ours 6' });
    await bench.service.renew();
    await bench.service.put(id(2), { text: 'another' });
    await bench.service.put(id(9), { text: 'new' });
    await bench.recovered(device);
    expect(await bench.live()).toEqual({
      [id(0)]: { text: 'ours 0' },
      [id(1)]: { text: 'theirs 1' },
      [id(2)]: { text: 'another' },
      [id(3)]: { text: 'theirs 3' },
      [id(4)]: { text: 'theirs 4' },
      [id(6)]: { text: 'ours 6' },
      [id(9)]: { text: 'new' },
    });
    await bench.agreed(device);
  });

  it('leaves nothing behind when its user signs out, and begins again afterwards', async () => {
    const bench = start();
    const device = await bench.story();
    const { email } = await bench.service.identity.account();
    await device.agent.disable();
    expect(device.agent.status()).toMatchObject({ state: 'disabled', account: null });
    const left = device.storage.snapshot();
    expect(left.map(([key]) => key)).toEqual(['s']);
    expect(JSON.stringify(left)).not.toContain(email);
    const again = await bench.boot(device.storage.fork());
    expect(await again.agent.enable()).toMatchObject({ ok: true });
    await bench.agreed(again);
  });

  if (compact !== undefined) {
    it('takes a deletion that the server has forgotten for one', async () => {
      const bench = start();
      const { id } = bench.service;
      const device = await bench.synced(4);
      await bench.put(device, 0, { text: 'ours 0' });
      await bench.service.delete(id(0));
      await bench.service.delete(id(1));
      await bench.service.put(id(5), { text: 'new' });
      compact(bench.service);
      await bench.recovered(device);
      expect(await bench.live()).toMatchObject({
        [id(2)]: {},
        [id(3)]: {},
        [id(5)]: { text: 'new' },
      });
      expect((await bench.live())[id(1)]).toBeUndefined();
      await bench.agreed(device);
    });
  }

  if (drop !== undefined) {
    it('gives again what another client has left out', async () => {
      const bench = start();
      const { id } = bench.service;
      const device = await bench.synced(3);
      drop(bench.service, id(1));
      await bench.service.put(id(4), { text: 'new' });
      await bench.recovered(device);
      expect(Object.keys(await bench.live()).sort()).toEqual([0, 1, 2, 4].map(id));
      expect((await bench.live())[id(1)]).toEqual({ text: 'theirs 1' });
      await bench.agreed(device);
    });
  }
}
