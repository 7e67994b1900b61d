import { afterEach, expect, it, test } from 'vitest';
import type { PassReport } from '../../../agent/index.ts';
import { testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { REMOTE, runningSync, status } from '../../../test/support/running-sync.ts';
import { syncNow } from './sync-now.ts';

let close = (): void => undefined;
afterEach(() => close());

const report = (code?: 'offline'): PassReport =>
  ({
    ...{ ok: code === undefined, requests: 1, collections: {} },
    error: code === undefined ? null : { code, message: 'no way' },
  }) as PassReport;

const TWO = { remotes: { work: { remote: REMOTE, collections: ['notes'] } } };

/** `down`: services that cannot be reached; `out`: that nobody is signed in at. */
async function syncing({ notes = {}, down = [] as string[], out = [] as string[] } = {}) {
  const asked: (string | undefined)[] = [];
  const state = (name: string) => (out.includes(name) ? 'disabled' : 'enabled');
  const sync = await runningSync(
    {
      sync: async (remote) => {
        asked.push(remote);
        return report(down.includes(remote ?? 'first') ? 'offline' : undefined);
      },
      status: async () =>
        status({
          remotes: {
            first: status({ state: state('first') }),
            work: status({ state: state('work') }),
          },
        }),
    },
    notes,
  );
  close = sync.close;
  return { asked, now: (more = {}) => sync.run(syncNow, more) };
}

it('wakes the sync that runs, and tells how it went', async () => {
  const { asked, now } = await syncing();
  const { outcome, out, complaints } = await now();
  expect([outcome, complaints, asked]).toEqual([0, '', [undefined]]);
  expect(out).toMatch(/^\S+ {2}in sync: nothing new \(1 request\)\n$/);
});

it('complains of a pass that failed, and says so by its exit code', async () => {
  const { now } = await syncing({ down: ['first'] });
  const { outcome, out, complaints } = await now();
  expect([outcome, out]).toEqual([1, '']);
  expect(complaints).toContain('sync failed: no way (offline)');
  expect(await now({ json: true })).toMatchObject({
    outcome: 1,
    out: `${JSON.stringify(report('offline'))}\n`,
  });
});

it('asks each service of a folder, but for those that nobody is signed in at', async () => {
  const { asked, now } = await syncing({ notes: TWO });
  const { outcome, out } = await now();
  expect([outcome, asked]).toEqual([0, ['first', 'work']]);
  expect(out).toMatch(/ first: in sync.*\n.* work: in sync/);
  const one = await syncing({ notes: TWO, out: ['first'] });
  await one.now();
  expect(one.asked).toEqual(['work']);
});

it('has failed if one of them has, and has asked the others', async () => {
  const { asked, now } = await syncing({ notes: TWO, down: ['first'] });
  const { outcome, out, complaints } = await now();
  expect([outcome, asked]).toEqual([1, ['first', 'work']]);
  expect(complaints).toContain(' first: sync failed');
  expect(out).toContain(' work: in sync');
});

it('asks one that is named, and all at once for JSON', async () => {
  const { asked, now } = await syncing({ notes: TWO });
  const { out } = await now({ remote: 'work' });
  expect(out).toMatch(/^\S+ {2}in sync/);
  await now({ json: true });
  expect(asked).toEqual(['work', undefined]);
  await expect(now({ remote: 'none' })).rejects.toThrow('the folder has no service "none"');
});

test('where none runs it says how to begin one', async () => {
  const directory = temporaryFolder();
  const options = { directory, json: false, remote: null, words: [] };
  await expect(syncNow(options, testTerminal())).rejects.toThrow(
    `no sync runs on ${directory}: start one with \`kitsync sync\`, or sync with --once`,
  );
});
