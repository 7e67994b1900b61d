// Changes on their way up, on a server that says what a test wants it to.

import { describe, expect, test } from 'vitest';
import { PAYLOAD_SAFE_CHARS } from '../../limits.ts';
import type { CollectionStore } from '../../store/store.ts';
import type { Outgoing, PushResult, RemoteOptions } from '../remote.ts';
import type { NoAnswers, Part, PartAnswer } from './batch.ts';
import type { Kinto } from './http.ts';
import { openUpload } from './upload.ts';

const BUCKET = '/bucket';
const record = (n: number, payload: string | null = 'x', base: string | null = null): Outgoing => ({
  ...{ id: `r${n}`, payload, base, beside: {} },
});
const stored = (part: Part, stampMs = 5): PartAnswer => {
  const id = part.path.split('/').at(-1);
  return { status: 201, headers: null, body: { data: { id, last_modified: stampMs } } };
};
const refused = (status: number, body: unknown = {}): PartAnswer => ({
  ...{ status, headers: null, body },
});
const all = (records: number) => Array.from({ length: records }, (_, n) => record(n));

interface Script {
  /** Answers a batch, the n-th of all. */
  batch?(parts: readonly Part[], n: number): PartAnswer[] | NoAnswers;
  /** The status of a request by itself, and its entity tag. */
  single?(path: string): { readonly status: number; readonly etag?: string };
}

async function pushed(records: readonly Outgoing[], script: Script) {
  const sent: string[][] = [];
  const written = { all: 0, created: 0 };
  const alone: { readonly method: string; readonly headers: unknown }[] = [];
  const kinto = {
    base: 'https://kinto.test/v1',
    bucketPath: () => BUCKET,
    recordPath: (name: string, id: string) => `/${name}/${id}`,
    batchMax: async () => 10,
    async send(all: readonly Part[]) {
      const isTurned = all[0]?.path === BUCKET;
      const parts = isTurned ? all.slice(1) : all;
      sent.push(all.map(({ method, path }) => `${method} ${path}`));
      const answers = script.batch?.(parts, sent.length) ?? 'unavailable';
      return isTurned && typeof answers !== 'string' ? [refused(200), ...answers] : answers;
    },
    http: {
      async send({
        url,
        method,
        headers = [],
      }: {
        url: string;
        method: string;
        headers?: unknown;
      }) {
        alone.push({ method, headers });
        const { status, etag = '' } = script.single?.(url) ?? { status: 503 };
        return { status, headers: [['etag', etag]], cancel: () => undefined };
      },
    },
  };
  const upload = await openUpload(
    { config: {}, notes: { serverNowMs: 9 } } as unknown as RemoteOptions,
    kinto as unknown as Kinto,
    { collection: { name: 'c' } } as CollectionStore,
    written,
    undefined,
    () => true,
  );
  expect(await upload.commit()).toEqual({ kind: 'none' });
  const results = await upload.add(records, true);
  const { addMax } = upload;
  return {
    addMax,
    results,
    sent,
    alone,
    written,
    kinds: results.map(({ kind }: PushResult) => kind),
  };
}

describe('a batch', () => {
  test('sends each change under the version that it was made from', async () => {
    const parts: Part[] = [];
    await pushed([record(1), record(2, 'x', '7'), record(3, null, '8')], {
      batch: (all) => {
        parts.push(...all);
        return all.map((part) => stored(part));
      },
    });
    const briefly = { 'Response-Behavior': 'diff' };
    expect(parts).toEqual([
      { ...put('r1'), headers: { 'If-None-Match': '*' } },
      { ...put('r2'), method: 'PATCH', headers: { 'If-Match': '"7"', ...briefly } },
      { method: 'DELETE', path: '/c/r3', headers: { 'If-Match': '"8"' } },
    ]);
  });

  test('counts what is stored, and what of it is new', async () => {
    const { written } = await pushed(all(5), {
      batch: (parts) =>
        parts.map((part, at) =>
          at === 4 ? refused(403) : { ...stored(part), status: 200 + (at % 2) },
        ),
    });
    expect(written).toEqual({ all: 4, created: 2 });
  });

  test('that met a race has stored nothing up to its last one: that is sent again', async () => {
    const { kinds, sent } = await pushed(all(5), {
      batch: (parts, n) =>
        parts.map((part, at) => (n === 1 && (at === 0 || at === 2) ? refused(409) : stored(part))),
    });
    expect(kinds).toEqual(Array(5).fill('stored'));
    expect(sent.map((paths) => paths.length)).toEqual([5, 3]);
  });

  test('that meets a race every time is given up for this pass', async () => {
    const { kinds, sent } = await pushed(all(3), {
      batch: (parts) => parts.map((part, at) => (at === 1 ? refused(409) : stored(part))),
    });
    expect(kinds).toEqual(['failed', 'failed', 'stored']);
    expect(sent.length).toBeLessThan(9);
  });

  test('that fails as a whole is halved until the one that is not taken stands alone', async () => {
    const { kinds } = await pushed(all(4), {
      batch: (parts) =>
        parts.some(({ path }) => path.endsWith('r2'))
          ? 'unavailable'
          : parts.map((part) => stored(part)),
      single: (url) => (url.endsWith('r2') ? { status: 503 } : { status: 201, etag: '"6"' }),
    });
    expect(kinds).toEqual(['stored', 'stored', 'failed', 'stored']);
  });

  test('of a server that is down asks it no more than a few times', async () => {
    const { kinds, sent, alone } = await pushed(all(8), {});
    expect(kinds).toEqual(Array(8).fill('failed'));
    expect(sent.length + alone.length).toBeLessThan(8);
  });

  test('of a server that takes none says that it may be read only', async () => {
    const { kinds } = await pushed(all(2), { batch: () => 'readOnly' });
    expect(kinds).toEqual(['readOnly', 'readOnly']);
  });

  test('has no record that is too long for its answer: it goes alone', async () => {
    const long = record(1, 'x'.repeat(20_000));
    const { kinds, alone } = await pushed([record(0), long, record(2)], {
      batch: (parts) => parts.map((part) => stored(part)),
      single: () => ({ status: 200, etag: '"7"' }),
    });
    expect(kinds).toEqual(['stored', 'stored', 'stored']);
    expect(alone).toHaveLength(3);
  });
});

describe('a change that replaces a version', () => {
  const changed = (part: Part): PartAnswer => ({
    ...{ status: 200, headers: { etag: '"9"' }, body: { data: {} } },
    ...(part.headers?.['If-Match'] === undefined && stored(part)),
  });
  const old = (n: number) => record(n, 'x', '7');

  test('waits for its turn, alone and beside others; a new record does not', async () => {
    const batch = (parts: readonly Part[]) => parts.map(changed);
    const both = await pushed([record(1), old(2)], { batch });
    expect(both.sent).toEqual([[`PATCH ${BUCKET}`, 'PUT /c/r1', 'PATCH /c/r2']]);
    const alone = await pushed([old(1)], { batch });
    expect(alone.sent).toEqual([[`PATCH ${BUCKET}`, 'PATCH /c/r1']]);
    expect(alone.results).toEqual([{ kind: 'stored', version: '9', modifiedMs: 9 }]);
    expect((await pushed([record(1), record(3)], { batch })).sent).toEqual([
      ['PUT /c/r1', 'PUT /c/r3'],
    ]);
    const gone = await pushed([record(1, null, '7')], { batch });
    expect(gone.sent).toEqual([[`PATCH ${BUCKET}`, 'DELETE /c/r1']]);
  });

  test('is not believed to be stored behind a race, which ends the turn', async () => {
    const { kinds, sent } = await pushed([old(1), record(2), old(3)], {
      batch: (parts, n) =>
        parts.map((part, at) => (n === 1 && at === 1 ? refused(409) : changed(part))),
    });
    expect(kinds).toEqual(Array(3).fill('stored'));
    expect(sent.map((parts) => parts.length)).toEqual([4, 4]);
  });

  test('leaves room for the turn in a batch', async () => {
    const { addMax } = await pushed([], {});
    expect(addMax).toBe(9);
  });

  test('of what is not there is a conflict, whatever the other side is', async () => {
    const { kinds } = await pushed([old(1)], { batch: () => [refused(404)] });
    expect(kinds).toEqual(['conflict']);
  });

  test('is asked at length where a short answer breaks the server, as are later ones', async () => {
    const isShort = (part: Part): boolean => part.headers?.['Response-Behavior'] !== undefined;
    const answers: (readonly [parts: number, isShort: boolean])[] = [];
    const { kinds } = await pushed([old(1), old(2), old(3)], {
      batch(parts) {
        answers.push([parts.length, parts.some(isShort)]);
        return parts.some(isShort) ? 'unavailable' : parts.map(changed);
      },
    });
    expect(kinds).toEqual(['stored', 'stored', 'stored']);
    expect(answers.map(([, short]) => short)).toEqual([true, true, true, false, false, false]);
  });

  test('that no batch takes goes by itself, and not while the server is down', async () => {
    const single = () => ({ status: 200, etag: '"9"' });
    const batch = (why: NoAnswers) => ({ batch: () => why, single });
    expect((await pushed([old(1)], batch('tooMuch'))).kinds).toEqual(['stored']);
    expect((await pushed([old(1)], batch('malformed'))).kinds).toEqual(['stored']);
    expect((await pushed([old(1)], batch('unavailable'))).kinds).toEqual(['failed']);
    expect((await pushed([old(1)], batch('readOnly'))).kinds).toEqual(['readOnly']);
  });
});

describe('an answer', () => {
  const one = async (answer: (part: Part) => PartAnswer, sent = record(1)) =>
    (
      await pushed([sent, record(2)], {
        batch: (parts) => parts.map(answer),
        single: () => ({ status: answer({ method: 'PUT', path: '' }).status }),
      })
    ).results[0];
  const big = record(1, 'x'.repeat(PAYLOAD_SAFE_CHARS + 1));

  test.each([
    [403, 'readOnly', record(1)],
    [405, 'readOnly', record(1)],
    [400, 'failed', record(1)],
    [400, 'refused', big],
    [429, 'failed', big],
    [404, 'failed', record(1)],
  ])('%i is %s', async (status, kind, sent) => {
    expect(await one(() => refused(status), sent)).toMatchObject({ kind });
  });

  test('413 names the length as the reason', async () => {
    expect(await one(() => refused(413))).toEqual({ kind: 'refused', code: 'tooLarge' });
  });

  test('that is about another record, or tells no version, is no acknowledgement', async () => {
    const other = { data: { id: 'r9', last_modified: 5 } };
    expect(await one(() => ({ ...refused(200), body: other }))).toEqual({ kind: 'failed' });
    expect(await one(() => refused(200, { data: { id: 'r1' } }))).toEqual({ kind: 'failed' });
  });

  test('that what a change was made from is older now is no conflict to be merged', async () => {
    const existing = { id: 'r0', last_modified: 6, payload: 'theirs' };
    const conflict = refused(412, { details: { existing } });
    const batch = () => [conflict, stored({ method: 'PUT', path: '/c/r1' }, 8)];
    const both = await pushed([record(0, 'x', '7'), record(1, 'x', '7')], { batch });
    expect(both.kinds).toEqual(['moved', 'stored']);
    const single = () => ({ status: 412, etag: '"6"' });
    const alone = { batch: () => 'tooMuch' as const, single };
    expect((await pushed([record(0, 'x', '7')], alone)).kinds).toEqual(['moved']);
    expect((await pushed([record(0, 'x', '5')], alone)).kinds).toEqual(['conflict']);
    expect((await pushed([record(0)], { single })).kinds).toEqual(['conflict']);
  });

  test.each([-5, 0, 7, 0.5, 2 ** 53, 1e308, '8'])(
    'that names the version %j is no acknowledgement of a change of version 7',
    async (last_modified) => {
      const body = { data: { id: 'r0', last_modified } };
      const batch = () => [{ ...refused(200), body }, stored({ method: 'PUT', path: '/c/r1' }, 8)];
      const { results } = await pushed([record(0, 'x', '7'), record(1, 'x', '7')], { batch });
      expect(results.map(({ kind }) => kind)).toEqual(['failed', 'stored']);
    },
  );

  test('of a conflict brings what the server holds, if it is that record', async () => {
    const existing = { id: 'r1', last_modified: 3, payload: 'theirs' };
    expect(await one(() => refused(412, { details: { existing } }))).toMatchObject({
      kind: 'conflict',
      theirs: { kind: 'found', envelope: { payload: 'theirs', version: '3' }, serverNowMs: 9 },
    });
    const another = { ...existing, id: 'r2' };
    expect(await one(() => refused(412, { details: { existing: another } }))).toEqual({
      kind: 'conflict',
    });
    expect(await one(() => refused(412, { details: {} }))).toEqual({ kind: 'conflict' });
  });
});

function put(id: string) {
  return { method: 'PUT', path: `/c/${id}`, body: { data: { payload: 'x' } } };
}
