// Whose a collection is, by what a device's configuration says of its remotes.

import { describe, expect, test } from 'vitest';
import type { AgentConfig } from '../config.ts';
import { bindingsOf } from './bindings.ts';

const ON = { enabled: true, readOnly: false };
const OFF = { enabled: false, readOnly: false };
const remote = (serverUrl: string) => ({
  remote: { protocol: 'sync15', serverUrl, audience: '', auth: 'bearer' as const },
});

const configOf = (change: Partial<AgentConfig>): AgentConfig => ({
  profile: 'test',
  ...remote('https://first.test'),
  collections: {},
  intervalMs: 1,
  wifiOnly: false,
  historyRecordsMax: 1,
  recordCharsMax: 1,
  ...change,
});

/** By remote: its collections, of three that the build has. */
function owned(change: Partial<AgentConfig>): Record<string, readonly string[]> {
  const found = bindingsOf(configOf(change), ['history', 'passwords', 'notes']);
  return Object.fromEntries(found.map(({ name, collections }) => [name, collections]));
}

const work = (collections: AgentConfig['collections']) => ({
  remotes: { work: { ...remote('https://work.test'), collections } },
});

describe('a collection', () => {
  test('is the first remote’s where there is one only, whatever its switch says', () => {
    expect(owned({ collections: { history: ON, notes: OFF } })).toEqual({
      first: ['history', 'passwords', 'notes'],
    });
  });

  test('is whose it is switched on at', () => {
    const both = { collections: { history: ON, notes: OFF }, ...work({ notes: ON, history: OFF }) };
    expect(owned(both)).toEqual({ first: ['history', 'passwords'], work: ['notes'] });
  });

  test('that is switched on nowhere is that of who names it, not the first', () => {
    expect(owned({ collections: { notes: OFF }, ...work({ notes: OFF }) })).toEqual({
      first: ['history', 'passwords'],
      work: ['notes'],
    });
  });

  test('that nobody names is the first one’s', () => {
    expect(owned(work({}))).toEqual({ first: ['history', 'passwords', 'notes'], work: [] });
  });

  test('that is switched on in two is a mistake, and named', () => {
    expect(() => owned({ collections: { notes: ON }, ...work({ notes: ON }) })).toThrow(
      'collections: notes is switched on in first and work',
    );
  });

  test('with the name of an object’s own member is one like others', () => {
    const found = bindingsOf(configOf(work({})), ['toString', '__proto__']);
    expect(found.map(({ collections }) => collections)).toEqual([['toString', '__proto__'], []]);
  });
});

describe('a further remote', () => {
  test('has what it says itself, and the rest as the device has it', () => {
    const [first, second] = bindingsOf(
      configOf({
        ...{
          intervalMs: 7,
          wifiOnly: true,
          device: { name: 'TV', type: 'tv', version: '1', os: 'x' },
        },
        remotes: { work: { ...remote('https://work.test'), collections: {}, intervalMs: 9 } },
      }),
      [],
    );
    expect(second?.config).toMatchObject({
      ...remote('https://work.test'),
      ...{ intervalMs: 9, wifiOnly: true, profile: 'test' },
    });
    expect(second?.config).not.toHaveProperty('remotes');
    expect(first?.config).not.toHaveProperty('remotes');
    expect(first?.config).toHaveProperty('device');
    // It is no device of the first one's account.
    expect(second?.config).not.toHaveProperty('device');
  });

  test.each(['Work', 'a b', '', 'x'.repeat(17), 'a.b', 'ä'])('is not called %j', (name) => {
    const remotes = { [name]: { ...remote('https://x.test'), collections: {} } };
    expect(() => owned({ remotes })).toThrow(`remotes: ${name} is not 1 to 16 of a-z, 0-9 and -`);
  });

  test('is not called as the device’s own', () => {
    const remotes = { first: { ...remote('https://x.test'), collections: {} } };
    expect(() => owned({ remotes })).toThrow("remotes: first is the device's own");
  });
});
