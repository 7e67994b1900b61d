// What a reader takes, and what it refuses: every example of the proposal, slips included, and more
// of the kind (test/fixtures/picl/).

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseDocument } from '../../wire/document.ts';
import { changesIn, metadataIn, recordIn, recordsIn } from './read.ts';

interface Case {
  readonly name: string;
  readonly of: 'metadata' | 'record' | 'records' | 'changes';
  readonly text: string;
  readonly means?: readonly object[];
  readonly next?: unknown;
}

const file = new URL('../../../test/fixtures/picl/liberal.json', import.meta.url);
const CASES: { readonly read: Case[]; readonly refused: Case[] } = JSON.parse(
  readFileSync(file, 'utf8'),
);

test.each(CASES.read)('P21, P34: $name: read', ({ of, text, means, next }) => {
  const json = parseDocument(text);
  const { found, behind } =
    of === 'records'
      ? { found: recordsIn(json).records, behind: recordsIn(json).next }
      : { found: changesIn(json).changes, behind: changesIn(json).next };
  expect(found.map(({ previous: _, ...change }) => change)).toEqual(means);
  expect(behind).toEqual(next === '3' ? 3 : next);
});

/** What leads nowhere is seen where it is known what was asked for: changes.test.ts. */
const ELSEWHERE = ['next that does not advance', 'an empty page with next'];

test.each(CASES.refused.filter(({ name }) => !ELSEWHERE.includes(name)))(
  '$name: refused',
  ({ of, text }) => {
    const read = () => {
      const json = parseDocument(text);
      if (of === 'metadata') return metadataIn(json);
      if (of === 'record') return recordIn(json, 'key1');
      return of === 'records' ? recordsIn(json) : changesIn(json);
    };
    expect(read).toThrowError(expect.objectContaining({ code: 'badResponse' }));
  },
);

const CHANGE = { key: 'k', payload: 'p', seqnum: 1, changeid: 'x', signature: 's' };

test.each([
  ['a payload that is no text', { payload: { sha256: 'x' } }],
  ['a payload that nobody has left out', { payload: -1 }],
  ['an id of 129 characters', { changeid: 'x'.repeat(129) }],
  ['an id with a line end', { changeid: 'x\n' }],
  ['a signature that is none', { signature: 5 }],
  ['a key of 65 characters', { key: 'k'.repeat(65) }],
  ['no number', { seqnum: null }],
])('%s: refused', (_what, part) => {
  expect(changesIn({ changes: [CHANGE] }).changes).toHaveLength(1);
  expect(() => changesIn({ changes: [{ ...CHANGE, ...part }] })).toThrowError(
    expect.objectContaining({ code: 'badResponse' }),
  );
});

test('a payload that was left out is in its place, and in no other', () => {
  const unread = [{ sha256: 'first' }, { sha256: 'second' }];
  const read = (part: object) => changesIn({ changes: [{ ...CHANGE, ...part }] }, unread).changes;
  expect(read({ payload: -2 })).toMatchObject([{ payload: { sha256: 'second' } }]);
  const records = { records: { k: { ...CHANGE, payload: -1 } } };
  expect(recordsIn(records, unread).records).toMatchObject([{ payload: { sha256: 'first' } }]);
  for (const part of [{ payload: -3 }, { payload: 0 }, { key: -1 }, { seqnum: -1 }]) {
    expect(() => read(part)).toThrowError(expect.objectContaining({ code: 'badResponse' }));
  }
  expect(() => changesIn({ changes: [CHANGE], next: -1 }, unread)).toThrow();
});

test('a missing signature is one that nobody has made', () => {
  const { signature: _, ...change } = CHANGE;
  expect(changesIn({ changes: [change] }).changes[0]?.signature).toBe('');
});

test('P19: metadata may say no change id', () => {
  expect(metadataIn({ name: 'a', seqnum: 5, signature: 's' })).toEqual({
    ...{ seqnum: 5, changeid: null, signature: 's' },
  });
});

test('a payload of any characters is read: its id tells what it is, and it opens nowhere', () => {
  for (const payload of ['a\nb', 'é', '\ud800']) {
    const [change] = changesIn({ changes: [{ ...CHANGE, payload }] }).changes;
    expect(change?.payload).toBe(payload);
  }
});
