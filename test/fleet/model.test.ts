import { beforeEach, expect, test } from 'vitest';
import { differences, Model, type Thing } from './model.ts';

const thing = (key: string, value: string, ...visits: number[]): Thing => ({ key, value, visits });

let model: Model;
beforeEach(() => {
  model = new Model();
  model.settle([thing('a', 'old', 1), thing('b', 'other', 2)]);
});

const problems = (...held: Thing[]) => model.problems(held);
const B = thing('b', 'other', 2);

test('what nobody has edited stays as it was', () => {
  expect(problems(thing('a', 'old', 1), B)).toEqual([]);
  expect(problems(B)).toEqual(['a is gone']);
  expect(problems(thing('a', 'new', 1), B)).toEqual(['a is new, not old']);
  expect(problems(thing('a', 'old'), B)).toEqual(['a has lost its newest visit']);
  expect(problems(thing('a', 'old', 1), B, B)).toEqual(['b is there twice']);
  expect(problems(thing('a', 'old', 1), B, thing('c', 'x'))).toEqual(["c is nobody's"]);
});

test('an edit is there, with its visit', () => {
  model.put('tv', thing('a', 'new', 5), 'old');
  expect(problems(thing('a', 'new', 5, 1), B)).toEqual([]);
  expect(problems(thing('a', 'old', 5, 1), B)).toEqual(['a is old, and not tv: new']);
  expect(problems(thing('a', 'new', 1), B)).toEqual(['a has lost visits: 5']);
  expect(problems(B)).toEqual(['a is null, and not tv: new']);
});

test('of edits that did not know of each other either stays, and all visits', () => {
  model.put('tv', thing('a', 'tv', 5), 'old');
  model.put('pc', thing('a', 'pc', 6), 'old');
  expect(problems(thing('a', 'tv', 6, 5, 1), B)).toEqual([]);
  expect(problems(thing('a', 'pc', 6, 5, 1), B)).toEqual([]);
  expect(problems(thing('a', 'pc', 6, 1), B)).toEqual(['a has lost visits: 5']);
});

test('an edit of what was seen takes its place', () => {
  model.put('tv', thing('a', 'tv', 5), 'old');
  model.put('pc', thing('a', 'pc', 6), 'tv');
  expect(problems(thing('a', 'tv', 6, 5, 1), B)).toHaveLength(1);
  model.delete('tv', 'a', 'pc');
  expect(problems(B)).toEqual([]);
  expect(problems(thing('a', 'pc', 6), B)).toHaveLength(1);
});

test('a deletion may give way to an edit that did not know of it, and to nothing else', () => {
  model.delete('tv', 'a', 'old');
  expect(problems(thing('a', 'old', 1), B)).toEqual(['a is old, and not tv: deleted']);
  model.put('pc', thing('a', 'pc', 6), 'old');
  expect(problems(thing('a', 'pc', 6), B)).toEqual([]);
  expect(problems(B)).toEqual([]);
});

test('where the storage began anew a deletion may be forgotten, and an edit not', () => {
  model.delete('tv', 'a', 'old');
  model.put('tv', thing('b', 'new', 7), 'other');
  model.begunAnew();
  const held = [thing('a', 'old', 1), thing('b', 'new', 7)];
  expect(model.problems(held)).toEqual([]);
  expect(problems(thing('a', 'old', 1), thing('b', 'other', 7))).toHaveLength(1);
  model.put('pc', thing('c', 'made', 8), null);
  model.delete('tv', 'c', 'made');
  expect(model.problems([...held, thing('c', 'made', 8)])).toEqual([]);
  expect(model.problems([...held, thing('c', 'x', 8)])).toHaveLength(1);
  model.settle(held);
  expect(model.undone).toBe(1);
  model.delete('tv', 'a', 'old');
  expect(model.problems(held)).toHaveLength(1);
});

test('two sides differ where one lacks something, has it twice, or in another state', () => {
  const [a, b] = [thing('a', 'x', 1), thing('b', 'y')];
  expect(differences([a, b], [b, a])).toEqual([]);
  expect(differences([a, b], [a])).toEqual(['b']);
  expect(differences([a, a], [a])).toEqual(['a']);
  expect(differences([a], [thing('a', 'z', 1)])).toEqual(['a']);
  expect(differences([a], [thing('a', 'x', 2)])).toEqual(['a']);
});
