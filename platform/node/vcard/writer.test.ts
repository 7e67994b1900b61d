import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Card, Property } from './card.ts';
import { readCards } from './reader.ts';
import { VERSIONS, type Version, writeCard } from './writer.ts';

const FILES = new URL('../../../test/fixtures/vcards/', import.meta.url);

const read = (text: string) => [...readCards(Buffer.from(text))];
const of = (value: Property['value'], params?: Property['params']) => [
  { value, ...(params && { params }) },
];
const linesOf = (card: Card, version: Version, changedMs = 0): string[] =>
  writeCard(card, changedMs, version).replaceAll('\r\n ', '').split('\r\n').slice(2, -2);

describe('a card is written', () => {
  test('as its version has it', () => {
    const card: Card = {
      fn: of('Zoë, A'),
      tel: of('+1', { type: ['cell'], pref: ['1'] }),
      email: of('z@a.example', { pref: ['2'] }),
      photo: of('data:image/png;base64,AAAA'),
      logo: of('https://a.example/,'),
      geo: of('geo:1.5,-2'),
      impp: [{ value: 'xmpp:z', group: 'item 1' }],
      related: of('Ann, B', { value: ['text'] }),
    };
    const timeMs = Date.UTC(2012, 2, 4, 5, 6, 7);
    expect(linesOf(card, '3.0', timeMs)).toEqual([
      'FN:Zoë\\, A',
      'N:;;;;',
      'TEL;TYPE=CELL,PREF:+1',
      'EMAIL;PREF=2:z@a.example',
      'PHOTO;ENCODING=b;TYPE=PNG:AAAA',
      'LOGO;VALUE=uri:https://a.example/,',
      'GEO:1.5;-2',
      'item-1.IMPP:xmpp:z',
      'RELATED;VALUE=text:Ann\\, B',
      'REV:2012-03-04T05:06:07Z',
    ]);
    expect(linesOf(card, '4.0', timeMs)).toEqual([
      'FN:Zoë\\, A',
      'TEL;TYPE=cell;PREF=1:+1',
      'EMAIL;PREF=2:z@a.example',
      'PHOTO:data:image/png;base64,AAAA',
      'LOGO:https://a.example/,',
      'GEO:geo:1.5,-2',
      'item-1.IMPP:xmpp:z',
      'RELATED;VALUE=text:Ann\\, B',
      'REV:20120304T050607Z',
    ]);
  });

  test('with a name, which both versions want', () => {
    expect(linesOf({ n: of(['Größe', 'Zoë']), rev: of('now') }, '4.0')).toEqual([
      'FN:Zoë Größe',
      'N:Größe;Zoë',
      'REV:now',
    ]);
    expect(linesOf({ note: of('x') }, '3.0')).toEqual(['FN:', 'N:;;;;', 'NOTE:x']);
  });

  test('without characters that no card may have', () => {
    const text = writeCard({ fn: of('A\u001b[2J\0\u009b\tB') }, 0, '4.0');
    expect(text).toContain('\r\nFN:A[2J\tB\r\n');
  });

  test('in lines of at most 75 octets that end between letters', () => {
    const text = writeCard({ fn: of('Zoë 😀 ゾエ '.repeat(40)) }, 0, '4.0');
    for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThan(76);
    expect(text).not.toContain('\ufffd');
    expect(Math.max(...text.split('\r\n').map((line) => Buffer.byteLength(line)))).toBe(75);
    expect(read(text)).toMatchObject([{ card: { fn: of('Zoë 😀 ゾエ '.repeat(40)) } }]);
  });
});

describe.each(VERSIONS)('what version %s has written is read again', (version) => {
  test.each(readdirSync(FILES))('of %s', (name) => {
    const found = [...readCards(readFileSync(new URL(name, FILES)))];
    expect(found.length).toBeGreaterThan(0);
    for (const one of found) {
      if (!('card' in one)) throw new Error(one.complaint);
      const text = writeCard(one.card, one.changedMs ?? 0, version);
      expect(read(text)).toEqual([{ ...one, number: 1, line: 1 }]);
    }
  });

  test('of files with anything in them', () => {
    const files = readdirSync(FILES).map((name) => readFileSync(new URL(name, FILES)));
    const damage = fc.record({
      file: fc.constantFrom(...files),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat(20),
      put: fc.oneof(
        fc.uint8Array({ maxLength: 2 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
        fc.constantFrom('BEGIN:VCARD\n', 'END:VCARD\n', '\n', '\n ', '=\n', ';', ':', 'AGENT:\n'),
        fc.constantFrom('=3D', '"', '\\', '^', ';ENCODING=b', ';QUOTED-PRINTABLE', ';VALUE=uri'),
      ),
    });
    fc.assert(
      fc.property(damage, ({ file, at, cut, put }) => {
        const start = Math.floor(at * file.length);
        const rest = file.subarray(start + cut);
        const bytes = Buffer.concat([file.subarray(0, start), Buffer.from(put, 'latin1'), rest]);
        for (const one of readCards(bytes)) {
          if (!('card' in one)) continue;
          const text = writeCard(one.card, one.changedMs ?? 0, version);
          expect(read(text)).toEqual([{ ...one, number: 1, line: 1 }]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('of any card', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', ' ', '\\', ',', ';', ':', '\n', '"', '^', '=', '\t', 'ë', '😀'),
      minLength: 1,
    });
    const parts = fc.array(fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 2 })), {
      minLength: 1,
      maxLength: 8,
    });
    const params = fc.record(
      {
        type: fc.constantFrom(['home'], ['work', 'x-boat'], ['größe']),
        pref: fc.constantFrom(['1'], ['7']),
        'x-a': fc.array(text, { minLength: 1, maxLength: 2 }),
      },
      { requiredKeys: [] },
    );
    const withParams = (value: fc.Arbitrary<Property['value']>) =>
      fc.array(
        fc
          .record({ value, params, group: fc.constantFrom('item1', 'Home', undefined) })
          .map(({ group, params: some, ...rest }) => ({
            ...rest,
            ...(Object.keys(some).length > 0 && { params: some }),
            ...(group !== undefined && { group }),
          })),
        { minLength: 1, maxLength: 2 },
      );
    const data = fc
      .uint8Array({ maxLength: 200 })
      .map((bytes) => `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`);
    const card = fc.record(
      {
        fn: withParams(text),
        note: withParams(text),
        tel: withParams(fc.constantFrom('+1 2', '*#', '1;2')),
        n: withParams(parts),
        adr: withParams(parts),
        nickname: withParams(fc.array(text, { minLength: 1, maxLength: 3 })),
        url: withParams(fc.constantFrom('http://a/,;', 'a\\b', 'https://ë.example/?a="b"')),
        photo: withParams(fc.oneof(data, fc.constant('https://a.example/a.png'))),
        'x-odd_1': withParams(fc.constantFrom('a;b\\;c,d', '\\n', '')),
      },
      { requiredKeys: ['fn'] },
    );
    fc.assert(
      fc.property(card, (one) => {
        const [found, ...more] = read(writeCard(one as Card, 0, version));
        expect(more).toEqual([]);
        expect(found).toEqual({ number: 1, line: 1, card: one, changedMs: null });
      }),
      { numRuns: 300 },
    );
  });
});
