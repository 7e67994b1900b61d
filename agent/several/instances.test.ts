// Collections that are made at run time, through the device's public door: they sync as those of
// the build do, survive what these survive, and go without a trace.

import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { type TwoDevice, type TwoRemotes, twoRemotes } from '../../test/support/two-remotes.ts';

const NOTE = { id: 'note-1', text: 'ours' };

async function synced(): Promise<TwoRemotes & { readonly device: TwoDevice }> {
  const bench = twoRemotes();
  bench.work.other.put('notes', { id: 'note-2', text: 'theirs' });
  const device = await bench.boot();
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  return { ...bench, device };
}

/** With a collection of notes, in which there is a change that was not sent. */
async function made() {
  const bench = await synced();
  await bench.device.agent.createCollection?.('generic', 'notes', 'work');
  await bench.device.agent.put('notes', NOTE);
  return bench;
}

describe('a collection that is made at run time', () => {
  test('syncs at once, and after a reboot', async () => {
    const { device, work, boot, storage } = await made();
    expect(device.agent.status().collections.notes).toMatchObject({ enabled: true, pending: 1 });
    expect(await device.agent.sync()).toMatchObject({
      ok: true,
      collections: { notes: { pulled: 1, pushed: 1 } },
    });
    expect(work.other.get('notes', 'note-1')).toMatchObject(NOTE);
    const again = await boot(storage);
    work.other.put('notes', { id: 'note-3', text: 'later' });
    expect(again.agent.status('work').collections.notes).toMatchObject({ held: 2 });
    expect(again.agent.status('first').collections).not.toHaveProperty('notes');
    expect(await again.agent.sync()).toMatchObject({ collections: { notes: { pulled: 1 } } });
    expect(await again.agent.get('notes', 'note-3')).toMatchObject({ text: 'later' });
  });

  test('is watched and switched as any other', async () => {
    const { device } = await made();
    const { agent, platform } = device;
    agent.observe('notes', true);
    await agent.put('notes', { ...NOTE, text: 'again' });
    const told = platform.events.map((json) => JSON.parse(json)).at(-1);
    expect(told).toMatchObject({ kind: 'record', collection: 'notes', remote: 'work' });
    await agent.configure({ collections: { notes: { readOnly: true } } });
    await expect(agent.put('notes', NOTE)).rejects.toMatchObject({ code: 'readOnly' });
  });

  test('is made once, however often it is asked for', async () => {
    const { device, storage } = await made();
    const { commits } = storage;
    await device.agent.createCollection?.('generic', 'notes', 'work');
    expect(storage.commits).toBe(commits);
    expect(await device.agent.get('notes', 'note-1')).toMatchObject(NOTE);
  });

  test('goes with all that it had, and another of its name begins with nothing', async () => {
    const { device, storage, work } = await made();
    const { agent } = device;
    await agent.sync();
    await agent.removeCollection?.('notes');
    const left = storage.snapshot().filter(([key]) => /^:work:1\.(_|i\.)/.test(key));
    expect(left).toEqual([]);
    await expect(agent.get('notes', 'note-1')).rejects.toMatchObject({ code: 'badInput' });
    expect(agent.status().collections).not.toHaveProperty('notes');
    expect(work.other.ids('notes').sort()).toEqual(['note-1', 'note-2']);
    await agent.createCollection?.('generic', 'notes', 'work');
    expect(agent.status().collections.notes).toMatchObject({ held: 0 });
    expect(await agent.sync()).toMatchObject({ collections: { notes: { pulled: 2 } } });
  });

  test('goes with the sign-out of its remote', async () => {
    const { device } = await made();
    const { agent } = device;
    await agent.disable('work');
    await expect(agent.createCollection?.('generic', 'x', 'work')).rejects.toMatchObject({
      code: 'disabled',
    });
    expect(await agent.enable('work')).toMatchObject({ ok: true });
    expect(Object.keys(agent.status('work').collections)).toEqual(['recipes']);
  });

  test('is refused where it cannot be, with the reason', async () => {
    const { agent } = (await made()).device;
    const refused = async (kind: string, name: unknown, message: string): Promise<void> => {
      await expect(agent.createCollection?.(kind, name as string)).rejects.toMatchObject({
        code: 'badInput',
        message,
      });
    };
    await refused('history', 'x', 'kind: not one of generic');
    for (const name of ['', 'a b', 'a'.repeat(33), 7, null]) {
      await refused('generic', name, 'name: not 1 to 32 letters, digits and ._-');
    }
    for (const name of ['meta', 'crypto', 'keys', 'clients', 'history', 'recipes', 'notes']) {
      await refused('generic', name, `name: ${name} is taken`);
    }
    await expect(agent.createCollection?.('generic', 'x', 'home')).rejects.toMatchObject({
      message: 'remote: not one of first, work',
    });
    await expect(agent.removeCollection?.('history')).rejects.toMatchObject({ code: 'badInput' });
    await agent.createCollection?.('generic', '__proto__', 'work');
    expect(await agent.put('__proto__', NOTE)).toBe('note-1');
  });

  test('has a limit, and one that was removed makes room', async () => {
    const { agent } = (await synced()).device;
    for (let n = 0; n < 64; n++) await agent.createCollection?.('generic', `c${n}`, 'work');
    await expect(agent.createCollection?.('generic', 'more', 'work')).rejects.toMatchObject({
      message: 'name: there are 64 such collections, and no more fit',
    });
    await agent.removeCollection?.('c7');
    await agent.createCollection?.('generic', 'more', 'work');
  });
});

test('power that is cut at any commit leaves a made collection, or nothing of it', async () => {
  const tell = async ({ agent }: TwoDevice): Promise<void> => {
    await agent.createCollection?.('generic', 'notes', 'work');
    await agent.put('notes', NOTE);
    await agent.sync();
    await agent.removeCollection?.('notes');
  };
  const whole = await synced();
  const from = whole.storage.snapshot();
  const story = new MemoryStorage(from);
  await tell(await whole.boot(story));
  expect(story.commits).toBeGreaterThan(4);
  for (let atCommit = 1; atCommit <= story.commits; atCommit++) {
    for (const when of ['before', 'after'] as const) {
      const bench = await synced();
      const dying = new MemoryStorage(bench.storage.snapshot(), { atCommit, when });
      await tell(await bench.boot(dying)).catch(() => undefined);
      const storage = dying.fork();
      const { agent } = await bench.boot(storage);
      const isThere = 'notes' in agent.status().collections;
      const kept = storage.snapshot().filter(([key]) => /^:work:1\.(_|i\.)/.test(key));
      expect(kept.length > 0, `${when} commit ${atCommit}`).toBe(isThere);
      await agent.createCollection?.('generic', 'notes', 'work');
      await agent.put('notes', NOTE);
      expect(await agent.sync()).toMatchObject({ ok: true });
      expect(bench.work.other.get('notes', 'note-1')).toMatchObject(NOTE);
    }
  }
});
