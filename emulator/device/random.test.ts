import { expect, test } from 'vitest';
import { createRandom } from './random.ts';

test('one seed gives one sequence, another seed another', () => {
  expect(createRandom(7).bytes(64)).toEqual(createRandom(7).bytes(64));
  expect(createRandom(7).bytes(64)).not.toEqual(createRandom(8).bytes(64));
});

test('a fork does not depend on how much its parent was used', () => {
  const parent = createRandom(7);
  const early = parent.fork('device').bytes(16);
  parent.bytes(1000);
  expect(parent.fork('device').bytes(16)).toEqual(early);
  expect(parent.fork('server').bytes(16)).not.toEqual(early);
});

test('gives as many bytes as asked for, and all values equally', () => {
  expect(createRandom(1).bytes(5)).toHaveLength(5);
  const counts = new Array<number>(256).fill(0);
  for (const byte of createRandom(1).bytes(256 * 1000)) counts[byte] = (counts[byte] ?? 0) + 1;
  expect(Math.min(...counts)).toBeGreaterThan(850);
  expect(Math.max(...counts)).toBeLessThan(1150);
});
