import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { amongOrigins, normalised } from './origins.ts';

interface Verdict {
  readonly input: string;
  readonly origin?: string;
  readonly canonical?: boolean;
}

const VECTORS = new URL('../../../test/fixtures/owa/vectors.json', import.meta.url);
const { origins } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { origins: Verdict[] };

test('each of the 48 origins is normalised, or none', () => {
  expect(origins).toHaveLength(48);
  for (const { input, origin = null, canonical = false } of origins) {
    const found = normalised(input);
    expect([input, found, found === input]).toEqual([input, origin, canonical]);
  }
});

test('what is too long is none', () => {
  expect(normalised(`http://${'a.'.repeat(1_100)}example`)).toBe(null);
});

test('a host alone means the origin of the list that has it', () => {
  const list = ['https://one.example', 'http://two.example:8000', 'http://three.example'];
  const meant = [
    ...['one.example', 'two.example:8000', 'three.example', 'three.example:80', 'ONE.example/'],
    ...['two.example', 'one.example:80', 'x.one.example', 'one.example.x', 'http://one.example'],
  ].map((text) => amongOrigins(list, text));
  const [one, two, three] = list;
  expect(meant).toEqual([one, two, three, three, one, null, null, null, null, null]);
});
