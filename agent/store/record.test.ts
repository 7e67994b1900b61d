import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Local,
  type Mirror,
  NO_ENTRY,
  packLocal,
  packMirror,
  unpackLocal,
  unpackMirror,
  visible,
} from './record.ts';

/** A version that only its remote reads. */
const opaque = fc.stringMatching(/^[!-~]{1,40}$/);
const count = fc.nat(Number.MAX_SAFE_INTEGER);
const body = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value));

describe('a mirror', () => {
  test('comes back as it was, its text to the letter', () => {
    fc.assert(
      fc.property(body, count, fc.nat(1000), fc.option(opaque), (text, modifiedMs, epoch, own) => {
        const version = own ?? `${modifiedMs}`;
        const mirror: Mirror = { body: JSON.parse(text), text, version, modifiedMs, epoch };
        expect(unpackMirror(packMirror(mirror))).toEqual(mirror);
      }),
    );
  });

  test('keeps numbers and members that no JavaScript object could write', () => {
    const text = '{"id":"a","n":1.50,"__proto__":{"x":1},"big":12345678901234567890}';
    const mirror = { body: JSON.parse(text), text, version: '5', modifiedMs: 5, epoch: 0 };
    expect(unpackMirror(packMirror(mirror))?.text).toBe(text);
  });
});

describe('a local change', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.option(body), count, count, fc.nat(9), (text, changedAtMs, seq, tries) => {
        const local: Local = {
          body: text === null ? null : JSON.parse(text),
          changedAtMs,
          seq,
          tries,
        };
        expect(unpackLocal(packLocal(local))).toEqual(local);
      }),
    );
  });

  test('may be a deletion, which is not the same as no change', () => {
    const deletion = { body: null, changedAtMs: 1, seq: 2, tries: 0 };
    expect(unpackLocal(packLocal(deletion))).toEqual(deletion);
  });
});

test('both are read as form 1 wrote them, without a letter', () => {
  expect(unpackMirror({ head: '17 3', text: '{}' })).toMatchObject({ modifiedMs: 17, epoch: 3 });
  const local = { body: null, changedAtMs: 17, seq: 3, tries: 1 };
  expect(unpackLocal({ head: '17 3 1', text: '' })).toEqual(local);
});

test('both are read as form 2 wrote them', () => {
  const known = { version: '17', modifiedMs: 17, epoch: 3 };
  expect(unpackMirror({ head: 'b17 3', text: '{}' })).toMatchObject(known);
  const local = { body: null, changedAtMs: 17, seq: 3, tries: 1 };
  expect(unpackLocal({ head: 'b17 3 1', text: '' })).toEqual(local);
});

test('a value that is not what was written is none', () => {
  for (const text of ['{"a":', 'null', '[]', '1', '', '\u0000']) {
    expect(unpackMirror({ head: 'b1 1', text })).toBeNull();
  }
  for (const head of [
    '',
    'b',
    'b1',
    'b1 ',
    'b1 1 1',
    '1 x',
    'e1 1',
    'bb1 1',
    'c1 1 ',
    'c1 1 a b',
    ' 1 1',
  ]) {
    expect(unpackMirror({ head, text: '{}' }), head).toBeNull();
  }
  for (const head of ['', 'b1 1', 'b1 1 1 1', 'e1 1 1']) {
    expect(unpackLocal({ head, text: '{}' }), head).toBeNull();
  }
  expect(unpackLocal({ head: 'b1 1 0', text: '{"a":' })).toBeNull();
  expect(unpackLocal({ head: 'b1 1 0', text: 'null' })).toBeNull();
});

test('apps see the local change if there is one, else what both sides agreed on', () => {
  const mirror = { body: { a: 1 }, text: '{"a":1}', version: '1', modifiedMs: 1, epoch: 0 };
  const local = { body: { a: 2 }, changedAtMs: 1, seq: 1, tries: 0 };
  expect(visible(NO_ENTRY)).toBeNull();
  expect(visible({ ...NO_ENTRY, mirror })).toBe(mirror.body);
  expect(visible({ ...NO_ENTRY, mirror, local })).toBe(local.body);
  expect(visible({ ...NO_ENTRY, mirror, local: { ...local, body: null } })).toBeNull();
});
