// The device answers as it is told to; it holds nothing, so that what is looked at is how it says
// that it stands.

import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../platform/memory/storage.ts';
import { look, signOutOf } from './look.ts';
import { type Part, SIGNED_OUT } from './part.ts';
import { loadProfile } from './profiles.ts';
import { FIRST } from './remote.ts';
import type { Run } from './run.ts';
import { syntheticAccount } from './servers/synthetic.ts';

const account = syntheticAccount({ records: 0, seed: 1, passwords: 0 });
const GOOD = { state: 'enabled', account: 'a', error: null as null | { code: string } };

let status: object;
let keys: string[];
let passes: object[];
let commands: string[];
beforeEach(() => {
  status = { ...GOOD, collections: {} };
  [keys, passes, commands] = [[], [], []];
});

function partOf(address: string, more: object = {}): Part {
  return {
    remote: { address, name: address, isOff: false, servers: {}, view: async () => account },
    ...{ collections: ['history'], problems: [], compared: [], reported: [], records: {} },
    ...{ state: 'syncing', others: {}, itself: null, holdings: null, before: account },
    ...more,
  } as unknown as Part;
}

function runOf(...parts: Part[]): Run {
  const command = async (name: string, input: object) => {
    commands.push(`${name} ${JSON.stringify(input)}`);
    if (name === 'status') return status;
    return name === 'devices' ? { devices: [{}, {}] } : { records: [], next: null };
  };
  const entries = keys.map((key): [string, string] => [key, '']);
  const stored = () => new MemoryStorage(entries);
  const device = { command, stored, idle: async () => undefined };
  return {
    ...{ parts, ledger: { passes }, say: () => undefined },
    options: { profile: loadProfile('panasonic-cx700') },
    setup: { device, nowMs: () => 0 },
  } as unknown as Run;
}

const holding = (held: number, pending = 0, quarantined = 0) => ({
  history: { held, pending, quarantined },
});
const pushing = (remote: string, pushed: number, name = 'history') => ({
  ...{ remote, collections: { [name]: { pushed } } },
});

describe('the last look at a remote', () => {
  it('tells its state, its error and its counters, with what was sent to it alone', async () => {
    status = { ...GOOD, error: { code: 'offline' }, collections: holding(3) };
    passes = [pushing(FIRST, 2), pushing('work', 9), pushing(FIRST, 1), pushing(FIRST, 5, 'tabs')];
    const part = partOf(FIRST);
    await look(runOf(part), { compare: 'none' });
    expect(part).toMatchObject({
      ...{ state: 'enabled', error: 'offline', problems: [] },
      records: { history: { held: 3, quarantined: 0, pushed: 3 } },
    });
  });

  it('takes what the device says of that one, where it has several', async () => {
    const work = { ...GOOD, state: 'disabled', collections: {} };
    status = { ...GOOD, collections: {}, remotes: { work } };
    const parts = [partOf(FIRST), partOf('work')];
    await look(runOf(...parts), { compare: 'none' });
    expect(parts.map(({ state }) => state)).toEqual(['enabled', 'disabled']);
  });

  it('is none at one that was signed out of', async () => {
    await look(runOf(partOf(FIRST, { state: SIGNED_OUT })), {});
    expect(commands).toEqual([]);
  });

  it('finds records that are counted in quarantine and not there, and changes unsent', async () => {
    status = { ...GOOD, collections: holding(3, 1, 2) };
    const part = partOf(FIRST);
    await look(runOf(part), { compare: 'none' });
    expect(part.problems).toEqual([
      'history: 2 counted in quarantine, 0 are there',
      'history: 1 change never reached the server',
    ]);
  });

  it('compares nothing with one that is off and behind, whose changes may wait', async () => {
    const part = partOf(FIRST, { hasSynced: true });
    part.remote.isOff = true;
    await look(runOf(part), {});
    expect(part.compared).toEqual(['what the server holds in the end: 0 differences']);
    part.compared.length = 0;
    status = { ...GOOD, collections: holding(0, 1) };
    await look(runOf(part), {});
    expect([part.compared, part.problems]).toEqual([['nothing: it was switched off'], []]);
    status = { ...GOOD, collections: {} };
    part.hasSynced = false;
    await look(runOf(part), {});
    expect(part.compared.slice(1)).toEqual(['nothing: it was switched off']);
  });

  it('compares a sample with the first remote only, and all with the others', async () => {
    const parts = [partOf(FIRST), partOf('work')];
    await look(runOf(...parts), { compare: 'sample' });
    expect(parts.map(({ compared }) => compared[0])).toEqual([
      'a sample of 0 pages on the server: 0 differences',
      'what the server holds in the end: 0 differences',
    ]);
  });

  it('asks the first for its devices, and misses the device where it is not listed', async () => {
    passes = [pushing(FIRST, 1, 'clients'), pushing('work', 2, 'clients')];
    const parts = [partOf(FIRST), partOf('work')];
    await look(runOf(...parts), { compare: 'none' });
    expect(parts.map(({ itself }) => [itself?.others, itself?.pushed])).toEqual([
      [2, 1],
      [null, 2],
    ]);
    expect(parts[0]?.problems).toEqual(['the account lists the device 0 times']);
  });
});

describe('signing out', () => {
  const signOut = async (part: Part, ...others: Part[]) => {
    await signOutOf(runOf(part, ...others), part);
    return part.problems;
  };
  const OUT = { state: 'disabled', account: null, error: null, collections: {} };

  it('leaves nothing but that nobody is signed in, and what is of other remotes', async () => {
    status = OUT;
    keys = ['s', 't', ':work:h.r.a'];
    const part = partOf(FIRST);
    expect(await signOut(part)).toEqual([]);
    expect([part.state, commands[0]]).toEqual([SIGNED_OUT, 'disable {}']);
  });

  it('names the remote where there are several', async () => {
    status = OUT;
    keys = ['h.r.a', ':work:s'];
    expect(await signOut(partOf('work'), partOf(FIRST))).toEqual([]);
    expect(commands[0]).toBe('disable {"remote":"work"}');
  });

  it('finds who is still signed in, and what is still held', async () => {
    status = { ...GOOD, collections: holding(2, 0, 1) };
    keys = ['s', 'h.r.a'];
    const records = { history: { held: 9, quarantined: 0, pushed: 4 } };
    const part = partOf(FIRST, { records });
    expect(await signOut(part)).toEqual([
      'signed out, it is enabled',
      'signed out, it holds 2 records of history',
      'signed out, it has 1 key of it',
    ]);
    expect(part.records.history).toEqual({ held: 2, quarantined: 1, pushed: 4 });
  });
});
