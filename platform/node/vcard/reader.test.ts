// Files as programs write them, and what becomes of each card.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Card } from './card.ts';
import { readCards } from './reader.ts';

const file = (name: string): Uint8Array =>
  readFileSync(new URL(`../../../test/fixtures/vcards/${name}.vcf`, import.meta.url));
const all = (bytes: Uint8Array | string) => [
  ...readCards(typeof bytes === 'string' ? Buffer.from(bytes) : bytes),
];
const cardsOf = (name: string): Card[] =>
  all(file(name)).map((found) => ('card' in found ? found.card : {}));
const of = (value: unknown, more: object = {}) => [{ value, ...more }];
const type = (...types: string[]) => ({ params: { type: types } });
const one = (...lines: string[]) => {
  const [found] = all(['BEGIN:VCARD', ...lines, 'END:VCARD'].join('\r\n'));
  return found && 'card' in found ? found.card : found?.complaint;
};

/** The bytes of the picture in all of the files. */
const JPEG = Buffer.from([
  ...[0xff, 0xd8, 0xff, 0xe0],
  ...Array.from({ length: 200 }, (_, at) => at),
  ...[0xff, 0xd9],
]).toString('base64');
const PHOTO = `data:image/jpeg;base64,${JPEG}`;

describe('a file of', () => {
  test('a Mac: labels in groups, escaped colons, a picture, a company, a group', () => {
    const [zoe, shop, sailors] = cardsOf('apple');
    expect(zoe).toMatchObject({
      n: of(['Größe', 'Zoë', ['Ann', 'Bea'], 'Dr.', 'jun.']),
      org: of(['Größe & Co., Ltd', 'Boats', '']),
      email: [
        { value: 'zoe@home.example', params: { type: ['internet', 'home'], pref: ['1'] } },
        { value: 'zoe@boat.example', params: { type: ['internet'] }, group: 'item1' },
      ],
      url: of('http://zoe.example/?a=1,2', { params: { pref: ['1'] }, group: 'item4' }),
      note: of('first line\nsecond, with a comma; and a semicolon\\'),
      photo: of(PHOTO),
      'x-abuid': of('5AD380FD-B2DE-4261-BA99-DE1D1DB52FBE\\:ABPerson'),
      'x-abadr': of('dk', { group: 'item3' }),
    });
    expect(zoe?.['x-ablabel']?.[0]).toEqual({ value: 'Boat', group: 'item1' });
    expect(all(file('apple'))[0]).toMatchObject({ changedMs: Date.UTC(2012, 2, 4, 5, 6, 7) });
    expect(shop).not.toHaveProperty('n');
    expect(shop).toMatchObject({ fn: of('Boat Shop'), 'x-abshowas': of('COMPANY') });
    expect(sailors).toMatchObject({ 'x-addressbookserver-kind': of('group') });
  });

  test('Google: an address in many parts, a service, and somebody without a name', () => {
    const [zoe, nobody] = cardsOf('google');
    expect(zoe?.adr?.[1]?.value).toHaveLength(8);
    expect(zoe).toMatchObject({
      impp: of('xmpp:zoe@im.example', { params: { 'x-service-type': ['Jabber'], type: ['home'] } }),
      photo: of('https://photos.example/c/abc=s64'),
      categories: of(['myContacts', 'sea']),
    });
    expect(nobody).toEqual({ fn: of('+45 99'), tel: of('+45 99', type('cell')) });
  });

  test('Android, of version 2.1 and in quoted-printable', () => {
    expect(cardsOf('android')).toEqual([
      {
        n: of(['Größe', 'Zoë', '', '', '']),
        fn: of('Zoë Größe'),
        tel: [
          { value: '+45-12-34', params: { type: ['cell'], pref: ['1'] } },
          { value: '5', ...type('x-boat') },
          { value: '6', ...type('work', 'fax') },
        ],
        email: of('zoe@a.example', type('home')),
        adr: of(['', '', 'Havnegade 1, 2. sal', 'København', '', '1058', 'Danmark'], type('home')),
        org: of(['Boats, Ltd', 'Sales']),
        note: of('line 1\nline 2; with a semicolon='),
        'x-android-custom': of('vnd.android.cursor.item/nickname;Zo;1;;;;;;;;;;;;;'),
        bday: of('1970-02-28'),
        'x-skype-username': of('zoe'),
        photo: of(PHOTO),
      },
    ]);
  });

  test('Outlook, in Windows-1252', () => {
    const [zoe] = cardsOf('outlook');
    expect(zoe).toMatchObject({
      n: of(['Größe', 'Zoë'], { params: { language: ['da'] } }),
      note: of('Note with\nKøl €'),
      label: of('Havnegade 1\n1058 København', { params: { type: ['work'], pref: ['1'] } }),
      'x-ms-cardpicture': of(JPEG, { params: { type: ['jpeg'], encoding: ['b'] } }),
      'x-ms-ol-design': of(expect.stringContaining('b="c;d,e"')),
    });
  });

  test('Thunderbird, of version 4.0: forms of values, alternatives, a group of people', () => {
    const [zoe, sailors] = cardsOf('thunderbird');
    expect(zoe).toMatchObject({
      bday: of('--0229', { params: { value: ['DATE'] } }),
      tel: [
        { value: '+45 12', params: { type: ['cell'], value: ['TEXT'] } },
        { value: '+4512345678', params: { pref: ['1'], type: ['voice', 'home'] } },
        { value: 'tel:+45-1;ext=5', params: { value: ['uri'] } },
      ],
      adr: [{ params: { label: ['Havnegade 1\nKøbenhavn, ^DK^ "x"'] } }],
      url: of('https://zoe.example/a,b;c', type('home')),
      related: [{}, { value: 'Ann, from the boat', params: { value: ['text'] } }],
      n: [{ params: { altid: ['1'] } }, { params: { altid: ['1'], language: ['ja'] } }],
      'x-tb_odd': of('a;b\\;c,d'),
    });
    expect(sailors?.member).toHaveLength(2);
  });
});

describe('a card', () => {
  test('may not say its version, and of an unknown one it is refused', () => {
    expect(one('FN:A\\nB')).toEqual({ fn: of('A\nB') });
    expect(one('FN:A', 'VERSION:5.0')).toBe('VERSION is "5.0", known are 2.1, 3.0, 4.0');
    expect(one('VERSION:4.0 ', 'FN:A')).toEqual({ fn: of('A') });
  });

  test('that says nothing is refused, and what says nothing in it is left out', () => {
    expect(one('VERSION:3.0', 'FN:', 'N:;;;;', 'NICKNAME:')).toBe('it says nothing');
    expect(one('FN:A', 'TEL:', 'X-A:')).toEqual({ fn: of('A'), 'x-a': of('') });
  });

  test('keeps base64 that is none, and encodings that nobody knows', () => {
    expect(one('FN:A', 'PHOTO;ENCODING=b: A?À ')).toMatchObject({
      photo: of('A?À', { params: { encoding: ['b'] } }),
    });
    expect(one('FN:A', 'NOTE;ENCODING=rot13:x')).toMatchObject({
      note: of('x', { params: { encoding: ['rot13'] } }),
    });
    const note = Buffer.from('Zoë\r\nx').toString('base64');
    expect(one('FN:A', `NOTE;ENCODING=BASE64:${note}`)).toMatchObject({ note: of('Zoë\nx') });
  });

  test('keeps a time that is none, and says the place in one form', () => {
    expect(one('FN:A', 'REV:now', 'GEO:1.5;-2')).toMatchObject({
      rev: of('now'),
      geo: of('geo:1.5,-2'),
    });
    // Version 2.1 has it the other way round.
    expect(one('VERSION:2.1', 'FN:A', 'GEO:-2,1.5')).toMatchObject({ geo: of('-2,1.5') });
  });

  test('has the parameters of other alphabets whole', () => {
    expect(one('FN:A', 'TEL;TYPE=Ä;X-Ü=Ö:1')).toMatchObject({
      tel: of('1', { params: { type: ['Ä'], 'x-Ü': ['Ö'] } }),
    });
  });

  test('has no character that no card may have, not even a coded one', () => {
    const text = ['FN;X\u0001-A=a\u001b:Zo\u0000\u009bë', 'NOTE;QUOTED-PRINTABLE:a=1B=00=0D=0Ab'];
    expect(one(...text)).toEqual({
      fn: of('Zoë', { params: { 'x-a': ['a'] } }),
      note: of('a\nb'),
    });
  });

  test('has a name that was folded inside a letter', () => {
    const bytes = Buffer.concat([
      Buffer.from('BEGIN:VCARD\r\nFN:Zo'),
      Buffer.from([0xc3]),
      Buffer.from('\r\n '),
      Buffer.from([0xab]),
      Buffer.from('\r\nEND:VCARD'),
    ]);
    expect(all(bytes)).toMatchObject([{ card: { fn: of('Zoë') } }]);
  });
});

test('a bad card is told by its number, name and line, and the others are read', () => {
  const text = [
    ...['BEGIN:VCARD', 'FN:A', 'END:VCARD', 'stray'],
    ...['BEGIN:VCARD', 'VERSION:3.0', 'FN;X=1:Zoë', 'no colon', 'END:VCARD'],
    ...['BEGIN:VCARD', 'FN:B', 'END:VCARD', 'BEGIN:VCARD', 'TEL:1'],
  ].join('\n');
  expect(all(text)).toEqual([
    { number: 1, line: 1, card: { fn: of('A') }, changedMs: null },
    { number: null, name: '', line: 4, complaint: 'it is in no card: BEGIN:VCARD is missing' },
    { number: 2, name: 'Zoë', line: 8, complaint: 'no property: "no colon"' },
    { number: 3, line: 10, card: { fn: of('B') }, changedMs: null },
    { number: 4, name: '', line: 14, complaint: 'no END:VCARD before the end of the file' },
  ]);
});
