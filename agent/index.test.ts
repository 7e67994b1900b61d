// The door itself: whom a call is for, what is refused at it, and what apps hear of their changes.

import { beforeEach, describe, expect, it, test } from 'vitest';
import { boot, LOGIN, newWorld, PAGE, rebooted, signedIn } from '../test/support/agent.ts';

beforeEach(newWorld);

describe('a device of one remote', () => {
  it('takes calls for it by name, or without one', async () => {
    const { agent } = await signedIn();
    expect(agent.status('first')).toEqual(agent.status());
    expect(await agent.sync('first')).toMatchObject({ ok: true });
    await agent.configure({ collections: { history: { readOnly: true } } }, 'first');
    expect(agent.status().collections.history).toMatchObject({ readOnly: true });
    agent.cancel('first');
    agent.connectionChanged('first');
    await agent.disable('first');
    expect(agent.status().state).toBe('disabled');
    expect(await agent.enable('first')).toMatchObject({ ok: true });
  });

  it('refuses calls for another one, each by itself', async () => {
    const { agent } = await signedIn();
    const refused = { code: 'badInput', message: 'remote: not one of first' };
    for (const call of [
      () => agent.enable('work'),
      () => agent.disable('work'),
      () => agent.sync('work'),
      () => agent.configure({}, 'work'),
      () => agent.devices('work'),
      () => agent.initializeAccount(true, 'work'),
    ]) {
      await expect(call()).rejects.toMatchObject(refused);
    }
    for (const call of [
      () => agent.status('work'),
      () => agent.cancel('work'),
      () => agent.connectionChanged('work'),
      () => agent.signIn('work'),
    ]) {
      expect(call).toThrow(expect.objectContaining(refused));
    }
    expect(await agent.sync()).toMatchObject({ ok: true });
  });

  it('is refused where its configuration names several, which this build has not', () => {
    expect(() => boot(undefined, { remotes: {} })).toThrow('remotes: this build has one');
  });

  it('has no storage of extensions where the build has none', async () => {
    const { agent } = await signedIn();
    expect(() => agent.extensionStorage('x@example.test')).toThrow(
      expect.objectContaining({
        code: 'badInput',
        message: 'storage: this build has none for extensions',
      }),
    );
  });
});

test('an account is begun only for a person who has said so', async () => {
  const { agent } = await signedIn();
  for (const word of [false, undefined, 1, 'true']) {
    await expect(agent.initializeAccount(word as never)).rejects.toMatchObject({
      code: 'badInput',
      message: 'confirm: not true',
    });
  }
});

describe('an app', () => {
  it('hears of what it puts, once, and of nothing that it put before', async () => {
    const device = await signedIn();
    const { agent } = device;
    agent.observe('history', true);
    const id = await agent.put('history', PAGE);
    expect(await agent.put('history', { ...PAGE, id })).toBe(id);
    const change = { kind: 'record', collection: 'history', id };
    expect(device.events('record')).toEqual([{ ...change, change: 'put' }]);
    await agent.delete('history', id);
    expect(device.events('record').at(-1)).toEqual({ ...change, change: 'delete' });
    agent.observe('history', false);
    await agent.put('history', PAGE);
    expect(device.events('record')).toHaveLength(2);
  });

  it('hears of no change that was refused', async () => {
    const device = await signedIn();
    const { agent } = device;
    agent.observe('passwords', true);
    await expect(agent.put('passwords', { ...LOGIN, password: 7 } as never)).rejects.toMatchObject({
      code: 'badInput',
    });
    await expect(agent.delete('passwords', '{none}')).rejects.toMatchObject({ code: 'notFound' });
    expect(device.events('record')).toEqual([]);
  });

  it('lists and gets what it has put, also after a reboot, and nothing else', async () => {
    const device = await signedIn();
    const id = await device.agent.put('passwords', LOGIN);
    for (const { agent } of [device, await rebooted(device)]) {
      expect(await agent.get('passwords', id)).toMatchObject(LOGIN);
      const { records } = await agent.list('passwords', { limit: 5 });
      expect(records.map(({ password }) => password)).toEqual([LOGIN.password]);
      expect(await agent.get('passwords', '{none}')).toBeNull();
    }
  });
});
