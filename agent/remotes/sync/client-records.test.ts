// The account's devices as records: what is shown of one, and how commands of others and what was
// carried out of them meet.

import { describe, expect, test } from 'vitest';
import type { Body } from '../../collections/collection.ts';
import { clientRecords, commandsOf } from './client-records.ts';

const OPEN = { command: 'displayURI', args: ['https://a/'], flowID: '1' };
const WIPE = { command: 'wipeAll', args: [] };

/** What becomes of our record, of which both sides had `base`. */
function merge(mine: Body | null, base: Body | null, theirs: Body | null) {
  return clientRecords.merge({
    local: mine && { body: mine, changedAtMs: 1 },
    mirror: base && { body: base, modifiedMs: 1 },
    incoming: { body: theirs, modifiedMs: 2 },
    serverNowMs: 3,
    deviceNowMs: 3,
  });
}

const record = (commands: unknown, more: object = {}): Body => ({ id: 'a', commands, ...more });

describe('our record meets another version of it', () => {
  test('a command that was carried out does not come back, a new one comes in', () => {
    expect(merge(record([]), record([OPEN]), record([OPEN, WIPE]))).toEqual({
      mirror: 'asIs',
      local: record([WIPE]),
    });
  });

  test('a command that is still to be done stays', () => {
    const { local } = merge(record([OPEN], { name: 'new' }), record([OPEN]), record([OPEN]));
    expect(local).toEqual(record([OPEN], { name: 'new' }));
  });

  test('what others have taken out stays out, and they need no upload for it', () => {
    expect(merge(record([OPEN]), record([OPEN]), record([])).local).toBe('none');
  });

  test('our words count where we have changed them, theirs elsewhere', () => {
    const base = record([], { name: 'old', os: 'x' });
    const { local } = merge(
      record([], { name: 'ours', os: 'x' }),
      base,
      record([], { name: 'old', os: 'theirs', later: 1 }),
    );
    expect(local).toEqual(record([], { name: 'ours', os: 'theirs', later: 1 }));
  });

  test('commands that are no list are left as they came', () => {
    for (const commands of ['x', 7, { a: 1 }]) {
      const { local } = merge(record([], { name: 'ours' }), record([]), record(commands));
      expect(local).toEqual(record(commands, { name: 'ours' }));
    }
  });

  test('that has no commands, or null for them, has none', () => {
    for (const commands of [undefined, null]) {
      expect(merge(record([]), record([]), record(commands)).local).toEqual(record([]));
    }
  });

  test('that is gone there goes up again; without a change of ours it is as it came', () => {
    expect(merge(record([]), record([]), null)).toEqual({ mirror: null, local: 'keep' });
    expect(merge(null, record([]), record([OPEN]))).toEqual({ mirror: 'asIs', local: 'none' });
    expect(merge(null, record([]), null)).toEqual({ mirror: null, local: 'none' });
  });
});

test.each<[unknown, unknown[]]>([
  [[OPEN], [OPEN]],
  [[], []],
  [undefined, []],
  [null, []],
  [{ 0: OPEN }, []],
  ['x', []],
])('commands %j are %j', (commands, are) => {
  expect(commandsOf({ commands })).toEqual(are);
});

describe('what is shown of a device', () => {
  test('has every member, null for what it does not say', () => {
    expect(clientRecords.view('a', {})).toEqual({
      ...{ id: 'a', name: '', type: null, os: null, version: null },
      ...{ application: null, formfactor: null },
    });
  });

  test.each([
    ['phone', 'mobile'],
    ['desktop', 'desktop'],
    ['tv', 'tv'],
    ['toaster', null],
    ['', null],
    [7, null],
    [null, null],
  ])('has for the type %j %j', (type, shown) => {
    expect(clientRecords.view('a', { type })).toMatchObject({ type: shown });
  });

  test('is text, whatever the record has', () => {
    expect(clientRecords.view('a', { name: ['x'], os: {}, version: 3 })).toMatchObject({
      ...{ name: '', os: null, version: null },
    });
  });
});

test('no app changes one', () => {
  expect(clientRecords.prepare({ id: 'a' }, null, 'n', 0)).toMatchObject({ ok: false });
});
