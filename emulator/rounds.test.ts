import { beforeEach, describe, expect, it, test } from 'vitest';
import { CommandError } from './device/device.ts';
import type { PassReport } from './ledger.ts';
import { type Part, SIGNED_OUT } from './part.ts';
import { type Off, syncRound } from './rounds.ts';
import type { Run } from './run.ts';

const GOOD = { ok: true, error: null } as PassReport;
const failed = (code: string) =>
  ({ ok: false, error: { code, message: 'so' } }) as unknown as PassReport;

let commands: string[];
let said: string[];
let idled: number[];
let parts: Part[];

/** A remote whose passes end like this, one after the other; then well. */
function partOf(name: string, more: Partial<Part> = {}): Part {
  return {
    ...{ remote: { name, address: name, isOff: false }, problems: [], state: 'disabled' },
    ...{ hasSynced: false, last: null },
    ...more,
  } as unknown as Part;
}

/** `passes`: how those of each remote end; `notBeforeMs`: what the device waits for. */
function runOf(
  passes: { [name: string]: PassReport[] },
  notBeforeMs: number | null = null,
  all: ((parts: readonly Part[]) => void) | null = null,
): Run {
  const command = async (name: string, input: { remote?: string }) => {
    const remote = input.remote ?? (parts.length === 1 ? parts[0]?.remote.name : undefined);
    commands.push(`${name} ${input.remote ?? ''}`.trim());
    if (name === 'status') return { notBeforeMs, remotes: { work: { notBeforeMs } } };
    if (remote === undefined) return all?.(parts);
    return passes[remote]?.shift() ?? GOOD;
  };
  return {
    parts,
    problems: [],
    say: (text: string) => said.push(text),
    named: (_: Part, line: string) => line,
    ledger: { beginPass: () => undefined },
    setup: {
      nowMs: () => 1_000,
      device: { command, idle: async (ms: number) => idled.push(ms) },
    },
  } as unknown as Run;
}

beforeEach(() => {
  commands = [];
  said = [];
  idled = [];
  parts = [partOf('first')];
});
const first = (): Part => parts[0] as Part;

describe('a sync of one remote', () => {
  it('enables it the first time, and syncs it after that', async () => {
    await syncRound(runOf({}), 1, []);
    await syncRound(runOf({}), 2, []);
    expect([commands, first().problems]).toEqual([['enable', 'sync'], []]);
  });

  it('is tried again when it failed, five times at most', async () => {
    await syncRound(runOf({ first: [failed('offline'), failed('server')] }), 1, []);
    expect([commands, first().problems]).toEqual([['enable', 'sync', 'sync'], []]);
    const often = Array.from({ length: 9 }, () => failed('offline'));
    await syncRound(runOf({ first: often }), 2, []);
    expect(commands).toHaveLength(3 + 5);
    expect(first().problems).toEqual(['the sync failed: offline, so']);
  });

  test.each(['signedOut', 'unverified', 'keyMismatch', 'noSyncData', 'clientTooOld'])(
    'is not tried again after %s',
    async (code) => {
      await syncRound(runOf({ first: [failed(code)] }), 1, []);
      expect([commands, first().problems]).toEqual([['enable'], [`the sync failed: ${code}, so`]]);
    },
  );

  it('waits as the device is told to, for a day at most, and not for what is over', async () => {
    const backoff = () => ({ first: [failed('backoff')] });
    await syncRound(runOf(backoff(), 6_000), 1, []);
    await syncRound(runOf(backoff(), 1_000), 1, []);
    await syncRound(runOf(backoff(), null), 1, []);
    await syncRound(runOf(backoff(), 1e12), 1, []);
    expect(idled).toEqual([5_000, 24 * 3_600_000]);
  });

  it('is over for one that was signed out of', async () => {
    first().state = SIGNED_OUT;
    await syncRound(runOf({}), 3, []);
    expect(commands).toEqual([]);
  });
});

describe('a remote that is switched off', () => {
  const off: Off[] = [{ name: 'first', rounds: [2] }];

  it('is so in the syncs that are named, and said once', async () => {
    await syncRound(runOf({}), 1, off);
    expect([first().remote.isOff, said]).toEqual([false, []]);
    await syncRound(runOf({ first: [failed('offline')] }), 2, off);
    expect([first().remote.isOff, said]).toEqual([true, ['first is switched off']]);
    await syncRound(runOf({}), 3, off);
    expect(said).toEqual(['first is switched off', 'first is switched on']);
    expect(first().problems).toEqual([]);
  });

  test.each(['offline', 'backoff'])('may fail with %s, and is not tried again', async (code) => {
    await syncRound(runOf({ first: [failed(code)] }), 2, off);
    expect([commands, first().problems]).toEqual([['enable'], []]);
  });

  it('may neither succeed nor fail for another reason', async () => {
    await syncRound(runOf({ first: [GOOD] }), 2, off);
    await syncRound(runOf({ first: [failed('server')] }), 2, off);
    expect(first().problems).toEqual([
      'it was switched off, and synced all the same',
      'it was switched off: server',
    ]);
  });
});

describe('a sync of several remotes', () => {
  beforeEach(() => {
    parts = [partOf('first'), partOf('work')];
  });
  /** The one call for all, in which each has such a pass. */
  const passing = (lasts: { [name: string]: PassReport }) => (all: readonly Part[]) => {
    for (const part of all) part.last = lasts[part.remote.name] ?? null;
  };

  it('is one call for all, and one more for each that has not ended well', async () => {
    const all = passing({ first: GOOD, work: failed('offline') });
    await syncRound(runOf({}, null, all), 1, []);
    expect(commands).toEqual(['enable', 'enable work']);
    expect(parts.map(({ hasSynced }) => hasSynced)).toEqual([true, true]);
    commands.length = 0;
    await syncRound(runOf({}, null, passing({ first: GOOD, work: GOOD })), 2, []);
    expect(commands).toEqual(['sync']);
  });

  it('asks each by itself where the call fails for one of them', async () => {
    const refused = () => {
      throw new CommandError('enable', { error: 'unavailable', text: '{}' } as never);
    };
    await syncRound(runOf({}, null, refused), 2, []);
    expect(commands).toEqual(['sync', 'enable first', 'enable work']);
    const broken = () => {
      throw new Error('a fault of the emulator');
    };
    await expect(syncRound(runOf({}, null, broken), 2, [])).rejects.toThrow('a fault');
  });

  it('waits for each as it is told for that one', async () => {
    const all = passing({ first: GOOD, work: failed('backoff') });
    await syncRound(runOf({ work: [failed('backoff')] }, 6_000, all), 2, []);
    expect(idled).toEqual([5_000]);
  });

  it('leaves one alone that was signed out of, which must not sync', async () => {
    (parts[1] as Part).state = SIGNED_OUT;
    await syncRound(runOf({}, null, passing({ first: GOOD })), 3, []);
    expect([commands, parts[1]?.problems]).toEqual([['sync'], []]);
    await syncRound(runOf({}, null, passing({ first: GOOD, work: GOOD })), 3, []);
    expect(parts[1]?.problems).toEqual(['it was signed out, and synced']);
  });
});
