// The device is one that answers from lists. What the account holds is read from its servers' own
// store, so a list that was not changed is right.

import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStorage } from '../platform/memory/storage.ts';
import {
  AT_FIRST,
  compareAll,
  compareSample,
  compareWithClient,
  countOf,
  ownOf,
} from './checks.ts';
import type { Login, Page } from './expected.ts';
import type { Part } from './part.ts';
import { loadProfile } from './profiles.ts';
import { FIRST } from './remote.ts';
import { serverBodies, serverHoldings } from './server-records.ts';
import { syntheticAccount } from './servers/synthetic.ts';

type Run = Parameters<typeof compareAll>[0];
type Body = Readonly<Record<string, unknown>> & { readonly guid?: string };

const NOW_MS = Date.UTC(2026, 10, 2);
const account = syntheticAccount({
  ...{ records: 5, seed: 1, passwords: 2 },
  own: new Map([['org.example.notes', 2]]),
});
const COLLECTIONS = ['history', 'passwords', 'org.example.notes', 'clients'];

/** What the device lists, by collection. */
let held: Map<string, Body[]>;
let part: Part;

beforeEach(() => {
  const { history, logins } = serverHoldings(account, NOW_MS);
  held = new Map<string, Body[]>([
    ['history', [...history] as unknown as Body[]],
    ['passwords', [...logins] as unknown as Body[]],
    ['org.example.notes', serverBodies(account, 'org.example.notes', NOW_MS)],
  ]);
  part = {
    ...{ remote: { address: FIRST, view: async () => account }, collections: COLLECTIONS },
    ...{ problems: [], compared: [], reported: [], quarantine: [], holdings: null, others: {} },
    records: { history: { held: 5, quarantined: 0, pushed: 0 } },
  } as unknown as Part;
});

function runOf(historyRecordsMax = 100): Run {
  const profile = loadProfile('panasonic-cx700');
  const command = async (name: string, { collection = '', id = '' }) => {
    const records = held.get(collection) ?? [];
    if (name === 'list') return { records, next: null };
    return { record: records.find(({ guid }) => guid === id) ?? null };
  };
  const device = { command, stored: () => new MemoryStorage() };
  return {
    options: { profile: { ...profile, agent: { ...profile.agent, historyRecordsMax } } },
    setup: { device, nowMs: () => NOW_MS },
  } as unknown as Run;
}

function change(collection: string, at: number, members: object): void {
  const records = held.get(collection) ?? [];
  records[at] = { ...records[at], ...members };
}

it('counts in words', () => {
  expect([countOf(0, 'key'), countOf(1, 'key'), countOf(['a', 'b'], 'key')]).toEqual([
    ...['0 keys', '1 key', '2 keys'],
  ]);
});

it('takes for the collections of apps all but what has comparisons of its own', () => {
  expect(ownOf(part)).toEqual(['org.example.notes']);
});

describe('all that is held, with the servers', () => {
  const compare = async (run = runOf()) => {
    await compareAll(run, part, account, AT_FIRST);
    return [part.compared, part.problems];
  };
  const NOTHING = 'what the server held when the run began: 0 differences';

  it('is right where it is what they hold', async () => {
    expect(await compare()).toEqual([[NOTHING], []]);
  });

  it('names each record that is another, or missing, in each collection', async () => {
    change('history', 0, { title: 'another' });
    held.get('passwords')?.pop();
    change('org.example.notes', 1, { more: 1 });
    const [compared, problems = []] = await compare();
    expect(compared).toEqual(['what the server held when the run began: 3 differences']);
    expect(problems).toEqual([
      expect.stringMatching(/^after the first sync, page .+: title differ$/),
      expect.stringMatching(/^after the first sync, login .+: the server has it, the device does/),
      expect.stringMatching(/^after the first sync, org\.example\.notes record .+: more differ$/),
    ]);
  });

  it('leaves out the collections that the remote has no part in', async () => {
    held.set('passwords', []);
    part.collections = ['history'];
    expect(await compare()).toEqual([[NOTHING], []]);
  });

  it('takes what was read before rather than asking again', async () => {
    part.holdings = serverHoldings(account, NOW_MS);
    part.others = { 'org.example.notes': serverBodies(account, 'org.example.notes', NOW_MS) };
    held.clear();
    expect(await compare()).toEqual([[NOTHING], []]);
  });

  it('may lack pages where the device is full', async () => {
    held.get('history')?.pop();
    expect((await compare(runOf(4)))[1]).toEqual([]);
    expect((await compare(runOf(5)))[1]).toHaveLength(1);
  });

  it('passes over what others have changed since, in either form', async () => {
    const before = syntheticAccount({ records: 5, seed: 1, passwords: 2, newestMs: NOW_MS });
    change('history', 0, { title: 'another' });
    await compareAll(runOf(), { ...part, collections: ['history'] }, before, AT_FIRST);
    expect(part.problems).toEqual([]);
  });
});

describe("all that is held, with what the account's client says", () => {
  const compare = (history: readonly Page[], logins: readonly Login[]) =>
    compareWithClient(runOf(), part, { history, logins, notOnServer: new Set() });

  it('is right where that is what it says, and a difference is named', async () => {
    const { history, logins } = serverHoldings(account, NOW_MS);
    await compare(history, logins);
    expect(part.problems).toEqual([]);
    await compare(history.slice(1), logins);
    expect(part.compared).toEqual([
      "what the account's own client says: 0 differences",
      "what the account's own client says: 1 difference",
    ]);
    expect(part.problems[0]).toMatch(/^after the first sync, page .+: only the device has it$/);
  });
});

describe('a sample of what is held', () => {
  const compare = async (run = runOf()) => {
    await compareSample(run, part, account);
    return part.problems;
  };

  it('is right where each page is as on the server, and there are as many', async () => {
    expect(await compare()).toEqual([]);
    expect(part.compared).toEqual(['a sample of 5 pages on the server: 0 differences']);
  });

  it('names a page that is another, and one that is missing', async () => {
    change('history', 0, { title: 'another' });
    held.get('history')?.pop();
    expect(await compare()).toEqual([
      expect.stringMatching(/^in the end, page .+: title$/),
      expect.stringMatching(/^in the end, page .+: missing$/),
    ]);
  });

  it('counts what is held, but for what is set aside', async () => {
    part.records = { history: { held: 4, quarantined: 1, pushed: 0 } };
    expect(await compare()).toEqual(['the device holds 4 pages of 5 on the server']);
    part.quarantine = [{ collection: 'history', id: 'gone', code: 'badMac' }];
    part.problems.length = 0;
    expect(await compare()).toEqual([]);
  });

  it('may hold fewer where the device is full, and never more than it may', async () => {
    held.get('history')?.pop();
    part.records = { history: { held: 4, quarantined: 0, pushed: 0 } };
    expect(await compare(runOf(4))).toEqual([]);
    expect(await compare(runOf(3))).toEqual(['the device holds 4 pages of 5 on the server']);
  });

  it('sets aside nothing that proves itself', async () => {
    const [{ guid = '' } = {}] = held.get('history') ?? [];
    part.quarantine = [{ collection: 'history', id: guid, code: 'badMac' }];
    part.records = { history: { held: 4, quarantined: 1, pushed: 0 } };
    expect(await compare()).toEqual([
      `history ${guid}: set aside (badMac), although it proves itself`,
    ]);
  });
});
