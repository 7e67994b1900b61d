// An upload of 300 records, in one batch and in three, cut off between any two requests: requests
// get lost, answers get lost after the server has done what was asked, the power goes at every
// commit. After a reboot and one more pass every record was written on the server exactly once.

import { describe, expect, test } from 'vitest';
import type { User } from '../../emulator/servers/store.ts';
import { readAccount } from '../../emulator/servers/store-file.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import type { WorldOptions } from '../../emulator/servers/world.ts';
import { MemoryStorage, type StorageCut } from '../../platform/memory/storage.ts';
import { NetworkError } from '../../platform/web/fetch-network.ts';
import { NOW_MS, type TestServers, testServers } from '../support/device.ts';
import { disagreements } from './agreement.ts';
import { type Answer, deviceOn, freeze, freezeAccount, honest, sharedUser, thaw } from './lab.ts';
import { secondDevice } from './second-device.ts';
import { every } from './share.ts';

const NEW_RECORDS = 300;
const START = freezeAccount(
  syntheticAccount({ records: 10, seed: 4, bodyBytes: 160, passwords: 1 }),
);
const USER = sharedUser(START);
const OPTIONS = { protocol: 'sync15', identity: USER } as const;

/** A device with 300 changes that no server has seen, a third of them of records that are there. */
const { flash, frozen } = await (async () => {
  const servers = thaw(START);
  const { agent, memory } = deviceOn(servers, new MemoryStorage(), OPTIONS);
  await agent.start();
  await agent.enable();
  for (const guid of secondDevice(servers).ids('history')) {
    await agent.put('history', { guid, visits: [visit(0)] });
  }
  for (let n = 10; n < NEW_RECORDS; n++) {
    await agent.put('history', { url: `https://new.example/${n}`, visits: [visit(n)] });
  }
  return { flash: memory, frozen: freeze(servers) };
})();

function visit(n: number): object {
  return { date: (NOW_MS - 1_000_000 + n) * 1000, type: 1 };
}

function userOf({ world }: TestServers): User {
  return [...world.store.users.values()][0] as User;
}

interface Outcome {
  readonly requests: string[];
  readonly commits: number;
  /** How often each record was written on the server. */
  readonly writes: ReadonlyMap<string, number>;
  /** How often anything was. */
  readonly stamps: number;
  readonly complaints: string[];
  readonly batches: number;
}

interface Trouble {
  readonly answer?: (ask: Answer) => Answer;
  readonly cut?: StorageCut;
}

type Limits = Pick<WorldOptions, 'sync15'>;

/** The upload with that trouble, then a reboot and a pass without any. */
async function upload(trouble: Trouble = {}, limits: Limits = {}): Promise<Outcome> {
  const servers = testServers(readAccount(JSON.parse(frozen)), limits);
  const user = userOf(servers);
  const writes = new Map<string, number>();
  const write = user.write.bind(user);
  let stamps = 0;
  user.write = (name, changes, nowMs) => {
    const list = [...changes];
    stamps++;
    for (const { id } of list) writes.set(id, (writes.get(id) ?? 0) + 1);
    return write(name, list, nowMs);
  };
  const requests: string[] = [];
  const ask = honest(servers);
  const seen: Answer = (request, index) => {
    requests.push(`${request.method} ${request.url.replace(/.*\/1\.5(\/1)?/, '')}`);
    return ask(request, index);
  };
  const storage = flash.fork(trouble.cut);
  const first = deviceOn(servers, storage, { ...OPTIONS, answer: trouble.answer?.(seen) ?? seen });
  const cut = trouble.cut !== undefined;
  await first.agent.start();
  await (cut ? first.agent.sync().catch(() => undefined) : first.agent.sync());
  const asked = [...requests];
  const second = deviceOn(servers, storage.fork(), { ...OPTIONS, answer: seen, seed: 9 });
  await second.agent.start();
  const report = await second.agent.sync();
  const complaints = await disagreements(second.agent, secondDevice(servers));
  if (!report.ok) complaints.push(JSON.stringify(report.error));
  return {
    requests: asked,
    commits: storage.commits,
    writes,
    stamps,
    complaints,
    batches: requests.filter((line) => line.includes('batch=true')).length,
  };
}

function expectOnce({ writes, complaints }: Outcome, where: string): void {
  expect(complaints, where).toEqual([]);
  expect(writes.size, where).toBe(NEW_RECORDS);
  expect([...new Set(writes.values())], where).toEqual([1]);
}

const whole = await upload();

test('uncut, one batch stores 300 records', () => {
  expect(whole.requests).toEqual([
    'GET ',
    'GET /info/collections',
    'GET /info/configuration',
    'POST /storage/history?batch=true',
    ...Array(10).fill(expect.stringMatching(/^POST \/storage\/history\?batch=[\w%-]+$/)),
    expect.stringMatching(/^POST \/storage\/history\?batch=[\w%-]+&commit=true$/),
  ]);
  expect(whole.batches).toBe(1);
  expectOnce(whole, 'uncut');
});

const WAYS = [
  ['is lost', false],
  ['is done, its answer is lost', true],
] as const;

test.each(WAYS)(
  'request k %s, for every k, and the device goes off: once each',
  async (_what, isDone) => {
    for (const k of whole.requests.keys()) {
      const answer =
        (ask: Answer): Answer =>
        async (request, index) => {
          if (index < k) return ask(request, index);
          if (index === k && isDone) await ask(request, index);
          throw new NetworkError('truncated');
        };
      const outcome = await upload({ answer });
      const wasStored = isDone && k === whole.requests.length - 1;
      const wasOpened = k > 3 || (isDone && k === 3);
      expect(outcome.batches, `request ${k}`).toBe(wasOpened && !wasStored ? 2 : 1);
      expectOnce(outcome, `request ${k}`);
    }
  },
);

test.each(WAYS)('request k %s, and the same device goes on: once each', async (_what, isDone) => {
  for (let k = 0; k < whole.requests.length; k += every(5)) {
    const answer =
      (ask: Answer): Answer =>
      async (request, index) => {
        if (index !== k) return ask(request, index);
        if (isDone) await ask(request, index);
        throw new NetworkError('timeout');
      };
    expectOnce(await upload({ answer }), `request ${k}`);
  }
});

test('the power goes before and after every commit: once each', async () => {
  expect(whole.commits).toBeGreaterThan(1);
  for (let atCommit = 1; atCommit <= whole.commits; atCommit++) {
    for (const when of ['before', 'after'] as const) {
      expectOnce(await upload({ cut: { atCommit, when } }), `${when} commit ${atCommit}`);
    }
  }
});

describe('three batches', async () => {
  const limits = { sync15: { limits: { max_total_records: 100 } } };
  const all = await upload({}, limits);

  test('uncut, store 300 records under three stamps', () => {
    const posts = all.requests.filter((line) => line.startsWith('POST'));
    expect(posts.filter((line) => line.includes('commit=true'))).toHaveLength(3);
    expect([all.batches, all.stamps]).toEqual([3, 3]);
    expectOnce(all, 'uncut');
  });

  test.each(WAYS)('request k %s, for every k: once each', async (_what, isDone) => {
    for (let k = 0; k < all.requests.length; k += every(7)) {
      for (const goesOff of [true, false]) {
        const answer =
          (ask: Answer): Answer =>
          async (request, index) => {
            if (index < k || (index > k && !goesOff)) return ask(request, index);
            if (index === k && isDone) await ask(request, index);
            throw new NetworkError('truncated');
          };
        const outcome = await upload({ answer }, limits);
        expect(outcome.stamps).toBe(3);
        expectOnce(outcome, `request ${k}`);
      }
    }
  });

  test('the power goes before and after every commit: once each', async () => {
    for (let atCommit = 1; atCommit <= all.commits; atCommit += every(7)) {
      for (const when of ['before', 'after'] as const) {
        const outcome = await upload({ cut: { atCommit, when } }, limits);
        expectOnce(outcome, `${when} commit ${atCommit}`);
      }
    }
  });
});
