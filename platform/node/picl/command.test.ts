import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logOf, PICL_ROOT } from '../../../test/support/picl-log.ts';
import { main } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'picl-command-'));
const log = logOf('things', [
  ['a', 'one'],
  ['b', 'two'],
  ['a', null],
]);
const head = `3-${log[2]?.changeid}`;

function fileOf(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(value), { mode: 0o600 });
  return path;
}

const KEYS = ['--key-file', fileOf('key', { root: PICL_ROOT.toString('hex') })];

async function run(...args: string[]) {
  let out = '';
  let complaints = '';
  const code = await main(args, {
    write(text) {
      out += text;
    },
    complain(text) {
      complaints += text;
    },
  });
  return { code, out, complaints };
}

test('verify prints the head that it proves', async () => {
  const file = ['--file', fileOf('log', { changes: log })];
  const whole = await run('verify', 'things', ...file, ...KEYS);
  expect(whole).toEqual({ code: 0, out: `head: ${head}\nchanges: 3\n`, complaints: '' });
  const { out } = await run('verify', 'things', ...file);
  expect(out).toBe(`head: ${head}\nchanges: 3\nno signature was looked at: there is no key\n`);
  expect((await run('verify', 'things', ...file, '--head', head)).code).toBe(0);
  const json = await run('verify', 'things', ...file, '--json');
  expect(JSON.parse(json.out)).toMatchObject({ violation: null, changes: 3 });
});

test('verify prints the first violation, and what was proven before it', async () => {
  const file = ['--file', fileOf('broken', [log[0], { ...log[1], payload: 'x' }, log[2]])];
  expect(await run('verify', 'things', ...file, ...KEYS)).toEqual({
    code: 1,
    out: `violation: bad-changeid, index 1, seqnum 2\nproven before it: 1-${log[0]?.changeid}\n`,
    complaints: '',
  });
});

test('verify says that a log does not begin with the first change', async () => {
  const file = ['--file', fileOf('later', log.slice(1)), '--compacted'];
  const { code, out } = await run('verify', 'things', ...file, ...KEYS);
  expect([code, out]).toEqual([
    0,
    `head: ${head}\nchanges: 2\nwhat came before the first change was compacted\n`,
  ]);
});

test('verify compares an earlier head where there is one to compare with', async () => {
  const file = ['--file', fileOf('later', log.slice(1)), '--compacted', ...KEYS];
  const [one, two] = log;
  const on = await run('verify', 'things', ...file, '--head', `2-${two?.changeid}`);
  expect(on).toMatchObject({ code: 0, complaints: '' });
  expect(await run('verify', 'things', ...file, '--head', `1-${one?.changeid}`)).toEqual({
    ...{ code: 1, out: '' },
    complaints: 'kitsync: --head 1: the history begins behind it, so nobody can compare it\n',
  });
});

test('verify asks for key and collection where the first change is not signed', async () => {
  const file = ['--file', fileOf('log', { changes: log })];
  const { code, out } = await run('verify', 'others', ...file, ...KEYS);
  expect([code, out.split('\n')[1]]).toEqual([
    1,
    'nothing of it is signed: is it the log of others, and this the key of its user?',
  ]);
});

test('log prints what changed, as far as it is proven', async () => {
  const things = logOf('things', [
    ['a', '{"id":"one"}'],
    ['a', null],
  ]);
  const file = ['--file', fileOf('things', things)];
  const lines = '1 unknown a {"id":"one"}\n2 unknown a deleted\n';
  expect(await run('log', 'things', ...file, ...KEYS)).toEqual({
    code: 0,
    out: lines,
    complaints: '',
  });
  const { out } = await run('log', 'things', ...file, ...KEYS, '--json');
  expect(out.split('\n', 2).map((line) => JSON.parse(line).action)).toEqual(['set', 'delete']);
  const forged = ['--file', fileOf('forged', [things[0], { ...things[1], key: 'b' }])];
  const broken = await run('log', 'things', ...forged, ...KEYS);
  expect([broken.code, broken.out]).toEqual([1, '1 unknown a {"id":"one"}\n']);
  expect(broken.complaints).toMatch(/^kitsync: violation: bad-changeid, index 1, seqnum 2\n/);
});

test('help and complaints', async () => {
  expect((await run('--help')).out).toMatch(/^Usage: kitsync picl verify/);
  const { code, complaints } = await run('verify');
  expect([code, complaints]).toEqual([2, expect.stringMatching(/^kitsync: COLLECTION/)]);
});
