import { expect, it, test } from 'vitest';
import type { Whole } from './program.ts';
import { measure, sizeTable, variantTable } from './size.ts';

const SCRIPT = `${'a'.repeat(1_000)}é`;
const BYTES = new Map([
  ['agent/small.ts', 10],
  ['agent/large.ts', 300],
  ['crypto/sealed.ts', 200],
  ['node_modules/tweetnacl/nacl.js', 400],
  ['node_modules/@scope/name/index.js', 50],
]);
const whole = {
  modules: [...BYTES.keys(), 'agent/types.ts', 'firmware.mts'],
  inputs: Object.fromEntries([...BYTES].map(([path, bytes]) => [path, { bytes: bytes * 3 }])),
  bytesOf: BYTES,
} as unknown as Whole;

it('counts a program in bytes, and its modules by package or folder, the largest first', () => {
  const { bytes, gzipBytes, groups } = measure(whole, SCRIPT);
  expect(bytes).toBe(1_002);
  expect(gzipBytes).toBeGreaterThan(20);
  expect(gzipBytes).toBeLessThan(100);
  expect(groups.map(({ name, bytes }) => `${name} ${bytes}`)).toEqual([
    'tweetnacl 400',
    'agent 310',
    'crypto 200',
    '@scope/name 50',
    'firmware.mts 0',
  ]);
  // One of which nothing but types was left weighs nothing.
  expect(groups[1]?.modules).toEqual([
    { path: 'agent/large.ts', sourceBytes: 900, bytes: 300 },
    { path: 'agent/small.ts', sourceBytes: 30, bytes: 10 },
    { path: 'agent/types.ts', sourceBytes: 0, bytes: 0 },
  ]);
});

test('the table has a row for each group, its modules under it, and the sum', () => {
  const rows = sizeTable(measure(whole, SCRIPT)).split('\n');
  expect(rows[0]).toBe('   bytes    source  module');
  expect(rows.slice(3, 6)).toEqual([
    '     310            agent',
    '     300       900    agent/large.ts',
    '      10        30    agent/small.ts',
  ]);
  expect(rows.at(-2)).toBe('    1002            agent.js');
  expect(rows.at(-1)).toMatch(/^ +\d+ {12}agent\.js, gzip -9$/);
});

test('other contents are told with the command that builds them', () => {
  const variants = [
    { names: [], bytes: 130_000, gzipBytes: 50_000 },
    { names: ['sync15', 'history'], bytes: 99, gzipBytes: 9 },
  ];
  expect(variantTable(variants).split('\n')).toEqual([
    '   bytes   gzip -9  agent.js of',
    '  130000     50000  npm run build',
    '      99         9  npm run build -- --with sync15,history',
  ]);
});
