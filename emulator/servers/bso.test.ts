import { describe, expect, it, test } from 'vitest';
import {
  changeBytes,
  DEFAULT_LIMITS,
  faultOf,
  isBsoId,
  isKnownBad,
  limitsOf,
  parseBody,
  toChange,
} from './bso.ts';
import { HttpError } from './http.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function refused(type: string | null, body: Uint8Array, isList = true): unknown {
  try {
    parseBody(type, body, isList);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(HttpError);
    const { status, json } = error as HttpError;
    return [status, json];
  }
}

describe('a body', () => {
  test.each<[string | null, string, unknown]>([
    ['application/json', '[{"id":"a"}]', [{ id: 'a' }]],
    ['Application/JSON; charset=utf-8', '7', 7],
    ['text/plain', '[1]', [1]],
    [null, '[1]', [1]],
    ['application/newlines', '1\n{"a":2}\n', [1, { a: 2 }]],
    ['application/newlines', '1', [1]],
    ['application/newlines', '', []],
  ])('of %s: %j', (type, text, value) => {
    expect(parseBody(type, bytes(text), true)).toEqual(value);
  });

  test.each<[string | null, Uint8Array, unknown]>([
    ['text/html', bytes('1'), [415, 0]],
    ['application/json', bytes('{'), [400, 6]],
    ['application/json', bytes(''), [400, 6]],
    ['application/json', Uint8Array.of(0x22, 0xff, 0x22), [400, 6]],
    ['application/newlines', bytes('1\n\n2\n'), [400, 6]],
    ['application/newlines', bytes('1\nx'), [400, 6]],
  ])('of %s is refused: %j', (type, body, expected) => {
    expect(refused(type, body)).toEqual(expected);
  });

  it('of lines is only one for a list', () => {
    expect(refused('application/newlines', bytes('1'), false)).toEqual([415, 0]);
  });
});

describe('a BSO', () => {
  test.each<[unknown, string | null]>([
    [{ id: 'a', payload: 'p', sortindex: 5, ttl: 9, modified: 1, collection: 'x' }, null],
    [{}, null],
    [{ payload: null, sortindex: null, ttl: null }, null],
    [{ sortindex: -999_999_999, ttl: 0 }, null],
    [{ sortindex: 999_999_999, ttl: 999_999_999 }, null],
    [[], 'invalid bso'],
    [null, 'invalid bso'],
    [{ id: '' }, 'invalid id'],
    [{ id: 'x'.repeat(65) }, 'invalid id'],
    [{ id: 'é' }, 'invalid id'],
    [{ id: 7 }, null],
    [{ other: 1 }, 'invalid member'],
    [{ payload: 7 }, 'invalid payload'],
    [{ sortindex: 1_000_000_000 }, 'invalid sortindex'],
    [{ sortindex: -1_000_000_000 }, 'invalid sortindex'],
    [{ sortindex: 1.5 }, 'invalid sortindex'],
    [{ sortindex: '1' }, 'invalid sortindex'],
    [{ ttl: -1 }, 'invalid ttl'],
    [{ ttl: 1_000_000_000 }, 'invalid ttl'],
    [{ ttl: true }, 'invalid ttl'],
  ])('%j: %s', (value, fault) => {
    expect(faultOf(value, 'history')).toBe(fault);
  });

  it('has an id of 1 to 64 printable ASCII characters', () => {
    const ids = [' ', '~', 'x'.repeat(64), '', 'x'.repeat(65), '\x7f', 'a\n'];
    expect(ids.map(isBsoId)).toEqual([true, true, true, false, false, false, false]);
  });

  it('of keys that were sealed without randomness is known to be bad', () => {
    const payload = '{"IV" : "AAAAAAAAAAAAAAAAAAAAAA==","hmac":""}';
    expect(faultOf({ payload }, 'crypto')).toBe('invalid payload');
    expect(faultOf({ payload }, 'history')).toBeNull();
    const other = payload.replace('AAA', 'BAA');
    expect([isKnownBad({ payload: other }, 'crypto'), isKnownBad({}, 'crypto')]).toEqual([
      false,
      false,
    ]);
  });

  it('is a change of what it names, and leaves the rest', () => {
    expect(toChange({ id: 'x', modified: 1 }, 'a')).toEqual({ id: 'a' });
    const all = { payload: null, sortindex: 0, ttl: 5 };
    expect(toChange({ ...all, collection: 'y' }, 'a')).toEqual({ id: 'a', ...all });
    expect(changeBytes({ id: 'a', payload: 'é' })).toBe(2);
    expect([changeBytes({ id: 'a', payload: null }), changeBytes({ id: 'a' })]).toEqual([0, 0]);
  });
});

test('a collection may have limits of its own, whatever it is called', () => {
  const limits = { ...DEFAULT_LIMITS, collections: { history: { max_post_records: 5 } } };
  expect(limitsOf(limits, 'history').max_post_records).toBe(5);
  expect(limitsOf(limits, 'history').max_post_bytes).toBe(DEFAULT_LIMITS.max_post_bytes);
  for (const name of ['forms', 'constructor', '__proto__']) {
    expect(limitsOf(limits, name).max_post_records).toBe(100);
  }
  expect(limitsOf(DEFAULT_LIMITS, 'history')).toEqual(DEFAULT_LIMITS);
});
