import { describe, expect, test } from 'vitest';
import { cardsIn, unfolded } from './lines.ts';

const linesOf = (text: string, isOld = false) =>
  [...cardsIn(text)].map(({ isCard, lines, fault }) => ({
    ...(isCard ? { lines: unfolded(lines, isOld).map((one) => one.inner ?? one.text) } : {}),
    ...(fault && { fault: `${fault.line}: ${fault.message}` }),
  }));
const card = (...lines: string[]): string => `BEGIN:VCARD\n${lines.join('\n')}\nEND:VCARD\n`;

describe('a file', () => {
  test('has cards between BEGIN and END, whatever ends its lines', () => {
    for (const end of ['\n', '\r\n', '\r', '\r\r\n']) {
      const text = `${card('A:1', ' 2', '', 'B:3')}\n begin : vcard \nC:4\nend:vcard`;
      expect(linesOf(text.replaceAll('\n', end))).toEqual([
        { lines: ['A:12', 'B:3'] },
        { lines: ['C:4'] },
      ]);
    }
    expect(linesOf('')).toEqual([]);
  });

  test('that has a card without an end has those around it', () => {
    const text = `${card('A:1')}BEGIN:VCARD\nB:2\n${card('C:3')}BEGIN:VCARD\nD:4`;
    expect(linesOf(text)).toEqual([
      { lines: ['A:1'] },
      { lines: ['B:2'], fault: '5: no END:VCARD before the BEGIN:VCARD of line 6' },
      { lines: ['C:3'] },
      { lines: ['D:4'], fault: '10: no END:VCARD before the end of the file' },
    ]);
  });

  test('that has lines outside of cards tells each place once', () => {
    const fault = (line: number) => `${line}: it is in no card: BEGIN:VCARD is missing`;
    expect(linesOf(`x\ny\n${card('A:1')}\n\nz\n`)).toEqual([
      { fault: fault(1) },
      { lines: ['A:1'] },
      { fault: fault(8) },
    ]);
  });

  test('that has a card beyond the limit says the limit, and has the next one', () => {
    const long = `A:${'x'.repeat(1_000_000)}`;
    const found = linesOf(card(...Array.from({ length: 17 }, () => long)) + card('B:1'));
    expect(found[0]?.fault).toBe('17: it has 17000034 bytes, a card may have 16777216');
    expect(found[1]).toEqual({ lines: ['B:1'] });
  });
});

describe('a content line', () => {
  test('goes on behind white space, which is part of the text in version 2.1 alone', () => {
    const text = card('A:1', ' 2', '\t3', '  4', '  ');
    expect(linesOf(text)).toEqual([{ lines: ['A:123 4 '] }]);
    expect(linesOf(text, true)).toEqual([{ lines: ['A:1 2\t3  4  '] }]);
  });

  test('goes on behind the = of quoted-printable', () => {
    const text = card(
      'A;ENCODING=QUOTED-PRINTABLE:1=',
      '=3D=',
      ' 2',
      'B;QUOTED-PRINTABLE:=',
      'x',
      'C:=',
    );
    const lines = ['A;ENCODING=QUOTED-PRINTABLE:1=3D 2', 'B;QUOTED-PRINTABLE:x', 'C:='];
    expect(linesOf(text, true)).toEqual([{ lines }]);
  });

  test('of base64 goes on without white space, up to the next property', () => {
    const text = card('PHOTO;ENCODING=b:AA', 'BB==', 'B:1');
    expect(linesOf(text)).toEqual([{ lines: ['PHOTO;ENCODING=b:AABB==', 'B:1'] }]);
    expect(linesOf(card('PHOTO;BASE64:', '  AA', '', 'B:1'), true)).toEqual(
      [{ lines: ['PHOTO;BASE64:  AA', 'B:1'] }].map(({ lines }) => ({
        lines: lines.map((line) => line.replace(':  ', ': ')),
      })),
    );
    expect(linesOf(card('NOTE:AA', 'BB'))).toEqual([{ lines: ['NOTE:AA', 'BB'] }]);
  });

  test('may have a card for its value, and that one another', () => {
    const inner = card('A:1', ...card('B:2').trim().split('\n')).trim();
    for (const text of [card('AGENT:', inner, 'C:3'), card(`AGENT:${inner}`, 'C:3')]) {
      expect(linesOf(text, true)).toEqual([{ lines: [inner, 'C:3'] }]);
    }
    expect(linesOf(card('AGENT:BEGIN:VCARD\\nA:1\\nEND:VCARD', 'C:3'))).toEqual([
      { lines: ['AGENT:BEGIN:VCARD\\nA:1\\nEND:VCARD', 'C:3'] },
    ]);
  });
});
