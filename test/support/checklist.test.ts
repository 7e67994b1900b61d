import { expect, test } from 'vitest';
import { type Checklist, checked, OWA_CHECKLIST, PICL_CHECKLIST, type Ran } from './checklist.ts';

const LIST: Checklist = { letter: 'P', server: [1, 2], client: [2, 30] };
const one = (suite: string, name: string, passed = true): Ran => ({
  ...{ file: 'test/picl/a.test.ts', suite, name, passed },
});
const of = (name: string): Ran => ({ ...one('', name), file: 'agent/remotes/a.test.ts' });
const ALL = [
  one('x', 'P1, P2: a'),
  one('y', 'P1: a'),
  one('y', 'P2: b'),
  of('P2: c'),
  of('P30: d'),
];

test('behaviours are counted for the client and for the server on each storage', () => {
  expect(checked(LIST, ALL)).toEqual({
    lines: ['P: 2 of 2, the client', 'P: 2 of 2, x', 'P: 2 of 2, y'],
    missing: [],
  });
});

test('a test that failed, was left out or has no number at its head shows nothing', () => {
  const tests = [...ALL.slice(0, 2), one('y', 'P2: b', false), of('P30 d'), of('as P2: c')];
  const missing = ['P2: the client', 'P30: the client', 'P2: y'];
  expect(checked(LIST, tests)).toMatchObject({ missing });
  expect(checked(LIST, ALL.slice(3)).missing).toEqual(['P: no server']);
});

test.each([
  { ...PICL_CHECKLIST, both: [13] },
  { ...OWA_CHECKLIST, both: [44] },
])('each of the 62 behaviours $letter is the server’s or the client’s', (list) => {
  const { server, client, both } = list;
  const all = Array.from({ length: 62 }, (_, index) => index + 1);
  expect([...new Set([...server, ...client])].sort((a, b) => a - b)).toEqual(all);
  expect(server.filter((number) => client.includes(number))).toEqual(both);
});
