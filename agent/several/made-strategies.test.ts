// Strategies of collections that are made at run time, by the device or by an app for itself: two
// devices of one user, over Firefox Sync and a Kinto.

import { describe, expect, test } from 'vitest';
import { PROTOCOLS, sameUser, type UserDevice } from '../../test/support/same-user.ts';
import { type Agent, type AppData, apps, type Strategy, strategies } from '../index.ts';

const NOTES = 'https://notes.example';
const CONTENTS = { collections: [], apps, strategies };

function appOf({ agent }: UserDevice): AppData {
  const app = agent.forApp?.(NOTES);
  if (app === undefined) throw new Error('the build has no apps');
  return app;
}

/** What a collection of a device is asked, whoever made it. */
interface Door extends Required<Pick<Agent, 'resolve' | 'conflicts'>> {
  create(strategy?: Strategy): Promise<void>;
  put(record: object): Promise<unknown>;
}

function generic({ agent }: UserDevice): Door {
  const { conflicts, resolve, createCollection } = agent;
  if (!conflicts || !resolve || !createCollection) throw new Error('the build lacks something');
  return {
    ...{ conflicts, resolve },
    create: (strategy) => createCollection('generic', 'notes', 'first', strategy),
    put: (record) => agent.put('notes', { ...record }),
  };
}

function app(device: UserDevice): Door {
  const { conflicts, resolve, create, put } = appOf(device);
  return {
    ...{ conflicts, resolve },
    create: (strategy) => create('notes', strategy),
    put: (record) => put('notes', { ...record }),
  };
}

const MAKERS = [
  ['the device', generic],
  ['an app', app],
] as const;

describe.each(PROTOCOLS)('over %s', (protocol) => {
  test.each(MAKERS)(
    'one that %s makes with a strategy has it, after a boot, too',
    async (_, of) => {
      const same = sameUser(protocol, CONTENTS);
      const [a, b] = [await same.signedIn(), await same.signedIn()];
      await of(a).create('manual');
      await of(b).create();
      await of(a).put({ id: 'x', text: 'base' });
      await same.sync(a, b);
      await of(b).put({ id: 'x', text: 'theirs' });
      await of(a).put({ id: 'x', text: 'ours' });
      const again = await same.boot(a.storage.fork());
      await same.sync(b, again);
      const { conflicts } = await of(again).conflicts('notes', { limit: 5 });
      const versions = {
        ours: { text: 'ours' },
        theirs: { text: 'theirs' },
        base: { text: 'base' },
      };
      expect(conflicts).toMatchObject([{ id: 'x', ...versions }]);
      await of(again).resolve('notes', 'x', { text: 'both' }, conflicts[0]?.tag);
      await same.sync(again, b);
      expect(await of(again).conflicts('notes', { limit: 5 })).toEqual({
        conflicts: [],
        next: null,
      });
      await of(b).create('localWins');
      expect(await of(b).conflicts('notes', { limit: 5 })).toEqual({ conflicts: [], next: null });
    },
  );
});

test.each(MAKERS)('what %s asks for and cannot have is refused by its name', async (_, of) => {
  const device = await sameUser('kinto', CONTENTS).signedIn();
  await expect(of(device).create('mine' as Strategy)).rejects.toMatchObject({
    code: 'badInput',
    message: 'strategy: not one of remoteWins, localWins, merge, manual',
  });
  await of(device).create();
});

test('a build without strategies says so', async () => {
  const same = sameUser('kinto', { collections: [], apps });
  const device = await same.signedIn();
  const message = 'strategy: this build has none';
  const { createCollection } = device.agent;
  const made = createCollection?.('generic', 'notes', 'first', 'manual');
  await expect(made).rejects.toMatchObject({ code: 'badInput', message });
  await expect(appOf(device).create('a', 'manual')).rejects.toMatchObject({ message });
  await appOf(device).create('a');
  await expect(appOf(device).conflicts('a', { limit: 1 })).rejects.toMatchObject({ message });
  await expect(appOf(device).resolve('a', 'x', 'ours')).rejects.toMatchObject({ message });
});

test('what an app decides counts against its quota, and a call does the same', async () => {
  const same = sameUser('kinto', CONTENTS);
  const quota = { collectionsMax: 2, recordsMax: 3, bytesMax: 60 };
  const device = await same.boot(undefined, { apps: quota });
  await device.agent.enable();
  const other = await same.signedIn();
  await appOf(device).call({ call: 'create', name: 'notes', strategy: 'manual' });
  await appOf(other).create('notes');
  await appOf(device).put('notes', { id: 'x', text: 'base' });
  await same.sync(device, other);
  await appOf(other).put('notes', { id: 'x', text: 'theirs' });
  await appOf(device).put('notes', { id: 'x', text: 'ours' });
  await same.sync(other, device);
  const app = appOf(device);
  const call = (asked: Parameters<typeof app.call>[0]) => app.call(asked);
  expect(await call({ call: 'conflicts', name: 'notes' })).toMatchObject({
    conflicts: [{ ours: { text: 'ours' }, theirs: { text: 'theirs' } }],
  });
  const asked = { call: 'resolve', name: 'notes', id: 'x' };
  const large = call({ ...asked, resolution: { text: 'x'.repeat(80) } });
  await expect(large).rejects.toThrow('quota: ');
  await expect(call(asked)).rejects.toThrow('resolution: ');
  expect(await call({ ...asked, resolution: 'theirs' })).toEqual({});
  expect(await call({ call: 'get', name: 'notes', id: 'x' })).toMatchObject({
    record: { text: 'theirs' },
  });
  // Another app sees nothing of it.
  const stranger = device.agent.forApp?.('https://other.example');
  await expect(stranger?.conflicts('notes', { limit: 1 })).rejects.toThrow('has no collection');
});
