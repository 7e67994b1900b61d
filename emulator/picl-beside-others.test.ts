// One television with all three: history on Firefox Sync, contacts on a Kinto, settings on a PiCL
// storage. One process and one report; what fails at one of them is nothing to the others.

import { describe, expect, test } from 'vitest';
import { isWhole } from '../test/sim/share.ts';
import { besideSync, EDITS } from '../test/support/beside-sync.ts';

const run = besideSync([
  { name: 'cloud', protocol: 'kinto', auth: 'basic', collections: ['contacts'] },
  { name: 'log', protocol: 'picl', auth: 'bearer', collections: ['settings'] },
]);

describe.runIf(isWhole)('a television with Firefox Sync, a Kinto and a PiCL storage', () => {
  test('has of each what is there, in one report', async () => {
    const { problems, records, parts } = await run({ edits: EDITS });
    expect(problems).toEqual([]);
    expect([records.history, records.contacts, records.settings]).toMatchObject([
      ...[{ held: 4 }, { held: 5, pushed: 1 }, { held: 5, pushed: 1 }],
    ]);
    expect(parts.map(({ remote, state }) => [remote.protocol, state])).toEqual([
      ...[
        ['sync15', 'enabled'],
        ['kinto', 'enabled'],
        ['picl', 'enabled'],
      ],
    ]);
  });

  test.each(['first', 'cloud', 'log'])('where %s is off, the others go on', async (name) => {
    const { problems } = await run({ edits: EDITS, off: [{ name, rounds: [2] }] });
    expect(problems).toEqual([]);
  });
});
