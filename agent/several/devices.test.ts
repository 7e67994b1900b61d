// One device in the accounts of two remotes: each account sees it by its own record, and what the
// devices of one ask of it is nothing to the other.

import { expect, test } from 'vitest';
import { type TwoDevice, type TwoRemotes, twoRemotes } from '../../test/support/two-remotes.ts';
import type { AgentConfig, DeviceConfig } from '../config.ts';

type Side = 'first' | 'work';
const SIDES = ['first', 'work'] as const;

const device = (name: string): DeviceConfig => ({ name, type: 'tv', version: '1.0', os: 'test' });

/** The records of an account's devices. */
const devicesAt = ({ home, work }: TwoRemotes, name: Side) => [
  ...(name === 'first' ? home : work).other.live('clients').values(),
];

function configured({ config }: TwoRemotes): Partial<AgentConfig> {
  const work = config.remotes?.work;
  if (work === undefined) throw new Error('the bench has a remote of this name');
  return {
    device: device('Television'),
    remotes: { work: { ...work, device: device('Work television') } },
  };
}

async function synced() {
  const bench = twoRemotes();
  const change = configured(bench);
  const two = await bench.boot(bench.storage, change);
  expect(await two.agent.enable()).toMatchObject({ ok: true, error: null });
  await bench.advance(1_000, two);
  return { ...bench, change, two };
}

/** Another device of an account asks something of this one. */
function ask(bench: TwoRemotes, name: Side, ...command: [string, ...string[]]): void {
  const { other } = name === 'first' ? bench.home : bench.work;
  const [own] = [...other.live('clients')].filter(([id]) => id !== 'PHONEPHONE00');
  const [id = '', body = {}] = own ?? [];
  const [word, ...args] = command;
  other.put('clients', { ...body, id, commands: [{ command: word, args }] });
}

const eventsOf = ({ platform }: TwoDevice) =>
  platform.events.map((json) => JSON.parse(json) as { kind: string; [member: string]: unknown });

test('each account sees it under the name and the id that it has there', async () => {
  const bench = await synced();
  const [home, work] = SIDES.map((name) => devicesAt(bench, name));
  expect(home).toEqual([expect.objectContaining({ name: 'Television' })]);
  expect(work).toEqual([expect.objectContaining({ name: 'Work television' })]);
  expect(home?.[0]?.id).not.toBe(work?.[0]?.id);
});

test('each knows the devices of its own account', async () => {
  const bench = await synced();
  const phone = { id: 'PHONEPHONE00', type: 'mobile', protocols: ['1.5'], version: '1', os: 'x' };
  bench.work.other.put('clients', { ...phone, name: 'Work phone' });
  bench.home.other.put('clients', { ...phone, name: 'Phone' });
  await bench.advance(1_000, bench.two);
  const { agent } = bench.two;
  expect(await agent.sync()).toMatchObject({ ok: true });
  expect(await agent.devices('work')).toEqual([expect.objectContaining({ name: 'Work phone' })]);
  expect(await agent.devices('first')).toEqual([expect.objectContaining({ name: 'Phone' })]);
  expect(await agent.devices()).toEqual(await agent.devices('first'));
});

test.each(SIDES)('a page that is sent over %s comes once, and says from where', async (name) => {
  const bench = await synced();
  ask(bench, name, 'displayURI', 'https://sent.example/', 'AAAAAAAAAAAA', 'Sent');
  await bench.advance(1_000, bench.two);
  await bench.two.agent.sync();
  await bench.advance(1_000, bench.two);
  await bench.two.agent.sync();
  const pages = eventsOf(bench.two).filter(({ kind }) => kind === 'page');
  expect(pages).toEqual([
    expect.objectContaining({
      url: 'https://sent.example/',
      ...(name === 'work' && { remote: 'work' }),
    }),
  ]);
  for (const side of SIDES) expect(devicesAt(bench, side)[0]?.commands ?? []).toEqual([]);
});

test.each(SIDES)('who is signed out over %s leaves that account only', async (name) => {
  const bench = await synced();
  const other = name === 'first' ? 'work' : 'first';
  ask(bench, name, 'logout');
  await bench.advance(1_000, bench.two);
  const { agent } = bench.two;
  await agent.sync();
  expect(agent.status(name)).toMatchObject({ state: 'disabled', account: null });
  expect(agent.status(other)).toMatchObject({ state: 'enabled', error: null });
  await bench.advance(3_000, bench.two);
  expect(devicesAt(bench, name)).toEqual([]);
  expect(devicesAt(bench, other)).toHaveLength(1);
  expect(await agent.sync(other)).toMatchObject({ ok: true });
  const left = bench.storage.snapshot().map(([key]) => key.startsWith(':work:') && key.length > 7);
  expect(left.includes(true)).toBe(name === 'first');
});

test.each(SIDES)('who is told over %s to read a collection anew drops that one', async (name) => {
  const bench = await synced();
  const [own, others] = name === 'first' ? ['history', 'recipes'] : ['recipes', 'history'];
  ask(bench, name, 'resetEngine', own);
  await bench.advance(1_000, bench.two);
  const report = await bench.two.agent.sync();
  expect(report.ok).toBe(true);
  expect(report.collections[own]?.pulled).toBeGreaterThan(0);
  expect(report.collections[others]?.pulled ?? 0).toBe(0);
});

test('one that a configuration describes for the first only is in that account only', async () => {
  const bench = twoRemotes();
  const two = await bench.boot(bench.storage, { device: device('Television') });
  expect(await two.agent.enable()).toMatchObject({ ok: true });
  expect(devicesAt(bench, 'first')).toHaveLength(1);
  expect(devicesAt(bench, 'work')).toEqual([]);
  await expect(two.agent.devices('work')).rejects.toMatchObject({ code: 'badInput' });
});

test('a sign-out of all takes it out of both accounts', async () => {
  const bench = await synced();
  await bench.two.agent.disable();
  await bench.advance(3_000, bench.two);
  for (const name of SIDES) expect(devicesAt(bench, name)).toEqual([]);
});

test('after a reboot it is the same device in both', async () => {
  const bench = await synced();
  const before = SIDES.map((name) => devicesAt(bench, name)[0]?.id);
  const again = await bench.boot(bench.storage.fork(), bench.change);
  // Its records are due again.
  await bench.advance(8 * 24 * 3_600_000, again);
  expect(await again.agent.sync()).toMatchObject({ ok: true });
  expect(SIDES.map((name) => devicesAt(bench, name).map(({ id }) => id))).toEqual(
    before.map((id) => [id]),
  );
});
