import { expect, test } from 'vitest';
import { isEmptyValue, kindOf, nameFor } from './card.ts';

test('a property is of a kind, and what nobody knows is raw', () => {
  expect(['note', 'nickname', 'adr', 'url', 'photo', 'x-later'].map(kindOf)).toEqual([
    ...['text', 'list', 'structure', 'uri', 'binary', 'raw'],
  ]);
});

test('a value is empty where none of its parts says anything', () => {
  expect(['', [''], ['', []]].every(isEmptyValue)).toBe(true);
  expect(['a', ['', 'a'], [['']]].some(isEmptyValue)).toBe(false);
});

test('somebody without a name is called by the parts of one, or by what else there is', () => {
  const of = (value: string | string[]) => [{ value }];
  const n = of(['Größe', 'Zoë', 'Ann', 'Dr.', 'jun.']);
  expect(nameFor({ n, org: of(['Boats']) })).toBe('Dr. Zoë Ann Größe jun.');
  expect(nameFor({ n: of(['', ' ']), org: of(['Boats', '', 'Sales']) })).toBe('Boats Sales');
  expect(nameFor({ n: of('Zoë'), org: of('Boats') })).toBe('Zoë');
  expect(nameFor({ nickname: of(['Zo', 'Z']), tel: of('1') })).toBe('Zo Z');
  expect(nameFor({ tel: of('1'), email: of('z@a.example') })).toBe('z@a.example');
  expect(nameFor({ note: of('x') })).toBe('');
});
