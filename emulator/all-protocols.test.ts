// One television with all of it: history and passwords on Firefox Sync, contacts on a Kinto,
// bookmarks and settings on a PiCL storage, apps on a server of Open Web Apps. One process and one
// report; what fails at one of them is nothing to the others.

import { describe, expect, test } from 'vitest';
import { isWhole } from '../test/sim/share.ts';
import { besideSync, EDITS } from '../test/support/beside-sync.ts';

const run = besideSync([
  { name: 'cloud', protocol: 'kinto', auth: 'basic', collections: ['contacts'] },
  { name: 'log', protocol: 'picl', auth: 'bearer', collections: ['bookmarks', 'settings'] },
  { name: 'apps', protocol: 'owa', auth: 'browserid', collections: ['apps'] },
]);

describe.runIf(isWhole)('a television with all protocols', () => {
  test('has of each what is there, in one report', async () => {
    const { problems, records, parts, peakBytes, setup } = await run({ edits: EDITS });
    expect(problems).toEqual([]);
    const { history, passwords, contacts, bookmarks, settings, apps } = records;
    expect([history, passwords, bookmarks, apps]).toMatchObject([
      ...[{ held: 4 }, { held: 2 }, { held: 4 }, { held: 4 }],
    ]);
    expect([contacts, settings]).toMatchObject([
      { held: 5, pushed: 1 },
      { held: 5, pushed: 1 },
    ]);
    expect(await setup.system.apps().list('', 10)).toHaveLength(4);
    expect(peakBytes).toBeLessThan(1.5 * 2 ** 20);
    expect(parts.map(({ remote, state }) => [remote.protocol, state])).toEqual([
      ...[
        ['sync15', 'enabled'],
        ['kinto', 'enabled'],
        ['picl', 'enabled'],
        ['owa', 'enabled'],
      ],
    ]);
  });

  test.each(['first', 'cloud', 'log', 'apps'])(
    'where %s is off, the others go on',
    async (name) => {
      const { problems } = await run({ edits: EDITS, off: [{ name, rounds: [2] }] });
      expect(problems).toEqual([]);
    },
  );
});
