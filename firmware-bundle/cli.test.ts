import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { main } from './cli.ts';

const PROFILE = 'panasonic-cx700';
const CONTENTS = ['--with', 'sync15'];
const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'kitsync-build-'));
let out = '';
let complaints = '';

beforeAll(() => process.chdir(folder));
beforeEach(() => {
  out = '';
  complaints = '';
  vi.spyOn(console, 'log').mockImplementation((text) => {
    out += `${text}\n`;
  });
  vi.spyOn(console, 'error').mockImplementation((text) => {
    complaints += `${text}\n`;
  });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

/** Every file of the built folder, by name. */
function built(): ReadonlyMap<string, string> {
  const place = join(folder, 'dist', PROFILE);
  return new Map(readdirSync(place).map((name) => [name, readFileSync(join(place, name), 'utf8')]));
}

describe('a build over its budget', () => {
  it('leaves the firmware that was there alone, and says what the new one is made of', async () => {
    expect(await main([...CONTENTS, PROFILE])).toBe(0);
    const before = built();
    expect([...before.keys()]).toContain('agent.part1.js');
    out = '';
    expect(await main([...CONTENTS, '--budget', '60000', PROFILE])).toBe(1);
    expect(complaints).toMatch(
      /^build failed: agent\.js is over its budget: \d+ bytes, 60000 allowed .*--budget.*\n$/,
    );
    expect(out).toMatch(/ agent\/sync\/pass\.ts\n/);
    expect(out).toMatch(/\d+ +agent\.js\n/);
    expect(built()).toEqual(before);
    expect(readdirSync(join(folder, 'dist'))).toEqual([PROFILE]);
  });

  it('is one that --budget raises', async () => {
    const { bytes } = JSON.parse(built().get('size.json') ?? '{}');
    expect(await main([...CONTENTS, '--budget', `${bytes - 1}`, PROFILE])).toBe(1);
    expect(await main([...CONTENTS, '--budget', `${bytes}`, PROFILE])).toBe(0);
  });
});

test('what a killed build left beside the place goes with a later one', async () => {
  const left = join(folder, 'dist', `${PROFILE}.AAAAAAAA.building`);
  const running = join(folder, 'dist', `${PROFILE}.BBBBBBBB.building`);
  for (const path of [left, running]) mkdirSync(path);
  utimesSync(left, 1, 1);
  expect(await main([...CONTENTS, PROFILE])).toBe(0);
  expect(readdirSync(join(folder, 'dist')).sort()).toEqual([
    PROFILE,
    `${PROFILE}.BBBBBBBB.building`,
  ]);
});

test.each(['0', '-5', '-0', 'much', '1e6', '', '131072.5', '99999999999'])(
  '--budget %s is refused in one line, and nothing is built',
  async (text) => {
    const before = built();
    expect(await main(['--budget', text, ...CONTENTS, PROFILE])).toBe(2);
    expect(complaints).toBe(
      `build failed: --budget must be a whole number of bytes from 1 to 999999999, not "${text}"\n`,
    );
    expect(built()).toEqual(before);
  },
);

test.each([
  [['--nothing'], "Unknown option '--nothing'"],
  [['--with'], "Option '--with <value>' argument missing"],
  [['--with', 'caldav', PROFILE], '--with caldav: there are syncto, '],
  [[...CONTENTS, PROFILE, 'a-toaster'], 'no profile a-toaster: there are panasonic-cx700, '],
])('%s cannot be run as it was typed: exit code 2, and nothing is built', async (args, says) => {
  const before = built();
  expect(await main(args)).toBe(2);
  expect(complaints).toContain(`build failed: ${says}`);
  expect(built()).toEqual(before);
});

test('--help names it', async () => {
  expect(await main(['--help'])).toBe(0);
  expect(out).toContain('--budget BYTES');
});
