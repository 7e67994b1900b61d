import { describe, expect, test } from 'vitest';
import {
  type Card,
  cardOf,
  complaintOfCard,
  isLikelySamePerson,
  isSamePerson,
  nameIn,
  propertyKey,
} from './contact-card.ts';

const text = (value: string) => [{ value }];
const card = (members: object): Card =>
  cardOf({
    card: Object.fromEntries(
      Object.entries(members).map(([name, value]) => [
        name,
        Array.isArray(value) ? value : text(`${value}`),
      ]),
    ),
  });

describe('a card', () => {
  test.each([
    ['card', 7],
    ['card', []],
    ['card.TEL', { TEL: text('1') }],
    ['card.tel', { tel: '1' }],
    ['card.tel', { tel: [] }],
    ['card.tel', { tel: ['1'] }],
    ['card.tel.value', { tel: [{ value: 1 }] }],
    ['card.n.value', { n: [{ value: ['a', ['b', 1]] }] }],
    ['card.n.value', { n: [{ value: ['a', [['b']]] }] }],
    ['card.tel.group', { tel: [{ value: '1', group: 1 }] }],
    ['card.tel.params', { tel: [{ value: '1', params: [] }] }],
    ['card.tel.params', { tel: [{ value: '1', params: { type: 'home' } }] }],
    ['card.tel.params', { tel: [{ value: '1', params: { type: ['home', 1] } }] }],
  ])('is refused by the name of what is wrong: %s', (field, bad) => {
    expect(complaintOfCard(bad)?.startsWith(`${field}: `)).toBe(true);
  });

  test('has texts, components, lists in them, parameters, groups, and members of later', () => {
    const good = {
      n: [{ value: ['Größe', ['Zoë', 'Ann'], ''], later: 1 }],
      tel: [{ value: '1', group: 'item1', params: { type: ['home', 'pref'], later: [] } }],
      'x-odd_name': text(''),
    };
    expect(complaintOfCard(good)).toBeNull();
    expect(complaintOfCard({})).toBeNull();
  });
});

test('a contact is called by its name, its parts, or what there is instead', () => {
  expect(nameIn(card({ fn: ' Zoë\n Größe ', org: 'X' }))).toBe('Zoë Größe');
  expect(nameIn(card({ fn: '', n: [{ value: ['Größe', ['Zoë', 'Ann']] }] }))).toBe('Größe Zoë Ann');
  expect(nameIn(card({ org: [{ value: ['X', 'Y'] }], tel: '1' }))).toBe('X Y');
  expect(nameIn(card({ tel: '1', email: 'a@b.example' }))).toBe('a@b.example');
  expect(nameIn(card({ note: 'x' }))).toBe('');
});

test('a property is the same by what it reaches, whatever its form', () => {
  const tel = (value: string): string => propertyKey('tel', { value });
  expect(new Set(['+45 (12) 34-56', '+45.12.34.56', 'tel:+45123456', '+45\u20131234 56'].map(tel)));
  expect(new Set(['+45 (12) 34-56', '+45.12.34.56', 'tel:+45123456'].map(tel))).toEqual(
    new Set(['+45123456']),
  );
  expect(tel('*100#')).toBe('*100#');
  expect(tel('( - )')).toBe('( - )');
  expect(propertyKey('email', { value: 'A@B.example' })).toBe('a@b.example');
  expect(propertyKey('note', { value: 'A-B' })).toBe('A-B');
  expect(propertyKey('x-ablabel', { value: 'A', group: 'Item1' })).toBe('item1');
  expect(propertyKey('x-ablabel', { value: 'A' })).toBe('A');
  expect(propertyKey('tel', { value: '1', group: 'Item1' })).toBe('1');
});

describe('two cards', () => {
  const [zoe, mail, home] = [{ fn: 'Zoë' }, { email: 'z@a.example' }, { tel: '+1 5' }];
  const both = (one: object, other: object): string => {
    const [a, b] = [card(one), card(other)];
    expect([isSamePerson(b, a), isLikelySamePerson(b, a)]).toEqual([
      isSamePerson(a, b),
      isLikelySamePerson(a, b),
    ]);
    return isSamePerson(a, b) ? 'same' : isLikelySamePerson(a, b) ? 'likely' : 'two';
  };

  test('are of one person by name and UID, whatever else they say', () => {
    expect(both({ ...zoe, uid: 'x' }, { ...zoe, ...mail, uid: 'x' })).toBe('same');
    expect(both({ ...zoe, ...mail, uid: 'x' }, { ...zoe, ...mail, uid: 'y' })).toBe('two');
    expect(both({ ...zoe, ...mail, uid: 'x' }, { fn: 'Ann', ...mail, uid: 'x' })).toBe('two');
    expect(both({ ...zoe, uid: 'urn:uuid:AB-1' }, { ...zoe, uid: 'ab-1' })).toBe('same');
  });

  test('are of one person by name and all ways to reach them, however written', () => {
    const longer = { ...zoe, email: 'Z@A.example', tel: '+15', note: 'x' };
    expect(both({ ...zoe, ...mail, ...home }, longer)).toBe('same');
    expect(both({ ...zoe, ...home }, { ...zoe, tel: [...text('+1-5'), ...text('+15')] })).toBe(
      'same',
    );
    expect(both(zoe, zoe)).toBe('same');
    const photos = ['AAAA', 'AABB'].map((data) => ({ photo: `data:image/png;base64,${data}` }));
    expect(both({ ...zoe, ...photos[0] }, { ...zoe, ...photos[1] })).toBe('two');
    const born = ['1970-02-28', '19700228', '19700228T000000Z'].map((bday) => ({ ...zoe, bday }));
    for (const one of born) expect(both({ ...born[0], ...mail }, { ...one, ...mail })).toBe('same');
    const noYear = ['--0228', '--02-28', '1604-02-28'].map((bday) => ({ ...zoe, ...mail, bday }));
    for (const one of noYear) expect(both(noYear[0] ?? {}, one)).toBe('same');
    const [short, long] = [
      ['Größe', 'Zoë'],
      ['Größe', 'Zoë', '', '', ''],
    ].map((value) => ({
      ...{ ...zoe, ...mail },
      n: [{ value }],
    }));
    expect(both(short ?? {}, long ?? {})).toBe('same');
    expect(both(zoe, { ...zoe, note: 'x' })).toBe('two');
  });

  test('may be of one person where they share an address, or where nothing else is known', () => {
    expect(both({ ...zoe, ...mail }, { ...zoe, ...mail, ...home })).toBe('likely');
    expect(both({ ...zoe, ...mail, uid: 'x' }, { ...zoe, ...mail })).toBe('likely');
    expect(both({ ...zoe, ...home, bday: '1970-01-01' }, { ...zoe, ...home })).toBe('likely');
  });

  test('are of two where they may be: one telephone, another birthday, another name', () => {
    const mobile = { tel: [...text('+1 5'), ...text('+1 6')] };
    expect(both({ ...zoe, ...home }, { ...zoe, ...mobile })).toBe('two');
    expect(both({ ...zoe, ...home, ...mail }, { ...zoe, ...home })).toBe('two');
    const [older, younger] = [{ bday: '1940-01-01' }, { bday: '1970-01-01' }];
    expect(both({ ...zoe, ...mail, ...older }, { ...zoe, ...mail, ...younger })).toBe('two');
    const [senior, junior] = ['sen.', 'jun.'].map((suffix) => ({
      n: [{ value: ['', 'Zoë', '', '', suffix] }],
    }));
    expect(both({ ...zoe, ...mail, ...senior }, { ...zoe, ...mail, ...junior })).toBe('two');
    expect(both({ ...zoe, ...mail }, { fn: 'zoë', ...mail })).toBe('two');
    // The end of one text is not the start of the next.
    expect(
      both({ ...zoe, tel: [...text('1,2')] }, { ...zoe, tel: [...text('1'), ...text('2')] }),
    ).toBe('two');
  });
});
