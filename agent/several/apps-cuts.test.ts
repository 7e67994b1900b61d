// Power that is cut at any commit while an app makes, writes and drops collections, and a user's
// key that changes meanwhile: nothing that was acknowledged is lost, nothing is left behind.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { every } from '../../test/sim/share.ts';
import { appOf } from '../../test/support/apps.ts';
import { type SameUser, sameUser, type UserDevice } from '../../test/support/same-user.ts';
import { apps } from '../index.ts';

/** What is stored of collections that were made at run time. */
const kept = (storage: MemoryStorage): string[] =>
  storage.snapshot().flatMap(([key]) => (/^1\.(_|i\.)/.test(key) ? [key] : []));

interface Bench {
  readonly user: SameUser;
  /** As it was when it had synced. */
  readonly rows: ReturnType<MemoryStorage['snapshot']>;
  readonly other: UserDevice;
}

async function start(): Promise<Bench> {
  const user = sameUser('kinto', { collections: [], apps });
  const device = await user.signedIn();
  const other = await user.signedIn();
  await appOf(other).create('notes');
  await appOf(other).put('notes', { id: 'theirs', text: 'x' });
  await user.sync(other, device);
  return { user, rows: device.storage.snapshot(), other };
}

type Acknowledged = Set<string>;

/** Runs the story until the power goes at a commit; again whole on what is left of it. */
async function eachCut(
  story: (user: SameUser, device: UserDevice, done: Acknowledged) => Promise<void>,
  after: (bench: Bench, device: UserDevice, done: Acknowledged, at: string) => Promise<void>,
): Promise<void> {
  const whole = await start();
  const running = new MemoryStorage(whole.rows);
  await story(whole.user, await whole.user.boot(running), new Set());
  expect(running.commits).toBeGreaterThan(5);
  for (let atCommit = 1; atCommit <= running.commits; atCommit += every(3)) {
    for (const when of ['before', 'after'] as const) {
      const bench = await start();
      const dying = new MemoryStorage(bench.rows, { atCommit, when });
      const done: Acknowledged = new Set();
      await bench.user
        .boot(dying)
        .then((device) => story(bench.user, device, done))
        .catch(() => undefined);
      const device = await bench.user.boot(dying.fork());
      await after(bench, device, done, `${when} commit ${atCommit}`);
    }
  }
}

test('an app’s collection is there or not, with all that was acknowledged', async () => {
  await eachCut(
    async (user, device, done) => {
      const app = appOf(device);
      await app.create('notes');
      done.add('created');
      await app.put('notes', { id: 'mine', text: 'y' });
      done.add('put');
      await user.sync(device);
      await app.delete('notes', 'theirs');
      done.add('deleted');
    },
    async ({ user, other }, device, done, at) => {
      const app = appOf(device);
      const names = await app.list();
      if (done.has('created')) expect(names, at).toEqual(['notes']);
      expect(kept(device.storage).length > 0, at).toBe(names.length > 0);
      await app.create('notes');
      if (!done.has('put')) await app.put('notes', { id: 'mine', text: 'y' });
      await user.sync(device, other);
      const { records } = await appOf(other).records('notes', { limit: 9 });
      const ids = records.map(({ id }) => id).sort();
      // What was under way may have come true.
      const both = ['mine', 'theirs'];
      expect(done.has('deleted') ? [['mine']] : [['mine'], both], at).toContainEqual(ids);
    },
  );
});

test('a collection that was dropped here leaves nothing here, and all on the server', async () => {
  await eachCut(
    async (user, device, done) => {
      await appOf(device).create('notes');
      await user.sync(device);
      done.add('synced');
      await appOf(device).drop('notes');
      done.add('dropped');
    },
    async ({ user, other }, device, done, at) => {
      const names = await appOf(device).list();
      if (done.has('dropped')) expect(names, at).toEqual([]);
      expect(kept(device.storage).length > 0, at).toBe(names.length > 0);
      await appOf(device).create('notes');
      await user.sync(device, other);
      for (const each of [device, other]) {
        expect(await appOf(each).get('notes', 'theirs'), at).toMatchObject({ text: 'x' });
      }
    },
  );
});

test('a collection that was dropped everywhere goes everywhere, or nowhere', async () => {
  await eachCut(
    async (user, device, done) => {
      await appOf(device).create('notes');
      await appOf(device).put('notes', { id: 'mine' });
      await user.sync(device);
      await appOf(device).drop('notes', true);
      done.add('dropped');
      await user.sync(device);
    },
    async ({ user, other }, device, done, at) => {
      const names = await appOf(device).list();
      if (done.has('dropped')) expect(names, at).toEqual([]);
      const isBegun = names.length === 0 && kept(device.storage).length > 0;
      await user.sync(device, device, other);
      const { records } = await appOf(other).records('notes', { limit: 9 });
      if (done.has('dropped') || isBegun) {
        expect(kept(device.storage), at).toEqual([]);
        expect(records, at).toEqual([]);
      } else if (names.length > 0) {
        await appOf(device).drop('notes', true);
        await user.sync(device, device, other);
        expect((await appOf(other).records('notes', { limit: 9 })).records, at).toEqual([]);
      }
    },
  );
});

describe('under another key of the user', () => {
  const OTHER = '11'.repeat(32);

  test('what an app has goes up again, where a new device finds it by its name', async () => {
    const { user, rows } = await start();
    const device = await user.boot(new MemoryStorage(rows));
    await appOf(device).create('notes');
    await user.sync(device);
    const before = Object.keys(device.agent.status().collections);
    user.key.kB = OTHER;
    await user.sync(device, device);
    expect(Object.keys(device.agent.status().collections)).not.toEqual(before);
    const fresh = await user.signedIn();
    await appOf(fresh).create('notes');
    await user.sync(fresh);
    expect(await appOf(fresh).get('notes', 'theirs')).toMatchObject({ text: 'x' });
  });

  test('it does so wherever the power goes while it is noticed', async () => {
    let commits = 1;
    for (let atCommit = 1; atCommit <= commits; atCommit += atCommit === 1 ? 1 : every(3)) {
      const { user, rows } = await start();
      const first = await user.boot(new MemoryStorage(rows));
      await appOf(first).create('notes');
      await appOf(first).put('notes', { id: 'mine' });
      await user.sync(first);
      user.key.kB = OTHER;
      const dying = new MemoryStorage(first.storage.snapshot(), { atCommit, when: 'after' });
      const story = async (storage: MemoryStorage): Promise<void> => {
        const device = await user.boot(storage);
        await device.agent.sync();
      };
      if (atCommit === 1) {
        const whole = new MemoryStorage(first.storage.snapshot());
        await story(whole);
        commits = whole.commits;
        continue;
      }
      await story(dying).catch(() => undefined);
      const device = await user.boot(dying.fork());
      await user.sync(device, device);
      const fresh = await user.signedIn();
      await appOf(fresh).create('notes');
      await user.sync(fresh);
      const { records } = await appOf(fresh).records('notes', { limit: 9 });
      expect(records.map(({ id }) => id).sort(), `commit ${atCommit}`).toEqual(['mine', 'theirs']);
    }
    expect(commits).toBeGreaterThan(3);
  });
});
