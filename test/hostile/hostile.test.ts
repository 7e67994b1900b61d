// Odd servers before a device, over both protocols: what it says meanwhile, that it loses nothing,
// asks for little, and syncs again by itself when the oddity has ended. Nobody touches the device.

import { describe, expect, test } from 'vitest';
import { type House, openHouse, type Protocol } from './house.ts';
import { type Right, type Rights, TWISTS, type Twist } from './twists.ts';

const HOUR_MS = 3_600_000;
/** Long enough for the rarest passes, with a boot in the middle. */
const TWIST_HOURS = 50;
/** A device that has synced asks once a day at least. */
const RECOVERY_HOURS = 25;
/** A pass that reads the three pages again each time makes no more. */
const REQUESTS_AN_HOUR_MAX = 6;
/**
 * Of passes that fail, which come ever more rarely; one that is refused looks and tries again
 * first.
 */
const FAILED_PASSES_MAX = 26;
const FAILED_REQUESTS_MAX = 200;

const PAGES = ['https://one.example/', 'https://three.example/', 'https://two.example/'];
const MINE = 'https://mine.example/';
const THEIRS = 'https://theirs.example/';

const ROWS = TWISTS.flatMap((twist) =>
  (twist.protocols ?? (['syncto', 'sync15'] as const)).map(
    (protocol): [string, Protocol, Twist] => [twist.what, protocol, twist],
  ),
);

async function held({ agent, during }: House): Promise<string[]> {
  const { records } = await during(agent.list('history', { limit: 100, after: null }));
  return records.map(({ url }) => String(url)).sort();
}

const onServer = ({ second }: House): string[] =>
  [...second.live('history').values()].map(({ histUri }) => String(histUri)).sort();

const rightFor = (rights: Rights, protocol: Protocol): Right =>
  'code' in rights ? rights : rights[protocol];

/** Days of the twist; then what the device has said of it, and how much it has asked for. */
async function endure(house: House, { hoursApart = 0 }: Twist, right: Right): Promise<void> {
  const before = { requests: house.requests, passes: house.passes.length };
  await house.pass((TWIST_HOURS / 2) * HOUR_MS);
  await house.reboot();
  await house.pass((TWIST_HOURS / 2) * HOUR_MS);
  const { code } = right;
  const last = house.passes.at(-1);
  expect(last?.error?.code ?? null, JSON.stringify(last)).toBe(code);
  expect(last?.ok).toBe(code === null);
  const passes = house.passes.length - before.passes;
  const requests = house.requests - before.requests;
  expect(requests).toBeLessThanOrEqual(
    code === null ? TWIST_HOURS * REQUESTS_AN_HOUR_MAX : FAILED_REQUESTS_MAX,
  );
  if (code !== null) expect(passes).toBeLessThanOrEqual(FAILED_PASSES_MAX);
  if (hoursApart > 0) expect(passes).toBeLessThanOrEqual(TWIST_HOURS / hoursApart);
}

/** The twist ends; a day later everything is as if it had never been. */
async function recover(house: House, twist: Twist, all: readonly string[]): Promise<void> {
  house.oddity = {};
  twist.end?.(house);
  await house.pass(RECOVERY_HOURS * HOUR_MS);
  const status = house.agent.status();
  expect(status).toMatchObject({ state: 'enabled', error: null });
  expect(status.collections.history).toMatchObject({ pending: 0, quarantined: 0 });
  expect(await held(house)).toEqual([...all].sort());
  expect(onServer(house)).toEqual([...all].sort());
}

describe.each(ROWS)('%s, over %s', (_, protocol, twist) => {
  test('at the first sync', async () => {
    const house = await openHouse(protocol);
    house.oddity = twist.oddity ?? {};
    twist.begin?.(house);
    await house.during(house.agent.enable());
    const right = rightFor(twist.first, protocol);
    await endure(house, twist, right);
    expect(await held(house)).toEqual(right.reads ? PAGES : []);
    await recover(house, twist, PAGES);
  });

  test('between two syncs, with changes on both sides', async () => {
    const house = await openHouse(protocol);
    await house.during(house.agent.enable());
    house.oddity = twist.oddity ?? {};
    twist.begin?.(house);
    await house.during(house.agent.put('history', { url: MINE, title: 'mine' }));
    const body = { id: 'page-theirs-', histUri: THEIRS, title: 'theirs' };
    house.second.put('history', { ...body, visits: [{ date: house.nowMs() * 1000, type: 1 }] });
    const right = rightFor(twist.later, protocol);
    await endure(house, twist, right);
    const { reads, writes } = right;
    expect(await held(house)).toEqual([...PAGES, MINE, ...(reads ? [THEIRS] : [])].sort());
    expect(onServer(house)).toEqual([...PAGES, THEIRS, ...(writes ? [MINE] : [])].sort());
    expect(house.agent.status().collections.history?.pending).toBe(writes ? 0 : 1);
    await recover(house, twist, [...PAGES, MINE, THEIRS]);
  });
});
