// A record was changed here, and the server has a version of it that the account's keys prove and
// whose form this build does not know: neither is lost, and both become one when either side, or
// the build, changes.

import { describe, expect, test } from 'vitest';
import type { WorldOptions } from '../../emulator/servers/world.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { type SecondDevice, secondDevice } from '../../test/sim/second-device.ts';
import {
  corpusAccount,
  type DeviceOptions,
  type TestDevice,
  type TestServers,
  testServers,
  userOf,
} from '../../test/support/device.ts';
import { FULL, fullDevice } from '../../test/support/everything.ts';
import { addresses } from '../collections/addresses.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { PUSH_TRIES_MAX, QUARANTINE_MAX } from '../limits.ts';
import { UNKNOWN_FORM } from '../store/record.ts';

const ID = 'AAAAAAAAAAAA';
const PASSES = 8;
const WRITES = FULL.collections.map(({ name }) => `record_${name}_put_enabled`);
const ok = { ok: true, error: null };

interface Case {
  readonly known: Body;
  /** What another client makes of it. */
  readonly unknown: Body;
  /** An edit on this device. */
  readonly edit: Body;
}

const PAGE = { histUri: 'https://a.test/', title: 'a', visits: [{ date: 1.795e15, type: 1 }] };
const LOGIN = { hostname: 'https://a.test', formSubmitURL: 'https://a.test', password: 'p' };
const STORED = { extId: 'a@test', data: '{"k":1}' };

const CASES: Readonly<Record<string, Case>> = {
  addresses: {
    known: { entry: { version: 1, name: 'Ann' } },
    unknown: { entry: { version: 2, fullName: { given: 'Ann' } } },
    edit: { name: 'Anna' },
  },
  history: {
    known: PAGE,
    unknown: { ...PAGE, visits: { packed: 'AAEC' } },
    edit: { title: 'mine', visits: [] },
  },
  passwords: {
    known: LOGIN,
    unknown: { ...LOGIN, password: { sealed: 'x' } },
    edit: { password: 'mine' },
  },
  forms: {
    known: { name: 'q', value: 'a' },
    unknown: { name: 'q', value: ['a'] },
    edit: { value: 'mine' },
  },
  'extension-storage': {
    known: STORED,
    unknown: { ...STORED, data: { k: 1 } },
    edit: { set: { k: 'mine' } },
  },
};

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

interface Story {
  readonly servers: TestServers;
  readonly other: SecondDevice;
  readonly device: TestDevice;
  readonly collection: string;
  readonly case_: Case;
}

/**
 * The engines that the account lacks are listed, and every collection can be written over both
 * protocols.
 */
function startServers(options: Partial<WorldOptions> = {}): TestServers {
  const servers = testServers(corpusAccount(), { syncto: { enabled: WRITES }, ...options });
  const [user] = servers.world.store.users.values();
  const bso = user?.collections.get('meta')?.get('global', servers.nowMs);
  const meta = JSON.parse(bso?.payload ?? '');
  meta.engines['extension-storage'] = { version: 1, syncID: 'abc' };
  user?.write('meta', [{ id: 'global', payload: JSON.stringify(meta) }], servers.nowMs);
  return servers;
}

function later({ servers, device }: Pick<Story, 'servers' | 'device'>, byMs: number): void {
  servers.nowMs += byMs;
  device.platform.time.set(servers.nowMs);
}

async function pass(story: Pick<Story, 'servers' | 'device'>): Promise<void> {
  later(story, 1_000);
  expect(await story.device.agent.sync()).toMatchObject(ok);
}

/** The device holds the known form; then the server gets the other one, and the device its edit. */
async function started(collection: string, options: DeviceOptions): Promise<Story> {
  const case_ = CASES[collection] as Case;
  const servers = startServers();
  const other = secondDevice(servers);
  other.put(collection, { id: ID, ...case_.known });
  const dated = async (request: Request): Promise<Response> => {
    const answer = await servers.world.fetch(request);
    answer.headers.set('Date', new Date(servers.nowMs).toUTCString());
    return answer;
  };
  const own = { identity: userOf(servers), fetch: dated };
  const device = await fullDevice(servers, { ...own, ...options });
  expect(await device.agent.enable()).toMatchObject(ok);
  servers.nowMs += 1_000;
  other.put(collection, { id: ID, ...case_.unknown });
  await device.agent.put(collection, { id: ID, ...case_.edit });
  return { servers, other, device, collection, case_ };
}

/** The same device with another build of addresses. */
async function updated(story: Story, options: DeviceOptions, build: Collection): Promise<Story> {
  const collections = FULL.collections.map((each) => (each === addresses ? build : each));
  const own = { identity: userOf(story.servers), contents: { ...FULL, collections } };
  return { ...story, device: await fullDevice(story.servers, { ...options, ...own }) };
}

const statusOf = ({ device, collection }: Story) => device.agent.status().collections[collection];
const eventsOf = ({ device }: Story) => device.platform.events.map((text) => JSON.parse(text));

describe.each(['syncto', 'sync15'] as const)('over %s', (protocol) => {
  describe.each(Object.keys(CASES))('a record of %s whose form is not known', (collection) => {
    test('is never replaced, however often and whatever is edited here', async () => {
      const story = await started(collection, { protocol });
      const { device, other, case_ } = story;
      for (let count = 0; count < PASSES; count++) {
        await pass(story);
        if (count % 3 === 2) await device.agent.put(collection, { id: ID, ...case_.edit });
      }
      expect(other.get(collection, ID)).toEqual({ id: ID, ...case_.unknown });
      expect(JSON.stringify(await device.agent.get(collection, ID))).toMatch(/mine|Anna/);
      const set = { pending: 1, quarantined: 1, unknownForm: 1 };
      expect(statusOf(story)).toMatchObject(set);
      const told = { kind: 'quarantine', collection, id: ID, code: UNKNOWN_FORM };
      expect(eventsOf(story)).toContainEqual(told);
    });

    test('is not deleted by a deletion here', async () => {
      const story = await started(collection, { protocol });
      await story.device.agent.delete(collection, ID);
      for (let count = 0; count < PASSES; count++) await pass(story);
      expect(story.other.get(collection, ID)).toEqual({ id: ID, ...story.case_.unknown });
      expect(statusOf(story)).toMatchObject({ pending: 1, unknownForm: 1 });
    });

    test('becomes one with the edit when another client writes the known form again', async () => {
      const story = await started(collection, { protocol });
      const { device, other, case_ } = story;
      for (let count = 0; count < PASSES; count++) await pass(story);
      other.put(collection, { id: ID, ...case_.known, later: 1 });
      later(story, 60_000);
      // Younger than what the server has: some collections ask for that.
      await device.agent.put(collection, { id: ID, ...case_.edit, title: 'mine too' });
      await pass(story);
      expect(other.get(collection, ID)).toMatchObject({ later: 1 });
      expect(JSON.stringify(other.get(collection, ID))).toMatch(/mine|Anna/);
      const none = { pending: 0, quarantined: 0, unknownForm: 0 };
      expect(statusOf(story)).toMatchObject(none);
    });
  });

  test.each<[string, Body]>([
    ['nests deeper than a device can follow', { x: 'x'.repeat(20_000), deep: nested(40) }],
    [
      'has more values than a small heap holds',
      { many: Array.from({ length: 25_000 }, () => ({})) },
    ],
  ])('a record that %s is not replaced either, and stops nothing', async (_, more) => {
    const story = await started('history', { protocol });
    const { device, other } = story;
    const theirs = { id: ID, ...PAGE, ...more };
    other.put('history', theirs);
    for (let count = 0; count < PASSES; count++) await pass(story);
    expect(other.get('history', ID)).toEqual(theirs);
    expect(await device.agent.get('history', ID)).toMatchObject({ title: 'mine' });
    const told = { kind: 'quarantine', collection: 'history', id: ID, code: 'tooLarge' };
    expect(eventsOf(story)).toContainEqual(told);
  });

  test('a version that proves nothing is replaced at the third try, not before', async () => {
    const story = await started('history', { protocol });
    const { servers, other, device } = story;
    const [user] = servers.world.store.users.values();
    const forged = '{"ciphertext":"AAAA","IV":"AAAAAAAAAAAAAAAAAAAAAA==","hmac":"00"}';
    user?.write('history', [{ id: ID, payload: forged }], servers.nowMs);
    for (let count = 1; count < PUSH_TRIES_MAX; count++) {
      later(story, 3_600_000);
      expect(await device.agent.sync()).toMatchObject({ error: { code: 'unavailable' } });
      expect(() => other.get('history', ID)).toThrow();
    }
    later(story, 3_600_000);
    await device.agent.sync();
    expect(other.get('history', ID)).toMatchObject({ title: 'mine' });
    expect(statusOf(story)).toMatchObject({ pending: 0, quarantined: 0 });
  });

  test('a build that knows the form takes it in at its next pass, reading no more', async () => {
    const storage = new MemoryStorage();
    const story = await started('addresses', { protocol, storage });
    for (let count = 0; count < 3; count++) await pass(story);
    const boot = (build: Collection) => updated(story, { protocol, storage }, build);
    // One that knows another form, but not this one, loses sight of nothing.
    const second = await boot({ ...addresses, form: 1 });
    await pass(second);
    expect(statusOf(second)).toMatchObject({ pending: 1, unknownForm: 1 });
    const third = await boot(addressesOfForm2);
    later(third, 1_000);
    const report = await third.device.agent.sync();
    expect(report).toMatchObject(ok);
    expect(report.collections.addresses).toMatchObject({ pulled: 1, pushed: 1 });
    expect(statusOf(third)).toMatchObject({ pending: 0, quarantined: 0, unknownForm: 0 });
    expect(story.other.get('addresses', ID)).toMatchObject({ entry: { version: 2, name: 'Anna' } });
  });

  test('what a newer build has taken in is not changed by an older one', async () => {
    const storage = new MemoryStorage();
    const story = await started('addresses', { protocol, storage });
    const boot = (build: Collection) => updated(story, { protocol, storage }, build);
    await pass(await boot(addressesOfForm2));
    const theirs = story.other.get('addresses', ID);
    expect(theirs).toMatchObject({ entry: { version: 2, name: 'Anna' } });
    const older = await boot(addresses);
    const edit = older.device.agent.put('addresses', { id: ID, name: 'Annie' });
    await expect(edit).rejects.toMatchObject({ code: 'clientTooOld' });
    expect(await older.device.agent.get('addresses', ID)).toMatchObject({ name: 'Anna' });
    for (let count = 0; count < 4; count++) await pass(older);
    expect(story.other.get('addresses', ID)).toEqual(theirs);
  });
});

/** Addresses of a later build: it knows the second version of an entry, too. */
const addressesOfForm2: Collection = {
  ...addresses,
  form: 2,
  check: (body) => addresses.check({ ...body, entry: { ...(body.entry as Body), version: 1 } }),
  merge({ local, incoming }) {
    const theirs = incoming.body;
    if (!local?.body || !theirs) return { mirror: theirs && 'asIs', local: 'none' };
    const entry = { ...(local.body.entry as Body), ...(theirs.entry as Body) };
    return { mirror: 'asIs', local: { ...theirs, entry } };
  },
};

test('past the marks that are kept an edit replaces no version that was not read', async () => {
  const servers = startServers();
  const other = secondDevice(servers);
  other.put('forms', { id: ID, ...CASES.forms?.known });
  const device = await fullDevice(servers, { identity: userOf(servers) });
  await device.agent.enable();
  const unknown = { name: 'q', value: ['a'] };
  for (let count = 0; count < QUARANTINE_MAX; count++) {
    other.put('forms', { id: `odd${count}`, ...unknown });
  }
  servers.nowMs += 1_000;
  for (const id of [ID, 'unheld']) other.put('forms', { id, ...unknown });
  await pass({ servers, device });
  await device.agent.put('forms', { id: ID, value: 'mine' });
  await device.agent.put('forms', { id: 'unheld', name: 'q', value: 'mine too' });
  await device.agent.put('forms', { id: 'new', name: 'q', value: 'new' });
  for (let count = 0; count < 4; count++) await pass({ servers, device });
  for (const id of [ID, 'unheld']) expect(other.get('forms', id)).toEqual({ id, ...unknown });
  expect(other.get('forms', 'new')).toMatchObject({ value: 'new' });
  expect(device.agent.status().collections.forms).toMatchObject({ pending: 2 });
});
