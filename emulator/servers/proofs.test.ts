import { expect, test } from 'vitest';
import { accountsJwk } from './access-tokens.ts';
import { asserted, isForSync, shown } from './proofs.ts';
import { startWorld } from './testing.ts';

const believed = ({ urls }: ReturnType<typeof startWorld>) => ({
  accountsUrl: urls.accounts,
  accountsKey: accountsJwk(),
});

test('an assertion is for one server, with or without the slash', async () => {
  const world = startWorld();
  const base = new URL('https://one.test/path');
  for (const [audience, isFor] of [
    ['https://one.test/path', true],
    ['https://one.test/path/', true],
    ['https://one.test', true],
    ['https://one.test/', true],
    ['https://two.test', false],
  ] as const) {
    const assertion = await world.device.assertion(audience, true);
    const found = asserted(assertion, believed(world), base, world.clock.nowMs);
    expect([audience, found === 'audience']).toEqual([audience, !isFor]);
  }
});

test('a token is good until its time is over', async () => {
  const world = startWorld();
  const { token } = await world.device.accessToken(false);
  const found = await shown(token, believed(world));
  if (found === null || found === 'unavailable') throw new Error('is not believed');
  const { nowMs } = world.clock;
  expect([isForSync(found, nowMs), isForSync(found, nowMs + 7 * 3_600_000)]).toEqual([true, false]);
  const other = { ...found, claims: { ...found.claims, scope: 'profile' } };
  expect(isForSync(other, nowMs)).toBe(false);
  expect(await shown(`${token.slice(0, -6)}AAAAAA`, believed(world))).toBeNull();
  expect(await shown('x', believed(world))).toBeNull();
});
