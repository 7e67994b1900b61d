// Devices and the server merge with code of their own, and end with the same: whatever two clients
// have written, a device that merges has nothing to post to a server that has merged.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entryOf as readEntry } from '../../agent/collections/installed-entry.ts';
import {
  canonicalOf,
  digestOf as digestOnDevice,
  isSameEntry,
  mergeEntries,
} from '../../agent/collections/installed-merge.ts';
import { webOrigin } from '../../agent/collections/installed-origin.ts';
import { digestOf, entryOf } from '../../emulator/servers/owa/entry.ts';
import { merged } from '../../emulator/servers/owa/merge.ts';
import { normalised } from '../../emulator/servers/owa/origins.ts';

const STAMPS = [
  ...[1, 1, 1.5, 2, 2, 2, 2.25, 1e11, 1e11 + 1, 2_000, 1.6e9, 1.6e12, 1e308, 5e-324],
  ...['2', '2.0', '2e0', '1600000000000', '', '1 ', '0x2', '-1', 'NaN', 0, -1, null, true],
];
const RECEIPTS = fc.subarray(['a', 'b', 'ü', '\ud83d\ude00']);
const OTHER = fc.constantFrom<unknown>(null, 'r', 7, {}, [], [1], ['a', 1]);
const DATA: fc.Arbitrary<unknown> = fc.oneof(
  RECEIPTS,
  OTHER,
  fc.record({ receipts: fc.oneof(RECEIPTS, OTHER), x: fc.constant(1) }, { requiredKeys: [] }),
  fc.record({ receipt: fc.constantFrom<unknown>('a', 'c', 1), x: fc.constant(1) }),
  fc.record({ receipts: RECEIPTS, receipt: fc.constantFrom<unknown>('a', 1) }),
);
const MANIFEST = fc.constantFrom<unknown>(
  ...[
    { name: 'A' },
    { name: 'A' },
    { name: 'C' },
    { name: 'B', é: [1, { b: 1, a: 2 }] },
    '{"name":"A"}',
    '[]',
    'x',
    [],
    null,
    1,
  ],
);
const ENTRY: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      {
        last_modified: fc.constantFrom<unknown>(...STAMPS),
        manifest: MANIFEST,
        manifest_url: fc.constantFrom<unknown>('https://a.example/m', 'x', 'y', 'z', 1),
        install_data: DATA,
        deleted: fc.constantFrom<unknown>(true, true, false, false, 'true', 1, null),
        sync: fc.boolean(),
        '2': fc.constant(1),
        '10': fc.constant(1),
        'a\u0000"\\': fc.constantFrom(1e21, 0.1, -0, 1e-7),
      },
      { requiredKeys: ['last_modified', 'manifest_url'] },
    ),
  },
  { weight: 1, arbitrary: OTHER },
);
const NAME = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('https://a.example', 'http://b.example:8080') },
  { weight: 1, arbitrary: fc.constantFrom('file://', 'a', '', 'https://a.example/') },
);

test('of any two entries both make the same', () => {
  let compared = 0;
  const isSame = fc.property(NAME, ENTRY, ENTRY, (name, one, other) => {
    const texts = [one, other].map((value) => JSON.stringify(value));
    const [ours, theirs] = texts.map((text) => entryOf(name, text));
    const [first, second] = texts.map((text) =>
      readEntry({ id: name, entry: JSON.parse(text) as unknown }),
    );
    if (!ours || !theirs || !first || !second) throw new Error();
    expect(ours.isWellFormed).toBe(first.kind !== 'carried');
    expect(ours.isDeleted && ours.isWellFormed).toBe(first.kind === 'deleted');
    if (!ours.isWellFormed && !theirs.isWellFormed) return;
    const served = JSON.parse(merged(ours, theirs, 65_536)) as unknown;
    const onServer = readEntry({ id: name, entry: served });
    const onDevice = mergeEntries(first, second);
    if (isSameEntry(onServer, onDevice)) compared++;
    else expect(onServer).toEqual(onDevice);
  });
  fc.assert(isSame, { numRuns: 5_000 });
  expect(compared).toBeGreaterThan(1_000);
});

test('both leave receipts out that would make an entry too long', () => {
  const name = 'https://a.example';
  const paid = (last_modified: number, chars: number) =>
    JSON.stringify({ last_modified, manifest: {}, install_data: ['é'.repeat(chars)] });
  const read = (text: string) => readEntry({ id: name, entry: JSON.parse(text) as unknown });
  for (const [chars, isLeftOut] of [
    [16_340, false],
    [16_380, true],
  ] as const) {
    const [older, newer] = [paid(1, chars - 1), paid(2, chars)];
    const served = merged(entryOf(name, older), entryOf(name, newer), 65_536);
    expect(served === newer).toBe(isLeftOut);
    expect(mergeEntries(read(older), read(newer)).value).toEqual(JSON.parse(served));
  }
});

test('both normalise origins alike, and take the same digests', () => {
  const parts = fc.tuple(
    fc.constantFrom('http://', 'https://', 'HTTP://', 'file://', ''),
    fc.constantFrom('a.example', 'A.example', 'a.example.', '127.0.0.1', '[::1]', 'x@a', 'a b', ''),
    fc.constantFrom('', ':80', ':443', ':8080', ':', ':0', ':65536', ':080'),
    fc.constantFrom('', '/', '/x', '?x', '#'),
  );
  const isSame = fc.property(parts, (given) => {
    const text = given.join('');
    expect([text, webOrigin(text) === text]).toEqual([text, normalised(text) === text]);
  });
  fc.assert(isSame, { numRuns: 1_000 });
  const name = 'https://a.example';
  const isDigest = fc.property(ENTRY, (value) => {
    const text = JSON.stringify(value);
    const entry = entryOf(name, text);
    if (!entry.isWellFormed) return;
    const read = readEntry({ id: name, entry: JSON.parse(text) as unknown });
    expect(digestOf(entry)).toBe(digestOnDevice(canonicalOf(read)));
  });
  fc.assert(isDigest, { numRuns: 1_000 });
});
