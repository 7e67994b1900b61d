// One television: history and passwords on Firefox Sync, contacts and settings on a Kinto. One
// process and one report; what fails at one of them is nothing to the other.

import { describe, expect, test } from 'vitest';
import { isWhole } from '../test/sim/share.ts';
import { besideSync, EDITS } from '../test/support/beside-sync.ts';

const MIB = 2 ** 20;
const run = besideSync([
  { name: 'cloud', protocol: 'kinto', auth: 'basic', collections: ['contacts', 'settings'] },
]);

describe.runIf(isWhole)('a television with Firefox Sync and a Kinto', () => {
  test('has of each what is there, in one report and within one heap', async () => {
    const { problems, records, peakBytes, boots, parts } = await run({ edits: EDITS });
    expect(problems).toEqual([]);
    expect(Object.entries(records).map(([name, { held }]) => [name, held])).toEqual(
      expect.arrayContaining([
        ['history', 4],
        ['passwords', 2],
        ['contacts', 5],
        ['settings', 5],
      ]),
    );
    expect(parts.map(({ remote, state }) => [remote.protocol, state])).toEqual([
      ['sync15', 'enabled'],
      ['kinto', 'enabled'],
    ]);
    expect([peakBytes < MIB, boots]).toEqual([true, 1]);
  });

  test.each([
    ['the Kinto', 'cloud', 'sync15'],
    ['Firefox Sync', 'first', 'kinto'],
  ])('goes on with the other while %s is off', async (_, name, other) => {
    const { problems, passes, parts } = await run({
      edits: EDITS,
      off: [{ name, rounds: [1, 2] }],
    });
    expect(problems).toEqual([]);
    const on = parts.find(({ remote }) => remote.protocol === other);
    const ofOther = passes.filter(({ remote }) => remote === on?.remote.address);
    expect(ofOther.length).toBeGreaterThanOrEqual(3);
    expect(ofOther.every(({ ok }) => ok)).toBe(true);
  });
});
