import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SyncError } from '../errors.ts';
import { createLineSplitter, createSplitter, SKIP_CHARS_MAX, type SplitItem } from './records.ts';

const OPTIONS = { recordCharsMax: 1_000, depthMax: 8, member: 'data' };

/** Feeds a document in pieces of the given lengths (the rest in one) and returns what came out. */
function split(document: string, lengths: readonly number[] = [], options = OPTIONS): SplitItem[] {
  const splitter = createSplitter(options);
  const out: SplitItem[] = [];
  let at = 0;
  for (const length of lengths) {
    splitter.push(document.slice(at, at + length), out);
    at += length;
  }
  splitter.push(document.slice(at), out);
  splitter.end(out);
  return out;
}

function splitLines(text: string, chunkChars: number): SplitItem[] {
  const splitter = createLineSplitter(OPTIONS);
  const out: SplitItem[] = [];
  for (let at = 0; at < text.length; at += chunkChars) {
    splitter.push(text.slice(at, at + chunkChars), out);
  }
  splitter.end(out);
  return out;
}

function parsed(items: readonly SplitItem[]): unknown[] {
  return items.map((item) => ('text' in item ? JSON.parse(item.text) : item));
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SyncError) return error.code;
    throw error;
  }
  return 'no error';
}

const someJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.string({
      unit: fc.constantFrom('"', '\\', '\\u0022', 'a', '{', ']', ',', ':', '\n', 'é', '\ud83d'),
    }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(null, true, false),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 5 }), tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('a list of records', () => {
  test('comes apart into the texts of its records', () => {
    const document = '{"data": [{"id":"a"}, {"id":"b","x":[1,{"y":"]}"}]}\n] }';
    expect(parsed(split(document))).toEqual([{ id: 'a' }, { id: 'b', x: [1, { y: ']}' }] }]);
  });

  test('may be empty', () => {
    expect(split('{"data":[]}')).toEqual([]);
    expect(split(' \n{\t"data" : [ \r ] } ')).toEqual([]);
  });

  test('is found among other members, wherever it stands', () => {
    const document = '{"data2":["data"],"a":{"data":[1]},"n":-1.5e3,"data":[{"id":"a"}],"z":"],"}';
    expect(parsed(split(document))).toEqual([{ id: 'a' }]);
  });

  test('gives records before it is complete', () => {
    const splitter = createSplitter(OPTIONS);
    const out: SplitItem[] = [];
    splitter.push('{"data":[{"id":"a"},{"id":', out);
    expect(out).toEqual([{ text: '{"id":"a"}' }]);
  });

  test('gives the same records wherever it is cut in two', () => {
    const records = [{ id: 'a"\\' }, { p: '{"c":"\\\\\\"","d":[]}', n: [1, [2]] }, 'x,]', null, 7];
    const data = JSON.stringify(records, null, 1);
    const document = ` {"before":{"a":"\\\\"} ,"data":${data},"after":[1] }\n`;
    for (let at = 0; at <= document.length; at++) {
      expect(parsed(split(document, [at]))).toEqual(records);
    }
  });

  test('gives what JSON.parse gives, for any records and any pieces', () => {
    const spacing = fc.constantFrom(undefined, 1, '\t');
    fc.assert(
      fc.property(fc.array(someJson), spacing, fc.array(fc.nat(9)), (records, space, lengths) => {
        const document = JSON.stringify({ a: records, data: records }, null, space);
        const options = { ...OPTIONS, recordCharsMax: 100_000 };
        expect(parsed(split(document, lengths, options))).toEqual(JSON.parse(document).data);
      }),
    );
  });

  test('hands on what is no JSON within a record, and goes on behind it', () => {
    const items = split('{"data":[{"id":"a"} junk,{"id":b},"{",{"id":"c"}]}');
    expect(items).toEqual(
      ['{"id":"a"} junk', '{"id":b}', '"{"', '{"id":"c"}'].map((text) => ({ text })),
    );
  });
});

describe('a record that is too large', () => {
  const large = { id: 'big~{}', payload: 'x"]}'.repeat(500) };
  const chars = JSON.stringify(large).length;

  test('is reported with its id, and the next one is found', () => {
    const document = JSON.stringify({ data: [{ id: 'a' }, large, { id: 'b' }] });
    for (const chunkChars of [1, 7, 300, 10_000]) {
      const lengths = Array(Math.ceil(document.length / chunkChars)).fill(chunkChars);
      expect(parsed(split(document, lengths))).toEqual([
        { id: 'a' },
        { tooLarge: true, idHint: 'big~{}', chars },
        { id: 'b' },
      ]);
    }
  });

  test('has no id when the id is not its first member', () => {
    const turned = { payload: '{"id":"no"}'.repeat(200), id: 'big' };
    expect(split(JSON.stringify({ data: [turned] }))).toMatchObject([{ idHint: null }]);
  });

  test('may be exactly as large as allowed', () => {
    const text = JSON.stringify({ id: 'a', x: 'y'.repeat(OPTIONS.recordCharsMax - 17) });
    expect(text).toHaveLength(OPTIONS.recordCharsMax);
    expect(split(`{"data":[${text}]}`)).toEqual([{ text }]);
    expect(split(`{"data":[${text} ]}`)).toMatchObject([{ chars: OPTIONS.recordCharsMax + 1 }]);
  });

  test.each([
    ['string', '{"data":[{"id":"a","x":"', 'xxxx'],
    ['run of spaces', '{"data":[', '    '],
    ['member of no interest', '{"a":"', 'xxxx'],
    ['member name', '{"', 'xxxx'],
    ['end', '{"data":[]}', '    '],
  ])('or an endless %s is given up after a bounded number of characters', (_, start, filler) => {
    const splitter = createSplitter(OPTIONS);
    const out: SplitItem[] = [];
    const chunk = filler.repeat(4_096);
    splitter.push(start, out);
    let chars = 0;
    const endless = () => {
      for (; ; chars += chunk.length) splitter.push(chunk, out);
    };
    expect(codeOf(endless)).toBe('badResponse');
    expect(chars).toBeLessThanOrEqual(SKIP_CHARS_MAX);
    expect(out).toEqual([]);
  });

  test('does not wear the patience with those that come before and after', () => {
    const splitter = createSplitter(OPTIONS);
    const out: SplitItem[] = [];
    const document = `{"data":[${'{"id":"a"},'.repeat(400_000)}{}]}`;
    for (let at = 0; at < document.length; at += 16_384) {
      splitter.push(document.slice(at, at + 16_384), out);
    }
    splitter.end(out);
    expect(document.length).toBeGreaterThan(SKIP_CHARS_MAX);
    expect(out).toHaveLength(400_001);
  });
});

describe('a document that is not a list of records', () => {
  test.each([
    ['a web page', '<!DOCTYPE html><html></html>'],
    ['a list', '[{"id":"a"}]'],
    ['a byte order mark', '\ufeff{"data":[]}'],
    ['an error', '{"code":401,"errno":104,"data":{}}'],
    ['a document without the list', '{"next":[]}'],
    ['an empty object', '{}'],
    ['two lists', '{"data":[],"data":[{"id":"a"}]}'],
    ['a list with holes', '{"data":[{"id":"a"},,{"id":"b"}]}'],
    ['a list with a comma at its end', '{"data":[{"id":"a"},]}'],
    ['an object with a comma at its end', '{"data":[],}'],
    ['a list closed by a brace', '{"data":[{"id":"a"}}'],
    ['two documents', '{"data":[]}{"data":[]}'],
    ['text behind the list', '{"data":[] x}'],
    ['a name without value', '{"data","x":1}'],
  ])('is refused: %s', (_, document) => {
    expect(codeOf(() => split(document))).toBe('badResponse');
  });

  test.each(['[', ' \n[', '['])('is a list alone where lines were asked for: %j', (open) => {
    const records = [{ id: 'a', n: [1, { b: ']' }] }, { id: 'b' }, { id: 'c' }];
    const text = `${open}${JSON.stringify(records).slice(1)}\n`;
    for (const chunkChars of [1, 2, 7, text.length]) {
      expect(parsed(splitLines(text, chunkChars))).toEqual(records);
    }
    expect(splitLines(`${open}]`, 1)).toEqual([]);
  });

  test.each([
    ['[{"id":"a"}', 'truncated'],
    ['[{"id":"a"},', 'truncated'],
    ['[{"id":"a"},]', 'badResponse'],
    ['[{"id":"a"}] x', 'badResponse'],
    ['[{"id":"a"}}', 'badResponse'],
  ])('is a list alone that is none: %s', (text, code) => {
    expect(codeOf(() => splitLines(text, 3))).toBe(code);
  });

  test('is refused as what it is: a page of HTML', () => {
    const page = '\n<!DOCTYPE html>';
    for (const action of [() => split(page), () => splitLines(page, 20)]) {
      expect(action).toThrow('the answer is a page of HTML');
    }
  });

  test('is refused at its first character', () => {
    expect(codeOf(() => createSplitter(OPTIONS).push(' <', []))).toBe('badResponse');
  });

  test.each(['[', '{"a":', '[[],'])('is refused when it is a million times %s', (opener) => {
    for (const start of ['{"data":[', '{"other":']) {
      const document = start + opener.repeat(1_000_000);
      expect(codeOf(() => split(document))).toBe('badResponse');
    }
  });

  test('is cut short at every position but the last', () => {
    const document = '{"data":[{"id":"a"}],"z":1}';
    for (let at = 0; at < document.length; at++) {
      expect(codeOf(() => split(document.slice(0, at)))).toBe('truncated');
    }
    expect(codeOf(() => split(document))).toBe('no error');
  });
});

describe('a record a line', () => {
  const text = '{"id":"a"}\n\n{"id":"b\\n"}\r\n{"id":"c"}';

  test('comes out whatever the pieces, with or without the last newline', () => {
    for (let chunkChars = 1; chunkChars <= text.length; chunkChars++) {
      const expected = [{ id: 'a' }, { id: 'b\n' }, { id: 'c' }];
      expect(parsed(splitLines(text, chunkChars))).toEqual(expected);
      expect(parsed(splitLines(`${text}\n`, chunkChars))).toEqual(expected);
    }
    expect(splitLines('', 1)).toEqual([]);
  });

  test('is skipped and reported when too long', () => {
    const long = JSON.stringify({ id: 'big', x: 'y'.repeat(2_000) });
    expect(splitLines(`${long}\n{"id":"a"}\n`, 64)).toEqual([
      { tooLarge: true, idHint: 'big', chars: long.length },
      { text: '{"id":"a"}' },
    ]);
  });

  test('is no web page and no endless line', () => {
    expect(codeOf(() => splitLines('\n<html>', 1))).toBe('badResponse');
    expect(codeOf(() => splitLines(`{"${'x'.repeat(SKIP_CHARS_MAX)}`, 16_384))).toBe('badResponse');
  });
});
