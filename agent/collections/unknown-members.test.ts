// What this build does not understand of a record is the user's all the same: whatever another
// client writes, at every depth that the format allows, is on the server after an edit on this
// device, and so is what that client changes of it meanwhile.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SecondDevice, secondDevice } from '../../test/sim/second-device.ts';
import {
  corpusAccount,
  type TestDevice,
  type TestServers,
  testServers,
  userOf,
} from '../../test/support/device.ts';
import { fullDevice } from '../../test/support/everything.ts';
import type { Body } from './collection.ts';

const RUNS = 12;
const DAY_MS = 86_400_000;
const VISIT = { date: 1_795_000_000_000_000, type: 1 };

/** What a client wrote that knows more than this build, by where it lies. */
interface Unknown {
  readonly outer: Body;
  readonly inner: Body;
  readonly any: unknown;
}

interface Case {
  /**
   * The record of a thing as the other client writes it, and where its parts are found in what is
   * on the server.
   */
  record(unknown: Unknown, name: string): Body;
  unknownOf(record: Body): Unknown;
  /** Known to this build, and to none of the above. */
  edit(round: number, id: string): Body;
  /** The edit has arrived. */
  isEdited(record: Body, round: number): boolean;
}

const first = (list: unknown): Body => (list as Body[])[0] ?? {};
const without = (body: unknown, ...names: string[]): Body =>
  Object.fromEntries(Object.entries(body as Body).filter(([name]) => !names.includes(name)));
const NONE = { inner: {}, any: null };

const CASES: Readonly<Record<string, Case>> = {
  history: {
    record: ({ outer, inner, any }, name) => ({
      ...outer,
      histUri: `https://${name}.test/`,
      title: 'a',
      visits: [{ ...inner, ...VISIT }, ...more(30), { kept: any }],
    }),
    unknownOf: (record) => ({
      outer: without(record, 'id', 'histUri', 'title', 'visits'),
      inner: without(
        (record.visits as Body[]).find(({ date }) => date === VISIT.date),
        'date',
        'type',
      ),
      any: (record.visits as Body[]).find(({ kept }) => kept !== undefined)?.kept,
    }),
    edit: (round) => ({ title: `${round}`, visits: [{ ...VISIT, date: VISIT.date - round }] }),
    isEdited: ({ title }, round) => title === `${round}`,
  },
  passwords: {
    record: ({ outer }, name) => ({
      ...outer,
      ...{ hostname: `https://${name}.test`, formSubmitURL: 'https://a.test', httpRealm: null },
      ...{ username: 'u', password: 'p', usernameField: '', passwordField: '' },
    }),
    unknownOf: (record) => ({ ...NONE, outer: without(record, 'id', ...LOGIN) }),
    edit: (round) => ({ password: `${round}` }),
    isEdited: ({ password }, round) => password === `${round}`,
  },
  forms: {
    record: ({ outer }, name) => ({ ...outer, name, value: 'a' }),
    unknownOf: (record) => ({ ...NONE, outer: without(record, 'id', 'name', 'value') }),
    edit: (round) => ({ value: `${round}` }),
    isEdited: ({ value }, round) => value === `${round}`,
  },
  addresses: {
    record: ({ outer, inner }, tel) => ({ ...outer, entry: { ...inner, version: 1, tel } }),
    unknownOf: (record) => ({
      outer: without(record, 'id', 'entry'),
      inner: without(record.entry, 'version', 'tel', ...ADDRESS_TIMES),
      any: null,
    }),
    edit: (round) => ({ tel: `+${round}` }),
    isEdited: ({ entry }, round) => (entry as Body).tel === `+${round}`,
  },
  'extension-storage': {
    record: ({ outer, inner, any }, extId) => ({
      ...outer,
      extId,
      data: JSON.stringify({ ...inner, any, mine: 0 }),
    }),
    unknownOf: (record) => {
      const { any, ...items } = JSON.parse(`${record.data}`);
      return { outer: without(record, 'id', 'extId', 'data'), inner: without(items, 'mine'), any };
    },
    edit: (round) => ({ set: { mine: round } }),
    isEdited: ({ data }, round) => JSON.parse(`${data}`).mine === round,
  },
  recipes: {
    record: ({ outer, any }) => ({ ...outer, any, mine: 0 }),
    unknownOf: (record) => ({
      ...NONE,
      outer: without(record, 'id', 'any', 'mine'),
      any: record.any,
    }),
    edit: (round) => ({ mine: round }),
    isEdited: ({ mine }, round) => mine === round,
  },
  tabs: {
    record: ({ outer, inner }) => ({
      ...outer,
      clientName: 'Living room',
      tabs: [{ ...inner, title: '', urlHistory: ['https://a.test/'], icon: '', lastUsed: 1 }],
    }),
    unknownOf: (record) => ({
      outer: without(record, 'id', 'clientName', 'tabs'),
      inner: without(first(record.tabs), 'title', 'urlHistory', 'icon', 'lastUsed'),
      any: null,
    }),
    edit: (round) => ({ tabs: [{ title: `${round}`, url: 'https://a.test/', lastUsed: 1 }] }),
    isEdited: ({ tabs }, round) => first(tabs).title === `${round}`,
  },
};
const LOGIN = ['hostname', 'formSubmitURL', 'httpRealm', 'username', 'password'].concat(
  ['usernameField', 'passwordField', 'timeCreated', 'timeLastUsed', 'timePasswordChanged'],
  ['timesUsed'],
);
const ADDRESS_TIMES = ['timeCreated', 'timeLastUsed', 'timeLastModified', 'timesUsed'];

function more(count: number): Body[] {
  return Array.from({ length: count }, (_, at) => ({ date: VISIT.date - 1e6 - at * 1e6, type: 1 }));
}

/** Names that trap a program that assigns by them, and those that apps use for something else. */
const NAMES = ['__proto__', 'constructor', 'toString', 'guid', 'url', 'origin', 'zz', '', 'é😀'];
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)));
const members = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), json), { selector: ([name]) => name })
  .map((list): Body => Object.fromEntries(list));
const unknowns: fc.Arbitrary<Unknown> = fc.record({ outer: members, inner: members, any: json });

let servers: TestServers;
let other: SecondDevice;
let device: TestDevice;

beforeAll(async () => {
  servers = testServers(corpusAccount());
  const [user] = servers.world.store.users.values();
  const meta = JSON.parse(
    user?.collections.get('meta')?.get('global', servers.nowMs)?.payload ?? '',
  );
  for (const name of ['extension-storage', 'recipes'])
    meta.engines[name] = { version: 1, syncID: name };
  user?.write('meta', [{ id: 'global', payload: JSON.stringify(meta) }], servers.nowMs);
  other = secondDevice(servers);
  device = await fullDevice(servers, { identity: userOf(servers) });
  await device.agent.enable();
});
afterAll(() => device.agent.disable());

async function pass(): Promise<void> {
  later();
  expect(await device.agent.sync()).toMatchObject({ ok: true, error: null });
}

function later(byMs = 60_000): void {
  servers.nowMs += byMs;
  device.platform.time.set(servers.nowMs);
}

let rounds = 0;

describe.each(Object.keys(CASES))('what is not known of a record of %s', (collection) => {
  const { record, unknownOf, edit, isEdited } = CASES[collection] as Case;
  const onServer = (id: string): Body => other.get(collection, id);

  async function newRecord(unknown: Unknown): Promise<string> {
    const id = collection === 'tabs' ? await ownId() : `id${++rounds}`;
    later();
    other.put(collection, { ...record(unknown, id), id });
    await pass();
    return id;
  }

  const put = (round: number, id: string) =>
    device.agent.put(collection, { ...edit(round, id), ...(collection !== 'tabs' && { id }) });

  test('is there after an edit here', () =>
    fc.assert(
      fc.asyncProperty(unknowns, async (unknown) => {
        const id = await newRecord(unknown);
        const before = unknownOf(onServer(id));
        for (let count = 0; count < 2; count++) {
          const round = ++rounds;
          await put(round, id);
          await pass();
          expect(isEdited(onServer(id), round)).toBe(true);
          expect(unknownOf(onServer(id))).toEqual(before);
        }
      }),
      { numRuns: RUNS },
    ));

  test('is what the other client has made of it while the record was edited here', () =>
    fc.assert(
      fc.asyncProperty(unknowns, unknowns, async (was, is) => {
        const id = await newRecord(was);
        const round = ++rounds;
        later();
        other.put(collection, { ...record(is, id), id });
        const { outer, inner, any } = unknownOf(onServer(id));
        // Only this device writes its list of tabs.
        const theirs = collection === 'tabs' ? { outer } : { outer, inner, any };
        later();
        await put(round, id);
        await pass();
        expect(isEdited(onServer(id), round)).toBe(true);
        expect(unknownOf(onServer(id))).toMatchObject(theirs);
      }),
      { numRuns: RUNS },
    ));
});

async function ownId(): Promise<string> {
  const id = await device.agent.put('tabs', { tabs: [] });
  await pass();
  return id;
}

test('what is not known of the device’s own record is there when it is written anew', () =>
  fc.assert(
    fc.asyncProperty(members, fc.oneof(json, fc.array(json)), async (outer, commands) => {
      const id = await ownId();
      later(8 * DAY_MS);
      const { name, type } = other.get('clients', id);
      other.put('clients', { ...other.get('clients', id), ...outer, commands, name: 'old', id });
      // It is a week old: it is written before what has become of it is read, and once more for its
      // name.
      for (let count = 0; count < 2; count++) await pass();
      const { commands: left, ...record } = other.get('clients', id);
      expect(record).toMatchObject({ ...outer, name, type, id });
      expect(left).toEqual(commands ?? []);
    }),
    { numRuns: RUNS },
  ));
