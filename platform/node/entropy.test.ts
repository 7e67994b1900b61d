import { expect, it } from 'vitest';
import { nodeEntropy } from './entropy.ts';

it('gives bytes that are asked for in any number, and none twice', () => {
  const { random } = nodeEntropy();
  const sizes = [0, 1, 16, 24, 32, 4_095, 4_096, 4_097, 100_000];
  const given = [...sizes, ...Array.from({ length: 2_000 }, () => 24)].map((size) => {
    const bytes = random(size);
    expect(bytes).toHaveLength(size);
    return Buffer.from(bytes);
  });
  const long = given.filter((bytes) => bytes.length >= 16).map((bytes) => bytes.toString('hex'));
  expect(new Set(long).size).toBe(long.length);
  expect(long.filter((hex) => /(00){16}/.test(hex))).toEqual([]);
});

it('keeps what it gave for nobody: a change of it is no change of what comes later', () => {
  const { random } = nodeEntropy();
  const first = random(24);
  first.fill(7);
  expect(Buffer.from(random(4_072)).includes(Buffer.alloc(8, 7))).toBe(false);
});
