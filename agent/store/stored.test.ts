// Values that this device has written itself: each is read as it was written, or it is damaged, or
// of a newer version; never is it taken for something that is not there.

import { describe, expect, test } from 'vitest';
import {
  damaged,
  headWords,
  isOldForm,
  jsonStored,
  numberOf,
  parsedObject,
  storedObject,
  unreadable,
} from './stored.ts';

const MODEL = { text: '', count: 0, list: [] as number[], inner: { flag: false }, any: null };
const VALUE = { text: 'a', count: 2, list: [1], inner: { flag: true }, any: 'x' };

describe('a stored object', () => {
  test('is read as it was written', () => {
    expect(storedObject(MODEL, jsonStored(VALUE))).toEqual(VALUE);
  });

  test('keeps members that the model does not name', () => {
    expect(storedObject(MODEL, jsonStored({ ...VALUE, more: 1 }))).toEqual({ ...VALUE, more: 1 });
  });

  test.each(Object.keys(MODEL).filter((name) => name !== 'any'))(
    'with null as its %s is none',
    (name) => {
      expect(storedObject(MODEL, jsonStored({ ...VALUE, [name]: null }))).toBeNull();
    },
  );

  test.each([{ text: 1 }, { count: '2' }, { list: {} }, { inner: [] }, { inner: { flag: 1 } }])(
    'with %j is none',
    (wrong) => {
      expect(storedObject(MODEL, jsonStored({ ...VALUE, ...wrong }))).toBeNull();
    },
  );

  test('may have anything where the model has null, and has to have it', () => {
    for (const any of [null, 1, 'a', {}]) {
      expect(storedObject(MODEL, jsonStored({ ...VALUE, any }))).toMatchObject({ any });
    }
    const { any: _, ...rest } = VALUE;
    expect(storedObject(MODEL, jsonStored(rest))).toBeNull();
  });

  test.each(['', 'c', 'c ', 'c1', 'cnull', 'c"a"', 'c[]', 'e{}', 'x{}', ' {}', 'cc{}'])(
    'is not %j',
    (stored) => {
      expect(storedObject({}, stored)).toBeNull();
    },
  );

  test('is no bytes', () => {
    expect(storedObject({}, new TextEncoder().encode('c{}'))).toBeNull();
  });

  test('is none if it was cut anywhere', () => {
    const whole = jsonStored(VALUE);
    for (let end = 0; end < whole.length; end++) {
      expect(storedObject(MODEL, whole.slice(0, end)), whole.slice(0, end)).toBeNull();
    }
  });

  test('of form 1 may lack what the model has, at any depth', () => {
    expect(storedObject(MODEL, '{"text":"a"}')).toEqual({ ...MODEL, text: 'a' });
    expect(storedObject(MODEL, '{"text":1}')).toBeNull();
    expect(storedObject(MODEL, 'b{"text":"a"}')).toBeNull();
  });

  test('of an older form is made like the model, and one of this form is not', () => {
    const renewed = (old: object): object => ({ ...VALUE, text: (old as { was: string }).was });
    for (const text of ['b{"was":"it"}', '{"was":"it"}']) {
      expect(storedObject(MODEL, text, renewed)).toMatchObject({ text: 'it' });
    }
    expect(storedObject(MODEL, 'c{"was":"it"}', renewed)).toBeNull();
  });
});

describe('a value that stands alone and cannot be read', () => {
  test.each([
    ['e{}', 5],
    ['f', 6],
    ['z', 26],
  ])('is of a newer version if its letter says so: %s', (value, format) => {
    expect(unreadable('state', value)).toMatchObject({
      code: 'clientTooOld',
      message: `the store is of format ${format}, at most 4 is known`,
      detail: { stored: 'state' },
    });
  });

  test.each(['', 'c{', 'b', 'a{}', 'D{}', '{', '\u007f', new Uint8Array([101, 123, 125])])(
    'is damaged otherwise: %j',
    (value) => {
      expect(unreadable('state', value)).toMatchObject({ code: 'damaged' });
    },
  );
});

test('damage is named as closely as it is known', () => {
  const whole = damaged('mirror', 'history', 'a');
  expect(whole.message).toBe('history, record a: the stored mirror is not what was written');
  expect(whole.detail).toEqual({ stored: 'mirror', collection: 'history', recordId: 'a' });
  expect(damaged('state').message).toBe('the stored state is not what was written');
  expect(damaged('state').detail).toEqual({ stored: 'state' });
});

test('a value is of an older form by its first character', () => {
  expect(['c{}', 'b{}', '{}', 'b1 2'].map(isOldForm)).toEqual(Array(4).fill(true));
  expect(['d{}', '', '1 2', null, undefined, new Uint8Array([98])].map(isOldForm)).toEqual(
    Array(6).fill(false),
  );
});

test('the words of a head come without the letter of its form, of which form 1 has none', () => {
  expect(['d1 2', 'c1 2', 'b1 2', '1 2'].map(headWords)).toEqual(Array(4).fill(['1', '2']));
  expect(headWords('e1 2')).toEqual(['e1', '2']);
});

test('a word is a number, or it is none', () => {
  expect(['0', '-1', '1.5', '1e3'].map(numberOf)).toEqual([0, -1, 1.5, 1_000]);
  expect(['', undefined, 'x', 'Infinity', 'NaN', '1x'].map(numberOf)).toEqual(Array(6).fill(null));
});

test('the JSON of an object is one, and nothing else is', () => {
  expect(parsedObject('{"a":1}')).toEqual({ a: 1 });
  expect(['[]', 'null', '1', '"a"', '{', ''].map(parsedObject)).toEqual(Array(6).fill(null));
});
