// `npm run test:syncto`: our servers behind the real Syncto 1.5.0, wherever a Python 3.6 is found.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { startTelevision, type Television } from '../interop/television.ts';
import { credentialsOf, run } from '../support/commands.ts';
import { temporaryFolder } from '../support/folders.ts';
import { type Household, startHousehold } from './household.ts';
import { findPython } from './real.ts';
import { record } from './record.ts';
import { readRecording } from './recording.ts';
import { allCases } from './table.ts';

const found = findPython();
const python = 'python' in found ? found.python : null;
if ('missing' in found) console.warn(`The real Syncto is not asked: ${found.missing}`);

test.skipIf(python === null)('the real Syncto answers what was recorded of it', async () => {
  const now = await record(python ?? '', allCases());
  const recorded = readRecording();
  expect(Object.keys(now)).toEqual(Object.keys(recorded));
  const changed = Object.keys(now).filter(
    (name) => JSON.stringify(now[name]) !== JSON.stringify(recorded[name]),
  );
  expect(changed, 'npm run record:syncto writes it anew').toEqual([]);
});

describe.skipIf(python === null)('through the real Syncto', () => {
  let home: Household;
  let television: Television;
  let folder: string;
  let credentials: string;

  beforeAll(async () => {
    home = await startHousehold(python ?? '', syntheticAccount({ records: 1_200, seed: 1 }));
    television = await startTelevision(home.serving, 'syncto');
    folder = join(temporaryFolder(), 'data');
    credentials = await credentialsOf(home.serving, join(temporaryFolder(), 'credentials.json'));
    const { code, complaints } = await sync();
    expect([code, complaints]).toEqual([0, '']);
  });
  afterAll(() => home?.close());

  const sync = () =>
    run([
      ...['sync', '--protocol', 'syncto', '--token-server', home.serving.world.urls.syncto],
      ...['--credentials', credentials, '--data', folder, '--once'],
    ]);
  const onComputer = async (): Promise<Page[]> => {
    const args = ['list', 'history', '--data', folder, '--limit', '2000', '--json'];
    return JSON.parse((await run(args)).out) as Page[];
  };
  const titleOnComputer = async (url: string) =>
    (await onComputer()).find((page) => page.url === url)?.title;
  const onTelevision = async (url: string) => {
    const holdings = JSON.stringify(await television.holdings());
    return holdings.includes(url);
  };
  const put = (page: Page) => run(['put', 'history', JSON.stringify(page), '--data', folder]);
  const visits = [{ date: Date.now() * 1_000, type: 1 }];
  const statuses = () => home.passed.map(({ status }) => status);

  test('all came down, by pages and by batches', async () => {
    expect(await onComputer()).toHaveLength(1_200);
    expect(await television.quarantined()).toBe(0);
    expect(home.passed.some(({ path }) => /_limit=.*_token=/.test(path))).toBe(true);
  });

  test('edits go both ways', async () => {
    await television.put('history', { url: 'https://tv.example/', title: 'TV', visits });
    await television.sync();
    await put({ url: 'https://computer.example/', title: 'Počítač' });
    expect((await sync()).complaints).toBe('');
    expect(await titleOnComputer('https://tv.example/')).toBe('TV');
    await television.sync();
    expect(await onTelevision('https://computer.example/')).toBe(true);
  });

  test('so do deletions', async () => {
    const page = (await onComputer()).find(({ url }) => url === 'https://tv.example/');
    await run(['delete', 'history', '--data', folder, '--', page?.guid ?? '']);
    await sync();
    await television.sync();
    expect(await onTelevision('https://tv.example/')).toBe(false);
  });

  test('of two edits of a page both sides end with one, though one of them met a 412', async () => {
    const url = 'https://computer.example/';
    await television.sync();
    const page = (await onComputer()).find((one) => one.url === url);
    await television.put('history', { guid: page?.guid, url, title: 'of the television', visits });
    await put({ url, title: 'of the computer' });
    // The television writes after the computer has looked, and before it writes.
    home.passed.length = 0;
    home.before = async (method) => {
      if (method !== 'PUT') return;
      home.before = async () => undefined;
      await television.sync();
    };
    await sync();
    expect(statuses()).toContain(412);
    for (let round = 0; round < 2; round++) {
      await sync();
      await television.sync();
    }
    const title = await titleOnComputer(url);
    expect(JSON.stringify(await television.holdings())).toContain(`"${title}"`);
  });

  test('a user who was moved gets 401 until the next assertion, and goes on', async () => {
    home.passed.length = 0;
    home.serving.world.reassignNode();
    await put({ url: 'https://moved.example/', title: 'Moved' });
    const { code } = await sync();
    expect(statuses()).toContain(401);
    expect([0, 1]).toContain(code);
    home.renew();
    expect((await sync()).code).toBe(0);
    await television.sync();
    expect(await onTelevision('https://moved.example/')).toBe(true);
  });

  test('a wrong client state is refused, and costs nothing', async () => {
    const before = (await onComputer()).length;
    home.passed.length = 0;
    home.renew();
    home.twist = (path) => path.replace(/\/buckets\/[0-9a-f]{32}/, `/buckets/${'Z'.repeat(32)}`);
    expect((await sync()).code).not.toBe(0);
    expect(statuses()).toContain(401);
    home.twist = (path) => path;
    home.renew();
    expect((await sync()).code).toBe(0);
    expect(await onComputer()).toHaveLength(before);
  });

  test('in the end all three hold the same, and nothing is left to say', async () => {
    await television.sync();
    expect((await sync()).out).toMatch(/in sync: nothing new/);
    const counts = await television.sync();
    expect(Object.values(counts).map(({ pulled, pushed }) => pulled + pushed)).not.toContain(1);
  });
});

interface Page {
  readonly guid?: string;
  readonly url: string;
  readonly title: string;
}
