// Accounts that Firefox has just written, each of another kind, are synced by the command as a user
// types it.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../emulator/report.ts';
import { type CorpusOptions, recordCorpus } from './corpus.ts';

const KITSYNC = fileURLToPath(new URL('../../emulator/bin.mjs', import.meta.url));

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kitsync-corpus-'));
});
afterAll(() => rm(dir, { recursive: true }));

interface Kind extends Omit<CorpusOptions, 'seed'> {
  readonly name: string;
  readonly args?: readonly string[];
  readonly held: { readonly history: number; readonly passwords: number };
}

// Firefox keeps four of its pages to itself, and one record in ten is deleted.
const KINDS: readonly Kind[] = [
  {
    name: 'large',
    pages: 350,
    logins: 40,
    args: ['--crypto', 'device', '--profile', 'firefox-os-phone-128mb'],
    held: { history: 315, passwords: 36 },
  },
  { name: 'small', pages: 30, logins: 10, held: { history: 27, passwords: 9 } },
  {
    name: 'without logins',
    pages: 12,
    logins: 0,
    args: ['--auth', 'bearer'],
    held: { history: 11, passwords: 0 },
  },
  { name: 'empty', pages: 0, logins: 0, held: { history: 0, passwords: 0 } },
  {
    name: 'emptied',
    pages: 25,
    logins: 5,
    deleted: 'all',
    args: ['--crypto', 'device', '--protocol', 'sync15'],
    held: { history: 0, passwords: 0 },
  },
  {
    name: 'with a key for each collection',
    pages: 15,
    logins: 5,
    ownKeys: ['history', 'passwords'],
    args: ['--protocol', 'sync15'],
    held: { history: 14, passwords: 5 },
  },
];

test.each(KINDS)('an account, $name, is on the device as Firefox has it', async (kind) => {
  const { name, args = ['--crypto', 'device'], held, ...options } = kind;
  const file = join(dir, `${name}.json`);
  await writeFile(
    file,
    JSON.stringify(await recordCorpus({ ...options, seed: KINDS.indexOf(kind) })),
  );
  const report = await emulate(['--account', file, ...args]);
  expect(report.problems).toEqual([]);
  expect(report.compared).toContain("what the account's own client says: 0 differences");
  expect({
    history: report.records.history?.held,
    passwords: report.records.passwords?.held,
  }).toEqual(held);
});

/** The report, whether or not a promise was broken. */
async function emulate(args: readonly string[]): Promise<Report> {
  const command = [KITSYNC, 'emulate', ...args, '--json'];
  const run = promisify(execFile)(process.execPath, command, { maxBuffer: 1e8 });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  return JSON.parse(stdout) as Report;
}
