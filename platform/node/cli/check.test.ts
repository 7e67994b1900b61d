// Folders whose files have changed behind Kitsync's back: what the commands say, and how it is
// mended.

import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STATE_KEY } from '../../../agent/store/layout.ts';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { every } from '../../../test/sim/share.ts';
import { credentialsOf, type Run, run, serveAccount } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { openNodeStorage } from '../storage.ts';

let serving: Serving;
let credentials: string;
let whole: string;
let expected: string;

const syncArgs = (data: string): string[] => [
  ...['sync', '--token-server', serving.world.urls.token, '--once'],
  ...['--credentials', credentials, '--data', data],
];

beforeAll(async () => {
  serving = await serveAccount(120);
  const folder = temporaryFolder();
  credentials = await credentialsOf(serving, join(folder, 'credentials.json'));
  whole = join(folder, 'data');
  expect(await run(syncArgs(whole))).toMatchObject({ code: 0 });
  expected = sorted((await run(['export', '--data', whole])).out);
});
afterAll(() => serving.close());

/** The records without regard of their order. */
function sorted(json: string): string {
  const all = JSON.parse(json) as { [name: string]: unknown[] };
  return JSON.stringify(
    Object.entries(all).map(([name, list]) => [
      name,
      list.map((one) => JSON.stringify(one)).sort(),
    ]),
  );
}

function copied(): string {
  const copy = join(temporaryFolder(), 'data');
  mkdirSync(copy, { mode: 0o700 });
  for (const name of readdirSync(whole)) {
    const path = join(whole, name);
    if (statSync(path).isFile()) copyFileSync(path, join(copy, name));
  }
  return copy;
}

const EXPORT = (data: string): Promise<Run> => run(['export', '--data', data]);

function expectOneLine({ code, complaints }: Run): void {
  expect(code).not.toBe(0);
  expect(complaints).toMatch(/^kitsync: [^\n]+\n$/);
}

test('another device.key is refused, and nothing is changed', async () => {
  const data = copied();
  const right = readFileSync(join(data, 'device.key'));
  writeFileSync(join(data, 'device.key'), Buffer.alloc(32, 7));
  for (const args of [['export'], ['status'], ['check'], ['check', '--repair']]) {
    const ran = await run([...args, '--data', data]);
    expectOneLine(ran);
    expect(ran.complaints).toContain('device.key is not the key that the data was sealed under');
  }
  writeFileSync(join(data, 'device.key'), right);
  expect(sorted((await EXPORT(data)).out)).toBe(expected);
});

test('it is lost whose data it is: every command says so, and a sign-out begins anew', async () => {
  const data = copied();
  const storage = await openNodeStorage(data);
  await storage.commit([[STATE_KEY, '?']]);
  storage.close();
  for (const args of [['export'], ['status'], ['check'], ['check', '--repair']]) {
    const ran = await run([...args, '--data', data]);
    expectOneLine(ran);
    expect(ran.complaints).toContain('`kitsync sign-out` empties the folder');
  }
  expect(await run(['sign-out', '--yes', '--data', data])).toMatchObject({ code: 0 });
  expect(await run(syncArgs(data))).toMatchObject({ code: 0 });
  expect(sorted((await EXPORT(data)).out)).toBe(expected);
});

test('a collection is fetched anew when somebody wishes so', async () => {
  const data = copied();
  const repaired = await run(['check', '--repair', 'history', '--data', data]);
  expect(repaired).toMatchObject({ code: 0, complaints: '' });
  expect(repaired.out).toContain('to be fetched again by the next sync');
  expectOneLine(await EXPORT(data));
  expect((await run(syncArgs(data))).out).toMatch(/history 120 received/);
  expect(sorted((await EXPORT(data)).out)).toBe(expected);
  expect(await run(['check', '--data', data])).toMatchObject({ code: 0 });
});

describe('a flipped bit', () => {
  const RUNS = 100;
  test(`in any file ends in a clear error or in the right answer, and is mended`, async () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < RUNS; index += every(17)) {
      const data = copied();
      const names = readdirSync(data).sort();
      // Most of them where most bytes are.
      const name = index % 5 === 4 ? (names[((index / 5) % names.length) | 0] ?? '') : 'store';
      const bytes = readFileSync(join(data, name));
      const bit = (index * 2_654_435_761 + 977) % (bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(join(data, name), bytes);
      const first = await EXPORT(data);
      const isRight = first.code === 0 && sorted(first.out) === expected;
      if (!isRight) expectOneLine(first);
      const told = `${name} ${isRight ? 'right' : 'refused'}`;
      counts.set(told, (counts.get(told) ?? 0) + 1);
      if (name === 'device.key') continue;
      const checked = await run(['check', '--data', data]);
      expect(checked.complaints).toMatch(/^(kitsync: [^\n]+\n)?$/);
      let synced = await run(syncArgs(data));
      if (synced.complaints.includes('whose data it is is lost')) {
        expectOneLine(synced);
        counts.set('signed out', (counts.get('signed out') ?? 0) + 1);
        expect(await run(['sign-out', '--yes', '--data', data])).toMatchObject({ code: 0 });
        synced = await run(syncArgs(data));
      }
      expect(synced, `${name}, bit ${bit}`).toMatchObject({ code: 0 });
      const after = await EXPORT(data);
      expect(after, `${name}, bit ${bit}`).toMatchObject({ code: 0, complaints: '' });
      expect(sorted(after.out), `${name}, bit ${bit}`).toBe(expected);
      expect(await run(['check', '--data', data])).toMatchObject({ code: 0, complaints: '' });
    }
    console.log([...counts].map(([what, runs]) => `${runs} ${what}`).join(', '));
  }, 900_000);
});
