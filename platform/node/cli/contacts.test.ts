// Files of vCards on a computer: into the contacts of a folder and out of them.

import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, run, serveAccount } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { collection, runningSync, status } from '../../../test/support/running-sync.ts';
import { computerOf, serveKinto } from '../../../test/support/served-kinto.ts';

let serving: Serving;
let folder: string;
let data: string;
/** A folder that was synced, and has nobody in it. */
let empty: string;
let sync: (to: string) => Promise<unknown>;

beforeAll(async () => {
  serving = await serveAccount(1);
  empty = join(temporaryFolder(), 'data');
  const credentials = await credentialsOf(serving, join(temporaryFolder(), 'credentials.json'));
  const server = ['--token-server', serving.world.urls.token, '--credentials', credentials];
  sync = (to) => run(['sync', ...server, '--data', to, '--collections', 'contacts', '--once']);
  expect(await sync(empty)).toMatchObject({ code: 0 });
});
afterAll(() => serving.close());
beforeEach(() => {
  folder = temporaryFolder();
  data = emptyFolder('data');
});

function emptyFolder(name: string): string {
  cpSync(empty, join(folder, name), { recursive: true });
  return join(folder, name);
}

const vcards = (name: string): string =>
  fileURLToPath(new URL(`../../../test/fixtures/vcards/${name}.vcf`, import.meta.url));
const contacts = (...args: string[]) => run(['contacts', ...args, '--data', data]);
const file = (...lines: string[]): string => {
  const path = join(folder, 'cards.vcf');
  writeFileSync(path, lines.join('\r\n'));
  return path;
};
const card = (...lines: string[]): string[] => ['BEGIN:VCARD', ...lines, 'END:VCARD'];
const seen = async (from = data): Promise<{ guid: string; card: Record<string, unknown> }[]> => {
  const { out } = await run(['list', 'contacts', '--data', from, '--json', '--limit', '1000']);
  return JSON.parse(out);
};
const done = (out: string) => ({ code: 0, out: `${out}\n`, complaints: '' });
const of = (...values: string[]) => values.map((value) => ({ value }));
const said = (list: unknown): unknown => (list as { value: unknown }[])[0]?.value;

describe('importing', () => {
  test.each(['apple', 'google', 'android', 'outlook', 'thunderbird'])(
    'a file of %s adds its people, and a second time nothing',
    async (name) => {
      const first = await contacts('import', vcards(name));
      expect(first).toMatchObject({ code: 0, complaints: '' });
      const all = await seen();
      const count = all.length;
      expect(first.out).toBe(`${count} new, 0 changed, 0 unchanged\n`);
      expect(await contacts('import', vcards(name))).toEqual(
        done(`0 new, 0 changed, ${count} unchanged`),
      );
      expect(await seen()).toEqual(all);
    },
  );

  test('a newer card of somebody adds what it has besides, and takes nothing away', async () => {
    await contacts('import', file(...card('FN:Zoë', 'UID:x', 'TEL:1', 'REV:20120304T050607Z')));
    const [{ guid = '' } = {}] = await seen();
    const edit = { guid, card: { note: of('mine') } };
    expect(await run(['put', 'contacts', '--data', data], JSON.stringify(edit))).toMatchObject({
      code: 0,
    });
    const newer = card('FN:Zoë Größe', 'UID:urn:uuid:X', 'TEL:2', 'REV:20120305T050607Z');
    expect(await contacts('import', file(...newer))).toEqual(done('0 new, 1 changed, 0 unchanged'));
    const [one, ...more] = await seen();
    expect(more).toEqual([]);
    expect(one).toMatchObject({
      guid,
      card: { fn: of('Zoë'), tel: of('1', '2'), note: of('mine') },
    });
  });

  test('people of one address book after those of another makes them no second time', async () => {
    const google = card('FN:Zoë', 'EMAIL:z@a.example', 'TEL:1');
    const apple = card('FN:Zoë', 'EMAIL;type=HOME:Z@a.example', 'TEL:2', 'UID:x');
    expect(await contacts('import', file(...google, ...apple))).toEqual(
      done('1 new, 1 changed, 0 unchanged'),
    );
    expect(await contacts('import', file(...apple, ...google))).toEqual(
      done('0 new, 0 changed, 2 unchanged'),
    );
    expect(await seen()).toMatchObject([{ card: { tel: of('1', '2'), uid: of('x') } }]);
  });

  test('takes the good cards of a file, and tells each bad one by its name and line', async () => {
    const photo = `PHOTO;ENCODING=b;TYPE=JPEG:${'A'.repeat(300_000)}`;
    const path = file(
      ...card('FN:A'),
      ...card('FN:Zoë\u001b[2J', 'no colon'),
      ...card('FN:B', photo),
      ...card('VERSION:9', 'FN:C'),
      'stray',
      ...card('FN:D'),
    );
    const { code, out, complaints } = await contacts('import', path);
    expect(complaints.split('\n')).toEqual([
      `kitsync: ${path}: card 2 (Zoë\\u001b[2J), line 6: no property: "no colon"`,
      expect.stringMatching(
        /: card 3 \(B\), line 8: record: \d{6} characters, at most 262144 on the wire \(too/,
      ),
      `kitsync: ${path}: card 4 (C), line 13: VERSION is "9", known are 2.1, 3.0, 4.0`,
      `kitsync: ${path}, line 16: it is in no card: BEGIN:VCARD is missing`,
      '',
    ]);
    expect([code, out]).toEqual([1, '2 new, 0 changed, 0 unchanged, 4 refused\n']);
    expect(await seen()).toHaveLength(2);
    const json = await contacts('import', path, '--json');
    expect(JSON.parse(json.out)).toEqual({ new: 0, changed: 0, unchanged: 2, refused: 4 });
  });

  test('reads every file before it changes anything', async () => {
    const good = file(...card('FN:A'));
    const missing = join(folder, 'missing.vcf');
    expect(await contacts('import', good, missing)).toEqual({
      code: 2,
      out: '',
      complaints: `kitsync: cannot read ${missing}: there is no such file or folder\n`,
    });
    expect(await contacts('import', good, folder)).toMatchObject({
      complaints: `kitsync: cannot read ${folder}: it is a folder\n`,
    });
    expect(await seen()).toEqual([]);
    const huge = join(folder, 'huge.vcf');
    writeFileSync(huge, '');
    truncateSync(huge, 268_435_457);
    expect(await contacts('import', good, huge)).toMatchObject({
      code: 2,
      complaints: `kitsync: ${huge} has 268435457 bytes, at most 268435456 are read\n`,
    });
    expect(await seen()).toEqual([]);
    const nobody = file('');
    expect(await contacts('import', nobody)).toEqual({
      code: 1,
      out: '0 new, 0 changed, 0 unchanged, 1 refused\n',
      complaints: `kitsync: ${nobody}: there is no card in it\n`,
    });
  });
});

describe('exporting', () => {
  test.each(['3.0', '4.0'])(
    'in version %s and importing elsewhere is the same',
    async (version) => {
      const names = ['apple', 'google', 'android', 'outlook', 'thunderbird'];
      await contacts('import', ...names.map(vcards));
      const all = await seen();
      const path = join(folder, 'all.vcf');
      expect(await contacts('export', path, '--vcard', version)).toEqual({
        ...{ code: 0, out: '', complaints: '' },
      });
      expect(readFileSync(path, 'utf8').match(/^VERSION:(.*)\r$/gm)).toEqual(
        all.map(() => `VERSION:${version}\r`),
      );
      const printed = await contacts('export', '--vcard', version);
      expect(printed.out).toBe(readFileSync(path, 'utf8'));
      const other = emptyFolder('other');
      const { code } = await run(['contacts', 'import', path, '--data', other]);
      expect(code).toBe(0);
      const sorted = (list: Awaited<ReturnType<typeof seen>>) =>
        list.map((one) => JSON.stringify(Object.entries(one.card).sort())).sort();
      expect(sorted(await seen(other))).toEqual(sorted(all));
    },
  );

  test('what was imported is at the user’s other computer', async () => {
    await contacts('import', vcards('apple'));
    expect(await sync(data)).toMatchObject({ code: 0 });
    const other = join(folder, 'other');
    expect(await sync(other)).toMatchObject({ code: 0 });
    const mine = await seen();
    expect(await seen(other)).toEqual(mine);
    const { out } = await run(['list', 'contacts', '--data', other]);
    expect(out).toContain('\tDr. Zoë Ann Bea Größe jun.\t');
  });
});

test('an export without all contacts fails, and keeps the older file', async () => {
  const path = join(folder, 'all.vcf');
  writeFileSync(path, 'the last good one');
  const one = { guid: 'a', card: { fn: of('A') }, changedMs: null };
  const broken = async (name: string) => {
    const running = await runningSync({
      list: async () => ({ records: [one], next: null }),
      status: async () => status({ collections: { [name]: collection({ damaged: 1 }) } }),
    });
    const { directory } = running;
    return run(['contacts', 'export', path, '--data', directory]).finally(running.close);
  };
  expect(await broken('contacts')).toMatchObject({
    code: 1,
    complaints: expect.stringContaining('not all is there: contacts were damaged'),
  });
  expect(readFileSync(path, 'utf8')).toBe('the last good one');
  expect(await broken('history')).toMatchObject({ code: 0 });
  expect(readFileSync(path, 'utf8')).toContain('FN:A\r\n');
});

test('two computers that import what overlaps, on a Kinto, have everybody once', async () => {
  const kinto = await serveKinto();
  try {
    const [one, two] = [computerOf(kinto), computerOf(kinto)];
    const { out: code } = await one.signIn('secret');
    await two.signIn(`secret\n${code}`);
    const only = ['--collections', 'contacts'];
    for (const each of [one, two]) expect(await each.sync(...only)).toMatchObject({ code: 0 });
    const shared = card('FN:Zoë', 'UID:x', 'TEL:1');
    await one.on('contacts', 'import', file(...shared, ...card('FN:A', 'TEL:2')));
    const other = card('FN:Zoë', 'UID:X', 'TEL:3', 'PHOTO;ENCODING=b;TYPE=PNG:AAAA');
    await two.on('contacts', 'import', file(...other, ...card('FN:B', 'TEL:4')));
    for (const each of [one, two, one]) {
      expect(await each.sync(...only)).toMatchObject({ code: 0, complaints: '' });
    }
    const all = await seen(one.data);
    expect(all.map((contact) => said(contact.card.fn)).sort()).toEqual(['A', 'B', 'Zoë']);
    expect(all.find((contact) => said(contact.card.fn) === 'Zoë')?.card).toMatchObject({
      tel: expect.arrayContaining([{ value: '1' }, { value: '3' }]),
      photo: [{ value: 'data:image/png;base64,AAAA' }],
    });
    expect((await two.on('contacts', 'export')).out).toBe((await one.on('contacts', 'export')).out);
  } finally {
    await kinto.close();
  }
});

test.each([
  [[], 'import or export is missing'],
  [['print'], 'contacts must be followed by import or export'],
  [['import'], 'FILE is missing'],
  [['import', 'a', '--vcard', '3.0'], '--vcard is for export: each card that is read says its'],
  [['export', 'a', 'b'], 'one FILE is written'],
  [['export', '--json'], '--json is for import'],
  [['export', '--vcard', '2.1'], '--vcard must be 3.0 or 4.0'],
])('what cannot be run is told: %j', async (args, message) => {
  const { code, complaints } = await contacts(...args);
  expect(code).toBe(2);
  expect(complaints.startsWith(`kitsync: ${message}`)).toBe(true);
});
