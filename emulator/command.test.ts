import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'kitsync-command-'));
let out = '';
let complaints = '';

beforeEach(() => {
  out = '';
  complaints = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    complaints += text;
    return true;
  });
  vi.spyOn(console, 'log').mockImplementation((text) => {
    out += `${text}\n`;
  });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true }));

describe('a command goes to the part that has it', () => {
  it.each([
    [[], /^Usage: kitsync <command>/],
    [['help'], /^Usage: kitsync <command>/],
    [['-h'], /^Usage: kitsync <command>/],
    [['emulate', '--help'], /--fault|--cuts?/],
    [['help', 'serve'], /--port/],
    [['profiles'], /panasonic-cx700/],
    [['build', '-h'], /--budget BYTES/],
    [['help', 'build'], /--budget BYTES/],
    [['gateway', '--help'], /gateway/],
    [['help', 'gateway'], /gateway/],
    [['help', 'sync'], /^Usage: kitsync sync/],
  ])('%j', async (args, text) => {
    expect([await main(args), complaints]).toEqual([0, '']);
    expect(out).toMatch(text);
  });

  it('with its options: one that has no data says so by its own name', async () => {
    expect(await main(['status', '--data', join(folder, 'none')])).toBeGreaterThan(0);
    expect(complaints).toContain(join(folder, 'none'));
  });

  it('and what no part has is refused with 2, with a help asked for as well', async () => {
    for (const args of [['bogus'], ['bogus', '--help'], ['help', 'bogus']]) {
      complaints = '';
      expect([await main(args), out]).toEqual([2, '']);
      expect(complaints).toMatch(/^kitsync: unknown command "bogus".*\n$/);
    }
  });

  it('but a version is told before anything else', async () => {
    expect(await main(['bogus', '--nonsense', '--version'])).toBe(0);
    expect(out).toMatch(/^kitsync \d+\.\d+\.\d+\n$/);
  });

  it('unless it is a word behind --', async () => {
    expect(await main(['bogus', '--', '--version'])).toBe(2);
  });
});

describe('an output that takes no more', () => {
  const failed = (code: string): Error => Object.assign(new Error(code), { code });
  const exits = () => vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never);

  it('ends the process with 1 and one line that says why', async () => {
    await main(['--version']);
    const exit = exits();
    process.stdout.emit('error', failed('ENOSPC'));
    expect(exit.mock.calls).toEqual([[1]]);
    expect(complaints).toMatch(/^kitsync: cannot write .+: the disk is full\n$/);
  });

  it('ends it without a word where the reader has seen enough', async () => {
    await main(['--version']);
    const exit = exits();
    process.stdout.emit('error', failed('EPIPE'));
    expect([exit.mock.calls, complaints]).toEqual([[[1]], '']);
  });

  it('is no matter where it is that of the complaints', async () => {
    await main(['--version']);
    const exit = exits();
    expect(process.stderr.emit('error', failed('EPIPE'))).toBe(true);
    expect(exit).not.toHaveBeenCalled();
  });

  it('is listened to once, however often commands are run', async () => {
    const counts = () => [process.stdout, process.stderr].map((to) => to.listenerCount('error'));
    await main(['--version']);
    const before = counts();
    await main(['--version']);
    expect(counts()).toEqual(before);
  });
});
