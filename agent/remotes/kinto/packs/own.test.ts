// Which packs need not be read again.

import { expect, test } from 'vitest';
import { OWN_PACKS_MAX } from './limits.ts';
import { createOwnPacks } from './own.ts';

test('a pack is known by its last stamp alone', () => {
  const own = createOwnPacks();
  expect(own.has('7')).toBe(false);
  own.add('7', null);
  own.add('8', null);
  own.add('9', '7');
  expect(['7', '8', '9'].map(own.has)).toEqual([false, true, true]);
});

test('no other stamp is one of them, and neither is what is none', () => {
  const own = createOwnPacks();
  own.add('7', null);
  for (const stamp of ['0', '', '7.5', 'x', '-7']) expect(own.has(stamp), stamp).toBe(false);
});

test('of more than are kept the first ones are forgotten', () => {
  const own = createOwnPacks();
  for (let stamp = 1; stamp <= OWN_PACKS_MAX + 1; stamp++) own.add(`${stamp}`, null);
  // One that was replaced takes no room of another's.
  own.add('5000', `${OWN_PACKS_MAX + 1}`);
  expect(['1', '2', `${OWN_PACKS_MAX}`, '5000'].map(own.has)).toEqual([false, true, true, true]);
});
