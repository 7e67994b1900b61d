// What people have in the address books of several makers, on its way over a Kinto: files into one
// computer, out of another one, and changes on both.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { computerOf, type ServedKinto, serveKinto } from '../../../test/support/served-kinto.ts';
import type { Card } from '../vcard/card.ts';
import { readCards } from '../vcard/reader.ts';

const FILES = fileURLToPath(new URL('../../../test/fixtures/vcards/', import.meta.url));
/** Outlook's has somebody who may be one of two in others: of these each person is known. */
const files = readdirSync(FILES)
  .filter((name) => name !== 'outlook.vcf')
  .map((name) => join(FILES, name));
const folder = temporaryFolder();

type Computer = ReturnType<typeof computerOf>;

let kinto: ServedKinto;
let one: Computer;
let two: Computer;

beforeAll(async () => {
  kinto = await serveKinto();
  [one, two] = [computerOf(kinto), computerOf(kinto)];
  const { out: code } = await one.signIn('secret');
  await two.signIn(`secret\n${code}`);
  for (const each of [one, two]) await sync(each);
});
afterAll(() => kinto.close());

async function sync(computer: Computer): Promise<string> {
  const run = await computer.sync('--collections', 'contacts');
  expect(run).toMatchObject({ code: 0, complaints: '' });
  return run.out;
}

const cardsIn = (path: string): Card[] =>
  [...readCards(readFileSync(path))].map((found) => {
    if ('card' in found) return found.card;
    throw new Error(`${path}: ${found.complaint}`);
  });
const sorted = (cards: readonly Card[]): string[] =>
  cards.map((card) => JSON.stringify(Object.entries(card).sort())).sort();

async function exportOf(computer: Computer, ...more: string[]): Promise<Card[]> {
  const path = join(folder, 'all.vcf');
  const run = await computer.on('contacts', 'export', path, ...more);
  expect(run).toMatchObject({ code: 0, complaints: '' });
  return cardsIn(path);
}

async function change(computer: Computer, ...lines: string[]): Promise<string> {
  const path = join(folder, 'change.vcf');
  writeFileSync(path, ['BEGIN:VCARD', ...lines, 'END:VCARD', ''].join('\r\n'));
  return (await computer.on('contacts', 'import', path)).out;
}

async function called(computer: Computer, name: string) {
  const { out } = await computer.on('list', 'contacts', '--json', '--limit', '1000');
  const all: { guid: string; card: Card }[] = JSON.parse(out);
  return all.filter(({ card }) => card.fn?.[0]?.value === name);
}

test('two computers import the files of several makers, and each has everybody once', async () => {
  const half = files.length / 2;
  const before = files.map((path) => statSync(path).mtimeMs);
  await one.on('contacts', 'import', ...files.slice(0, half + 2));
  await two.on('contacts', 'import', ...files.slice(half - 2));
  for (const each of [one, two, one]) await sync(each);
  expect(sorted(await exportOf(one))).toEqual(sorted(await exportOf(two)));
  // What was read is as it was.
  expect(files.map((path) => statSync(path).mtimeMs)).toEqual(before);
});

describe('everything that the files say is at the other computer', () => {
  test.each(files.map((path) => path.slice(FILES.length)))('of %s', async (name) => {
    for (const version of ['3.0', '4.0']) {
      const exported = await exportOf(two, '--vcard', version);
      for (const card of cardsIn(join(FILES, name))) expectIn(exported, card);
    }
  });
});

/** Each property is there, on one and the same person, with all of its parameters. */
function expectIn(all: readonly Card[], card: Card): void {
  const missing = all.map((other) =>
    Object.entries(card).flatMap(([name, list]) => {
      const others = new Set(other[name]?.map((one) => JSON.stringify(one)));
      return list.map((one) => JSON.stringify(one)).filter((one) => !others.has(one));
    }),
  );
  const [least] = missing.sort((a, b) => a.length - b.length);
  expect(least).toEqual([]);
}

test('importing and syncing again changes nothing, and sends nothing', async () => {
  const all = sorted(await exportOf(one));
  const { out } = await one.on('contacts', 'import', ...files);
  expect(out).toMatch(/^0 new, 0 changed, \d+ unchanged\n$/);
  for (const each of [one, two]) expect(await sync(each)).not.toMatch(/[1-9]\d* sent/);
  expect(sorted(await exportOf(two))).toEqual(all);
});

test('changes of one person on both are merged by what they are of', async () => {
  const photo = (await called(two, 'Ida Lund'))[0]?.card.photo;
  await change(one, 'VERSION:3.0', 'UID:6c1f-ida', 'FN:Ida Lund', 'TEL;TYPE=CELL:+4599');
  await change(two, 'VERSION:3.0', 'UID:6c1f-ida', 'FN:Ida Lund', 'EMAIL:second@lund.example');
  for (const each of [one, two, one]) await sync(each);
  const [ida, ...more] = await called(one, 'Ida Lund');
  expect(more).toEqual([]);
  expect(ida?.card.tel?.map(({ value }) => value)).toEqual(['+4599']);
  expect(ida?.card.email?.map(({ value }) => value).sort()).toEqual([
    'ida@lund.example',
    'second@lund.example',
  ]);
  expect(ida?.card.photo).toEqual(photo);
  expect(await called(two, 'Ida Lund')).toEqual([ida]);
});

test('who is deleted at one is nowhere, and who was changed meanwhile stays', async () => {
  const [bea] = await called(one, 'Bea Holm');
  const [ola] = await called(one, 'Ola Dahl');
  const gone = [bea, ola].map((contact) => contact?.guid ?? '');
  expect(await one.on('delete', 'contacts', ...gone)).toMatchObject({ code: 0 });
  await change(two, 'VERSION:4.0', 'UID:9d3c-ola', 'FN:Ola Dahl', 'NOTE:changed meanwhile');
  for (const each of [one, two, one]) await sync(each);
  for (const each of [one, two]) {
    expect(await called(each, 'Bea Holm')).toEqual([]);
    const [still] = await called(each, 'Ola Dahl');
    expect(still?.card).toMatchObject({ ...ola?.card, note: [{ value: 'changed meanwhile' }] });
  }
});
