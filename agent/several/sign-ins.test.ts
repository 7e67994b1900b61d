// A device whose system has no account manager, with two remotes: each has a sign-in of its own,
// kept apart, and who comes or leaves at one is nothing to the other.

import { expect, test } from 'vitest';
import { companion } from '../../emulator/servers/companion.ts';
import type { MemoryStorage } from '../../platform/memory/storage.ts';
import { CLIENT_ID } from '../../test/support/signin.ts';
import { type TwoDevice, type TwoRemotes, twoRemotes } from '../../test/support/two-remotes.ts';
import type { AgentConfig } from '../config.ts';

type Side = 'first' | 'work';

const signInAt = (accountsUrl: string) => ({
  ...{ accountsUrl, clientId: CLIENT_ID },
  redirectUrl: 'https://accounts.test/oauth/success',
});

/** Both, or the further one only, have no account manager. */
function configured({ config, home, work }: TwoRemotes, both: boolean): Partial<AgentConfig> {
  const signIn = signInAt(work.servers.world.urls.accounts);
  const remotes = { work: { ...config.remotes?.work, signIn } } as AgentConfig['remotes'];
  const remote = { ...config.remote, auth: 'bearer' as const };
  const own = { remote, signIn: signInAt(home.servers.world.urls.accounts) };
  return { ...(both && own), ...(remotes && { remotes }) };
}

async function booted(both = true) {
  const bench = twoRemotes();
  const change = configured(bench, both);
  return { ...bench, change, device: await bench.boot(bench.storage, change) };
}

/** A person with a phone, who has an account at one of them. */
async function comes({ home, work }: TwoRemotes, { agent }: TwoDevice, name: Side): Promise<void> {
  const { world } = (name === 'first' ? home : work).servers;
  const { url } = await agent.signIn(name).begin();
  const { email, password } = world.account;
  await agent.signIn(name).finish(await companion(world.fetch, url, { email, password }));
}

async function bothIn() {
  const bench = await booted();
  for (const name of ['first', 'work'] as const) await comes(bench, bench.device, name);
  expect(await bench.device.agent.enable()).toMatchObject({ ok: true, error: null });
  return bench;
}

const keysOf = (storage: MemoryStorage): string[] => storage.snapshot().map(([key]) => key);
const SEALED = ['i', 'j', ':work:i', ':work:j'];
const signInsIn = (storage: MemoryStorage) => keysOf(storage).filter((key) => SEALED.includes(key));

/** Of the account of each. */
function heldOf({ agent }: TwoDevice): unknown[] {
  const { history, recipes } = agent.status().collections;
  return [history?.held, recipes?.held];
}

test('each takes a user of its own, and keeps who it is over a reboot', async () => {
  const bench = await bothIn();
  expect(signInsIn(bench.storage)).toEqual([':work:i', 'i']);
  expect(heldOf(bench.device)).toEqual([6, 2]);
  const again = await bench.boot(bench.storage.fork(), bench.change);
  await bench.advance(1_000, again);
  expect(await again.agent.sync()).toMatchObject({ ok: true });
  for (const { asked } of [bench.home, bench.work]) expect(asked).toContain('POST /v1/oauth/token');
});

test('one that nobody has signed in to waits, and the other syncs', async () => {
  const bench = await booted();
  await comes(bench, bench.device, 'work');
  const { agent } = bench.device;
  expect(await agent.enable('work')).toMatchObject({ ok: true });
  expect(await agent.enable('first')).toMatchObject({ error: { code: 'signedOut' } });
  expect(agent.status('work')).toMatchObject({ state: 'enabled', error: null });
  await comes(bench, bench.device, 'first');
  expect(await agent.enable('first')).toMatchObject({ ok: true });
});

test('a sign-in that has begun at one does not end one at the other', async () => {
  const bench = await booted();
  const { agent } = bench.device;
  const begun = [];
  for (const name of ['first', 'work'] as const) {
    begun.push([name, (await agent.signIn(name).begin()).url] as const);
  }
  expect(signInsIn(bench.storage)).toEqual([':work:j', 'j']);
  for (const [name, url] of begun) {
    const { world } = (name === 'first' ? bench.home : bench.work).servers;
    const { email, password } = world.account;
    await agent.signIn(name).finish(await companion(world.fetch, url, { email, password }));
  }
  expect(await agent.enable()).toMatchObject({ ok: true });
});

test.each(['first', 'work'] as const)(
  'who leaves %s takes that sign-in back only',
  async (name) => {
    const bench = await bothIn();
    const { agent } = bench.device;
    for (const { asked } of [bench.home, bench.work]) asked.length = 0;
    await agent.disable(name);
    const other = name === 'first' ? 'work' : 'first';
    const asked = { first: bench.home.asked, work: bench.work.asked };
    expect(asked[name]).toContain('POST /v1/oauth/destroy');
    expect(asked[other]).toEqual([]);
    expect(signInsIn(bench.storage)).toEqual([other === 'first' ? 'i' : ':work:i']);
    expect(await agent.sync(other)).toMatchObject({ ok: true });
    expect(await agent.enable(name)).toMatchObject({ error: { code: 'signedOut' } });
  },
);

test('one whose stored sign-in was put in place of the other is nobody', async () => {
  const bench = await bothIn();
  const values = new Map(bench.storage.snapshot());
  await bench.storage.commit([['i', values.get(':work:i') ?? null]]);
  const again = await bench.boot(bench.storage.fork(), bench.change);
  await again.agent.sync();
  expect(again.agent.status('first').error?.code).toBe('damaged');
  expect(again.agent.status('work').error).toBe(null);
});

test('the system may know one user, and the device sign the other in', async () => {
  const bench = await booted(false);
  const { agent } = bench.device;
  expect(() => agent.signIn('first')).toThrow('users sign in to this device elsewhere');
  await comes(bench, bench.device, 'work');
  expect(await agent.enable()).toMatchObject({ ok: true });
  expect(signInsIn(bench.storage)).toEqual([':work:i']);
  expect(heldOf(bench.device)).toEqual([6, 2]);
  await agent.disable();
  expect(keysOf(bench.storage)).toEqual([':work:s', 's']);
});

test('the device may sign one user in, and the system know the other', async () => {
  const bench = twoRemotes();
  const { remote, signIn } = configured(bench, true);
  const change = { ...(remote && { remote }), ...(signIn && { signIn }) };
  const device = await bench.boot(bench.storage, change);
  expect(() => device.agent.signIn('work')).toThrow('users sign in to this device elsewhere');
  await comes(bench, device, 'first');
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  expect([signInsIn(bench.storage), heldOf(device)]).toEqual([['i'], [6, 2]]);
});

test('the account managers of a system forget whoever leaves, each its own', async () => {
  const bench = twoRemotes();
  const forgotten: string[] = [];
  for (const name of ['home', 'work'] as const) {
    Object.assign(bench[name].identity, { forget: async () => void forgotten.push(name) });
  }
  const { agent } = await bench.boot();
  expect(await agent.enable()).toMatchObject({ ok: true });
  await agent.disable('work');
  expect(forgotten).toEqual(['work']);
  await agent.disable('first');
  expect(forgotten).toEqual(['work', 'home']);
});

test('power that is cut at any commit of two sign-ins loses neither for good', async () => {
  for (let atCommit = 1; ; atCommit++) {
    const bench = twoRemotes();
    const change = configured(bench, true);
    const cut = bench.storage.fork({ atCommit, when: atCommit % 2 === 0 ? 'before' : 'after' });
    let wasCut = false;
    try {
      const doomed = await bench.boot(cut, change, false);
      for (const name of ['first', 'work'] as const) await comes(bench, doomed, name);
      await doomed.agent.enable();
    } catch {
      wasCut = true;
    }
    const again = await bench.boot(cut.fork(), change);
    for (const name of ['first', 'work'] as const) {
      const { error } = await again.agent.enable(name);
      if (error === null) continue;
      expect(error.code).toBe('signedOut');
      await comes(bench, again, name);
    }
    expect(await again.agent.enable()).toMatchObject({ ok: true });
    expect(heldOf(again)).toEqual([6, 2]);
    if (!wasCut && atCommit > 8) return;
  }
});
