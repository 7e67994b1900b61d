// A device of several remotes, asked as if they were one.

import { describe, expect, test } from 'vitest';
import { HOUR_MS, ON, OURS, PAGE, rowsOf, synced } from '../../test/support/synced-remotes.ts';
import { twoRemotes } from '../../test/support/two-remotes.ts';

describe('a device of several remotes', () => {
  test('is not made where a collection is switched on in two', async () => {
    const { boot, storage } = twoRemotes();
    await expect(boot(storage, { collections: { history: ON, recipes: ON } })).rejects.toThrow(
      'collections: recipes is switched on in first and work',
    );
  });

  test.each([
    ['Work', 'remotes: Work is not 1 to 16 of a-z, 0-9 and -'],
    ['a'.repeat(17), 'remotes: aaaaaaaaaaaaaaaaa is not 1 to 16 of a-z, 0-9 and -'],
    ['', 'remotes:  is not 1 to 16 of a-z, 0-9 and -'],
    ['first', "remotes: first is the device's own"],
  ])('is not made with one that is called %j', async (name, message) => {
    const { boot, storage, config } = twoRemotes();
    const remotes = { [name]: { ...config.remotes?.work, collections: {} } };
    await expect(boot(storage, { remotes } as Partial<typeof config>)).rejects.toThrow(message);
  });

  test('knows no other names, and says which there are', async () => {
    const { agent } = (await synced()).device;
    const refused = { code: 'badInput', message: 'remote: not one of first, work' };
    for (const name of ['home', '', '__proto__', null as unknown as string]) {
      await expect(agent.enable(name)).rejects.toMatchObject(refused);
      await expect(agent.disable(name)).rejects.toMatchObject(refused);
      await expect(agent.sync(name)).rejects.toMatchObject(refused);
      await expect(agent.configure({}, name)).rejects.toMatchObject(refused);
      await expect(agent.devices(name)).rejects.toMatchObject(refused);
      await expect(agent.initializeAccount(true, name)).rejects.toMatchObject(refused);
      expect(() => agent.cancel(name)).toThrow(refused.message);
      expect(() => agent.status(name)).toThrow(refused.message);
      expect(() => agent.signIn(name)).toThrow(refused.message);
      expect(() => agent.connectionChanged(name)).toThrow(refused.message);
    }
    await expect(agent.get('tabs', 'x')).rejects.toMatchObject({
      message: 'collection: not one of history, passwords, recipes',
    });
  });

  test('takes a change of its switches in all remotes or in none', async () => {
    const { device, storage } = await synced();
    const { commits } = storage;
    const change = { collections: { history: { enabled: false }, recipes: { enabled: 7 } } };
    await expect(device.agent.configure(change as never)).rejects.toMatchObject({
      message: 'collections.recipes.enabled: neither true nor false',
    });
    expect(storage.commits).toBe(commits);
    await device.agent.configure({ collections: { recipes: { readOnly: true } } });
    await expect(device.agent.put('recipes', OURS)).rejects.toMatchObject({ code: 'readOnly' });
    await device.agent.configure({ intervalMs: 2 * HOUR_MS }, 'work');
    await device.agent.put('history', PAGE);
  });

  test('tells whose event it is, and shows a status of all', async () => {
    const { device } = await synced();
    device.platform.events.length = 0;
    await device.agent.sync();
    const events = device.platform.events.map((json) => JSON.parse(json));
    const passes = events.filter(({ kind }) => kind === 'pass');
    expect(passes.map(({ remote }) => remote)).toEqual([undefined, 'work']);
    const shown = JSON.parse(device.platform.statuses.at(-1) ?? '{}');
    expect(shown).toEqual(JSON.parse(JSON.stringify(device.agent.status())));
    expect(Object.keys(shown.remotes)).toEqual(['first', 'work']);
  });

  test('ends all passes when they are cancelled, those that have not begun too', async () => {
    const { device, home, work } = await synced();
    home.meddle = () => {
      device.agent.cancel();
      return undefined;
    };
    expect(await device.agent.sync()).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(work.asked).toEqual([]);
    home.meddle = () => undefined;
    expect(await device.agent.sync()).toMatchObject({ ok: true });
  });

  test('signs out of one whose pass waits for a server of the other', async () => {
    const { device, home, storage } = await synced();
    const { agent } = device;
    const answers: (() => void)[] = [];
    home.meddle = () => new Promise((answer) => answers.push(() => answer(undefined)));
    const long = agent.sync('first');
    const waiting = agent.sync('work').catch(({ code }) => code);
    await agent.disable('work');
    expect(rowsOf(storage, 'work').map(([key]) => key)).toEqual([':work:s']);
    home.meddle = () => undefined;
    for (const answer of answers) answer();
    expect(await long).toMatchObject({ ok: true });
    expect(await waiting).toBe('disabled');
  });

  test('signs out of one in the middle of a pass of the other', async () => {
    const { device, home, storage } = await synced();
    const { agent } = device;
    let isOut = false;
    home.meddle = () => {
      void agent.disable('work').then(() => {
        isOut = true;
      });
      home.meddle = () => undefined;
      return undefined;
    };
    await agent.sync('first');
    for (let n = 0; n < 50 && !isOut; n++) await new Promise((done) => setImmediate(done));
    expect(isOut).toBe(true);
    expect(rowsOf(storage, 'work').map(([key]) => key)).toEqual([':work:s']);
  });
});
