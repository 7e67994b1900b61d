// An edit is judged by what it changes. What it leaves alone stays as another client wrote it, here
// and on the server.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { type Json, secondDevice } from '../../test/sim/second-device.ts';
import { NOW_MS, testDevice, testServers } from '../../test/support/device.ts';
import { mirrorWith, openTestStore, putEntries, testPass } from '../../test/support/store.ts';
import { addresses } from '../collections/addresses.ts';
import type { Body, Collection } from '../collections/collection.ts';
import { extensionStorage } from '../collections/extension-storage.ts';
import { forms } from '../collections/forms.ts';
import { generic } from '../collections/generic.ts';
import { history } from '../collections/history.ts';
import { isSameValue } from '../collections/members.ts';
import { passwords } from '../collections/passwords.ts';
import { tabs } from '../collections/tabs.ts';
import { visible } from '../store/record.ts';
import { putRecord } from './records.ts';

type Login = Json & { readonly id: string };

const ODD_LOGINS: readonly Login[] = JSON.parse(
  readFileSync(new URL('../../test/fixtures/odd-logins.json', import.meta.url), 'utf8'),
);

describe.each(['syncto', 'sync15'] as const)(
  'over %s, a login as other clients left it',
  (protocol) => {
    test.each(['alone', 'along with all that apps were shown'])(
      'can be given another password, %s, and nothing else of it changes',
      async (how) => {
        const servers = testServers(syntheticAccount({ records: 1, passwords: 1, seed: 2 }));
        const second = secondDevice(servers);
        for (const login of ODD_LOGINS) second.put('passwords', login);
        const { agent } = testDevice(servers, { protocol });
        await agent.start();
        expect(await agent.enable()).toMatchObject({ ok: true });
        expect(agent.status().collections.passwords).toMatchObject({
          held: ODD_LOGINS.length + 1,
          quarantined: 0,
        });

        for (const { id } of ODD_LOGINS) {
          const shown = how === 'alone' ? { guid: id } : await agent.get('passwords', id);
          expect(await agent.put('passwords', { ...shown, password: `new ${id}` })).toBe(id);
        }
        expect(await agent.sync()).toMatchObject({ ok: true });

        for (const login of ODD_LOGINS) {
          const arrived = second.get('passwords', login.id);
          const changedMs = Math.max(NOW_MS, Number(arrived.timePasswordChanged));
          const wanted = { ...login, password: `new ${login.id}`, timePasswordChanged: changedMs };
          expect(JSON.stringify(arrived)).toBe(JSON.stringify(wanted));
        }
      },
    );
  },
);

interface Kind {
  readonly collection: Collection;
  /** Records as other clients may write them; `check` has the last word. */
  readonly record: fc.Arbitrary<Body>;
  /** One member, as an app may change it. */
  readonly edit: fc.Arbitrary<readonly [name: string, value: unknown]>;
  /** By the app's name of the member: those of the record that change with it. */
  readonly changes?: { readonly [name: string]: readonly string[] };
  /** Where the members are; the record itself by default. */
  readonly inside?: (body: Body) => Body;
}

const ID = '{01234567-89ab-4cde-8f01-23456789abcd}';
const odd = fc.oneof(
  fc.constantFrom<unknown>('', '.', 'x', 'a\0b', 'a\nb', 'file://', 'https://a.test/b?c', null),
  fc.constantFrom<unknown>(0, -1, 1.5, '7', NOW_MS, true, '\ud83d'),
);
const unknown = fc.constantFrom<unknown>(7, 'text', null, { a: [1, { b: null }] }, ['x', {}]);

/** Any of these members with odd values, and some that no build knows. */
function oddly(names: readonly string[], sure: Body = {}): fc.Arbitrary<Body> {
  const members = Object.fromEntries(names.map((name) => [name, odd]));
  return fc
    .tuple(fc.record(members, { requiredKeys: [] }), fc.record({ later: unknown }))
    .map(([known, later]) => ({ id: ID, ...sure, ...known, ...later }));
}

const text = (...names: string[]): Kind['edit'] =>
  fc.tuple(fc.constantFrom(...names), fc.constantFrom('edited', 'edited more'));
const later: Kind['edit'] = fc.tuple(fc.constant('later'), unknown);
const visit = { date: NOW_MS * 1000, type: 1 };
const oddVisits = fc.subarray<unknown>([visit, { date: 5, type: 0, extra: [1] }, null, 'x', {}]);

const LOGIN = ['formSubmitURL', 'httpRealm', 'username', 'usernameField', 'passwordField'];
const TIMES = ['timeCreated', 'timeLastUsed', 'timePasswordChanged', 'timesUsed'];
const FIELDS = ['name', 'given-name', 'tel', 'email', 'country'];

const KINDS: readonly Kind[] = [
  {
    collection: passwords,
    record: fc
      .tuple(oddly([...LOGIN, ...TIMES], { hostname: 'no scheme' }), fc.constantFrom('p', 'a\0'))
      .map(([body, password]) => ({ ...body, password })),
    edit: fc.oneof(
      text('username', 'password', 'usernameField', 'passwordField'),
      fc.tuple(fc.constantFrom('origin', 'formActionOrigin'), fc.constant('https://new.test')),
      fc.tuple(fc.constantFrom('timeLastUsed', 'timesUsed'), fc.constant(NOW_MS + 1)),
      later,
    ),
    changes: {
      password: ['password', 'timePasswordChanged'],
      origin: ['hostname'],
      formActionOrigin: ['formSubmitURL', 'httpRealm'],
    },
  },
  {
    collection: history,
    record: fc
      .tuple(oddly(['title'], { histUri: 'x:' }), oddVisits)
      .map(([body, visits]) => ({ ...body, visits: [...visits, visit] })),
    edit: fc.oneof(
      text('title'),
      fc.tuple(fc.constant('visits'), fc.constant([{ date: NOW_MS * 1000 + 1, type: 2 }])),
      later,
    ),
  },
  {
    collection: forms,
    record: fc.tuple(oddly([]), odd, odd).map(([body, name, value]) => ({ ...body, name, value })),
    edit: fc.oneof(text('name', 'value'), later),
  },
  {
    collection: addresses,
    record: oddly([...FIELDS, 'timeCreated', 'timeLastUsed', 'timesUsed'], { version: 1 }).map(
      ({ id, ...entry }) => ({ id, outer: [1], entry }),
    ),
    edit: fc.oneof(
      text('tel', 'email', 'name'),
      fc.tuple(fc.constantFrom('timeLastUsed', 'timesUsed'), fc.constant(NOW_MS + 1)),
      later,
    ),
    changes: {
      tel: ['tel', 'timeLastModified'],
      email: ['email', 'timeLastModified'],
      name: ['name', 'given-name', 'timeLastModified'],
    },
    inside: ({ entry }) => entry as Body,
  },
  {
    collection: extensionStorage,
    record: oddly([], { extId: 'e@x' }).map((body) => ({ ...body, data: ' {"a": 1.0, "b":[]}' })),
    edit: fc.oneof(
      fc.tuple(fc.constant('set'), fc.constantFrom({ a: 2 }, { c: null })),
      fc.tuple(fc.constant('remove'), fc.constant(['b'])),
    ),
    changes: { set: ['data'], remove: ['data'] },
  },
  {
    collection: tabs,
    record: oddly(['tabGroups'], { clientName: 'TV', tabs: [{ url: 'https://a' }, 7] }),
    edit: later,
  },
  { collection: generic('recipes'), record: oddly(['a', 'b']), edit: fc.oneof(text('a'), later) },
];

describe('an edit of one member', () => {
  test.each(KINDS.map((kind): [string, Kind] => [kind.collection.name, kind]))(
    'of %s changes nothing else, sent alone or with all that apps were shown',
    async (_, { collection, record, edit, changes = {}, inside = (body) => body }) => {
      let edited = 0;
      await fc.assert(
        fc.asyncProperty(record, edit, fc.boolean(), async (body, [name, value], isEcho) => {
          fc.pre(collection.check(body) === null);
          edited++;
          const store = await openTestStore(new MemoryStorage(), collection);
          const { platform } = testPass(store);
          platform.clock.nowMs = () => NOW_MS;
          await putEntries(store, { [ID]: { mirror: mirrorWith(body) } });
          const shown = isEcho ? collection.view(ID, body) : {};
          const self = { id: ID, name: 'TV' };
          await putRecord({ store, self, recordCharsMax: 1e6 }, platform, {
            ...shown,
            guid: ID,
            [name]: value,
          });
          const [after] = await store.load([ID]);
          const is = visible(after as never) as Body;
          const [was, now] = [inside(body), inside(is)];
          const allowed = changes[name] ?? [name];
          for (const member of new Set([...Object.keys(was), ...Object.keys(now)])) {
            if (!allowed.includes(member))
              expect([member, now[member]]).toEqual([member, was[member]]);
          }
          const kept = Object.keys(was).filter((member) => Object.hasOwn(now, member));
          expect(Object.keys(now).slice(0, kept.length)).toEqual(kept);
          const [direct = ''] = allowed;
          if (collection.name !== 'extension-storage' && direct !== 'visits') {
            expect(isSameValue(now[direct], value)).toBe(true);
          }
        }),
        { numRuns: 300 },
      );
      expect(edited).toBeGreaterThan(50);
    },
  );
});
