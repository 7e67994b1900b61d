// What one side has edited of a record survives, whatever the other side has edited of it at the
// same time, and whoever was later: a property of every collection that a device may change. Left
// out is the title of a page, which is that of the later visit.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addresses } from './addresses.ts';
import type { Body, Collection } from './collection.ts';
import { contacts } from './contacts.ts';
import { extensionStorage } from './extension-storage.ts';
import { forms } from './forms.ts';
import { generic } from './generic.ts';
import { history } from './history.ts';
import { passwords } from './passwords.ts';
import { readingList } from './reading-list.ts';
import { settings } from './settings.ts';

const NOW_MS = 1_795_323_276_914;
const VISITS = [{ date: 1_795_000_000_000_000, type: 1 }];

interface Case {
  readonly collection: Collection;
  /** A record whose members have these values. */
  record(members: Body): Body;
  membersOf(record: Body): Body;
  /** What may be edited, each by itself. */
  readonly members: readonly string[];
}

/** One whose members lie beside what every record of the kind has. */
const flat = (collection: Collection, fixed: Body, ...members: string[]): Case => ({
  ...{ collection, members },
  record: (values) => ({ id: 'a', ...fixed, ...values }),
  membersOf: (record) => record,
});

const address = (entry: Body, more: Body): Body => ({
  ...{ id: 'a', ...more },
  entry: { version: 1, ...entry },
});

const CASES: readonly Case[] = [
  flat(generic('notes'), {}, 'x', 'y', 'z'),
  flat(history, { histUri: 'https://a.test/', title: 'a', visits: VISITS }, 'x', 'y', 'z'),
  flat(forms, { name: 'n', value: 'v' }, 'x', 'y', 'z'),
  flat(
    passwords,
    { hostname: 'https://a.test', formSubmitURL: '', timePasswordChanged: 5, timesUsed: 1 },
    ...['username', 'password', 'usernameField', 'passwordField', 'x'],
  ),
  flat(readingList, { url: 'https://a.test/' }, 'title', 'excerpt', 'preview', 'x'),
  flat(settings, { app: 'app', name: 'n', value: 1 }, 'x', 'y', 'z'),
  {
    ...flat(settings, {}, 'x', 'y', 'z'),
    record: (value) => ({ id: 'a', name: 'n', value }),
    membersOf: ({ value }) => value as Body,
  },
  {
    ...flat(addresses, {}, 'organization', 'tel', 'email', 'x', 'outer'),
    record: ({ outer, ...entry }) => address(entry, { outer }),
    membersOf: ({ outer, entry }) => ({ ...(entry as Body), outer }),
  },
  {
    ...flat(extensionStorage, {}, 'x', 'y', 'z'),
    record: (items) => ({ id: 'a', extId: 'addon@a.test', data: JSON.stringify(items) }),
    membersOf: ({ data }) => JSON.parse(`${data}`),
  },
  {
    ...flat(contacts, {}, 'fn', 'bday', 'note', 'outer'),
    record: ({ outer, ...card }) => ({
      ...{ id: 'a', outer },
      card: Object.fromEntries(Object.entries(card).map(([name, value]) => [name, [{ value }]])),
    }),
    membersOf: ({ outer, card }) => ({
      outer,
      ...Object.fromEntries(
        Object.entries(card as Record<string, Body[]>).map(([name, all]) => [name, all[0]?.value]),
      ),
    }),
  },
];

const named = CASES.map((one, at) => [`${one.collection.name} ${at}`, one] as const);

describe.each(named)('two sides that edit different members: %s', (_, one) => {
  const { collection, members, record, membersOf } = one;
  const of = (sides: readonly string[], side: string, value: string): Body =>
    Object.fromEntries(members.flatMap((name, at) => (sides[at] === side ? [[name, value]] : [])));
  const before: Body = Object.fromEntries(members.map((name) => [name, 'before']));

  test('both are kept', () => {
    const side = fc.constantFrom('mine', 'theirs', 'nobody');
    const sides = fc.array(side, { minLength: members.length, maxLength: members.length });
    fc.assert(
      fc.property(sides, fc.constantFrom(1, -1), (sides, youngerMs) => {
        const edits = { ...of(sides, 'mine', 'mine'), ...of(sides, 'theirs', 'theirs') };
        const theirs = record({ ...before, ...of(sides, 'theirs', 'theirs') });
        const { local, fork } = collection.merge({
          local: {
            body: record({ ...before, ...of(sides, 'mine', 'mine') }),
            changedAtMs: NOW_MS - 10_000,
          },
          mirror: { body: record(before), modifiedMs: NOW_MS - 90_000, epoch: 1 },
          incoming: { body: theirs, modifiedMs: NOW_MS - 10_000 - youngerMs },
          ...{ epoch: 1, serverNowMs: NOW_MS, deviceNowMs: NOW_MS },
        });
        expect(fork).toBeUndefined();
        expect(local).not.toBe('keep');
        const left = membersOf(typeof local === 'string' ? theirs : local);
        expect(left).toMatchObject({ ...before, ...edits });
      }),
      { numRuns: 200 },
    );
  });
});
