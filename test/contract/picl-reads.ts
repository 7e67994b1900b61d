// What every PiCL server does, by number: what is read of a collection, and under which conditions.

import { expect, test } from 'vitest';
import { compact } from '../../emulator/servers/picl/compaction.ts';
import { Pen } from '../../emulator/servers/picl/testing.ts';
import {
  begin,
  FIRST,
  filled,
  keysOf,
  NAME,
  numbersOf,
  orderOf,
  type StartPicl,
} from './picl-asking.ts';

export function records(start: StartPicl): void {
  const KEYS = ['-', '0', 'A', 'Z', '_', 'a', 'z'];

  test('P18: a collection’s state is its name, seqnum, changeid, signature, and tag', async () => {
    const { ask, pen } = await filled(start, ['a', 'b']);
    const { json, headers } = await ask('GET', '');
    const { seqnum, changeid } = pen;
    expect(json).toEqual({ name: NAME, seqnum, changeid, signature: 'sig2' });
    expect(headers.get('etag')).toBe(pen.tag);
  });

  test('R25: a collection that nobody has written is there, and empty', async () => {
    const { ask, pen } = await begin(start);
    const { changeid } = pen;
    const { json, headers } = await ask('GET', '');
    expect(json).toEqual({ name: NAME, seqnum: 0, changeid, signature: null });
    expect(headers.get('etag')).toBe(pen.tag);
    expect((await ask('GET', 'records')).json).toEqual({ records: {} });
    expect((await ask('GET', 'changes')).json).toEqual({ changes: [] });
    for (const since of [0, 1])
      expect((await ask('GET', `changes?since=${since}`)).status).toBe(200);
  });

  test('P20: every success has the collection’s tag', async () => {
    const { ask, pen, post } = await filled(start, KEYS);
    for (const path of [
      '',
      'records',
      'records?limit=2',
      'records/A',
      'changes',
      'changes?since=3',
    ])
      expect([path, (await ask('GET', path)).headers.get('etag')]).toEqual([path, pen.tag]);
    expect((await post(pen.write('A', null))).headers.get('etag')).toBe(pen.tag);
  });

  test('P22: records come in the order of bytes, each once, over all pages', async () => {
    const { ask } = await filled(start, [...KEYS].reverse(), { page: { items: 3 } });
    const seen: string[] = [];
    for (let path = 'records'; ; ) {
      const page = await ask('GET', path);
      expect(keysOf(page).length).toBeLessThanOrEqual(3);
      seen.push(...orderOf(page));
      if (page.json.next === undefined) break;
      path = `records?start=${page.json.next}`;
    }
    expect(seen).toEqual(KEYS);
    // Nobody gets longer pages than the server's own.
    expect(keysOf(await ask('GET', 'records?limit=1000'))).toHaveLength(3);
    expect(numbersOf(await ask('GET', 'changes?limit=1000'))).toHaveLength(3);
  });

  test('P22: a page is short where records are long', async () => {
    const { ask, pen, post } = await begin(start, { page: { chars: 250 } });
    await post(...['a', 'b', 'c', 'd'].map((key) => pen.write(key, key.repeat(100))));
    expect(keysOf(await ask('GET', 'records'))).toEqual(['a', 'b']);
    expect(numbersOf(await ask('GET', 'changes?since=3'))).toEqual([3, 4]);
    await post(pen.write('b', 'b'.repeat(1_000)));
    const page = await ask('GET', 'records?start=b');
    expect([keysOf(page), page.json.next]).toEqual([['b'], 'c']);
  });

  test('P23: both ends of a range are in it', async () => {
    const { ask } = await filled(start, ['key1', 'key2', 'key2x', 'key3', 'key30', 'key4']);
    const range = await ask('GET', 'records?start=key2&end=key3');
    expect(keysOf(range)).toEqual(['key2', 'key2x', 'key3']);
    expect(keysOf(await ask('GET', 'records?end=key2'))).toEqual(['key1', 'key2']);
    expect((await ask('GET', 'records?start=key3&end=key2')).json).toEqual({ records: {} });
    for (const bad of ['start=', 'start=a%20b', 'end=a.b'])
      expect((await ask('GET', `records?${bad}`)).status).toBe(400);
  });

  test('P24: a limit is kept, with the key that is next; the last page has none', async () => {
    const { ask } = await filled(start, ['key1', 'key2', 'key3', 'key4']);
    const page = await ask('GET', 'records?start=key2&limit=2');
    expect([keysOf(page), page.json.next]).toEqual([['key2', 'key3'], 'key4']);
    expect(Object.keys(page.json)).toEqual(['next', 'records']);
    const last = await ask('GET', 'records?start=key4&limit=2');
    expect(Object.keys(last.json)).toEqual(['records']);
    const within = await ask('GET', 'records?end=key2&limit=2');
    expect(Object.keys(within.json)).toEqual(['records']);
    for (const limit of ['0', '-1', '1.5', 'x', '', '99999999999999999'])
      expect((await ask('GET', `records?limit=${limit}`)).status).toBe(400);
    expect((await ask('GET', 'records?limit=1000000&other=1')).status).toBe(200);
  });

  test('P30: a record has five members and a tag; a missing one is 404', async () => {
    const { ask, pen, post } = await begin(start);
    const wrote = pen.write('a', 'one');
    await post(wrote, pen.write('b', null));
    const { json, headers } = await ask('GET', 'records/a');
    expect(json).toEqual(wrote);
    expect(headers.get('etag')).toBe(pen.tag);
    for (const key of ['b', 'c', '__proto__']) {
      const missing = await ask('GET', `records/${key}`);
      expect([missing.status, missing.headers.get('etag')]).toEqual([404, pen.tag]);
    }
    expect((await ask('GET', 'records/a%20b')).status).toBe(400);
  });

  test('P60: a page and its tag are of one state, while others write', async () => {
    const { ask, pen, post } = await filled(start, ['k0']);
    let isDone = false;
    const writing = (async () => {
      for (let n = 1; n <= 60; n++) await post(pen.write(`k${n % 7}`, `v${n}`));
      isDone = true;
    })();
    let pages = 0;
    while (!isDone) {
      const paths = ['records', 'changes', ''];
      const path = paths[pages++ % 3] ?? '';
      const { json, headers } = await ask('GET', path);
      const listed = path === '' ? [json] : Object.values<{ seqnum: number }>(json[path]);
      const last = Math.max(...listed.map(({ seqnum }: { seqnum: number }) => seqnum));
      expect(`${last}`).toBe(headers.get('etag')?.split('-')[0]);
    }
    await writing;
    expect(pages).toBeGreaterThan(10);
  });
}

export function changes(start: StartPicl): void {
  test('P31: changes come from the first on, in order, deletions with payload null', async () => {
    const { ask, pen, post } = await begin(start);
    const wrote = [pen.write('a', 'one'), pen.write('a', null), pen.write('b', 'two')];
    await post(...wrote);
    const { json } = await ask('GET', 'changes');
    expect(json.changes).toEqual(wrote);
    expect(Object.keys(json.changes[0])).toEqual([
      ...['seqnum', 'changeid', 'signature', 'key', 'payload'],
    ]);
  });

  test('P32: since is the first of what comes', async () => {
    const { ask } = await filled(start, ['a', 'b', 'c', 'd']);
    expect(numbersOf(await ask('GET', 'changes?since=3'))).toEqual([3, 4]);
    const page = await ask('GET', 'changes?since=2&limit=2');
    expect([numbersOf(page), page.json.next]).toEqual([[2, 3], 4]);
    expect(Object.keys(page.json)).toEqual(['next', 'changes']);
    expect(Object.keys((await ask('GET', 'changes?since=4&limit=2')).json)).toEqual(['changes']);
    expect((await ask('GET', 'changes?since=5')).json).toEqual({ changes: [] });
    const future = await ask('GET', 'changes?since=6');
    expect([future.status, future.json.error]).toEqual([416, 'future-seqnum']);
    for (const since of ['x', '-1', '1.5', '', '9007199254740992'])
      expect((await ask('GET', `changes?since=${since}`)).status).toBe(400);
  });

  test('P35: what is older than the history is 416, and the records are all there', async () => {
    const { ask, pen, post, served } = await filled(start, ['a', 'b', 'c']);
    await post(pen.write('a', 'again'), pen.write('b', null));
    const nowMs = served.world.clock.nowMs;
    expect(await compact(served.storage, { changes: 2, ageMs: 0 }, nowMs)).toEqual({
      ...{ collections: 1, changes: 3 },
    });
    for (const path of ['changes', 'changes?since=0', 'changes?since=1', 'changes?since=3']) {
      const { status, json, headers } = await ask('GET', path);
      const { seqnum, changeid } = pen;
      expect([path, status]).toEqual([path, 416]);
      expect(json).toEqual({ error: 'history-compacted', oldest: 4, seqnum, changeid });
      expect(headers.get('etag')).toBe(pen.tag);
    }
    expect(numbersOf(await ask('GET', 'changes?since=4'))).toEqual([4, 5]);
    const { records } = (await ask('GET', 'records')).json;
    expect(Object.keys(records)).toEqual(['a', 'c']);
    expect([records.a.payload, records.c.seqnum]).toEqual(['again', 3]);
    expect((await post(pen.write('c', null))).status).toBe(204);
    expect(keysOf(await ask('GET', 'records'))).toEqual(['a']);
  });
}

export function conditions(start: StartPicl): void {
  test('P27: If-Match of a past state is 412 with the present tag, without records', async () => {
    const { ask, pen, post } = await filled(start, ['a']);
    const past = { 'If-Match': pen.tag };
    expect((await ask('GET', 'records', { headers: past })).status).toBe(200);
    await post(pen.write('b', 'two'));
    for (const path of ['', 'records', 'records/a', 'records/x', 'changes']) {
      const answer = await ask('GET', path, { headers: past });
      expect([path, answer.status]).toEqual([path, 412]);
      expect(answer.json).toEqual({ error: 'precondition-failed' });
      expect(answer.headers.get('etag')).toBe(pen.tag);
    }
  });

  test('P29: If-None-Match of the present state is 304', async () => {
    const { ask, pen, post } = await filled(start, ['a']);
    const known = { 'If-None-Match': pen.tag };
    for (const path of ['', 'records', 'records/a', 'changes']) {
      const answer = await ask('GET', path, { headers: known });
      expect([path, answer.status, answer.text]).toEqual([path, 304, '']);
      expect(answer.headers.get('etag')).toBe(pen.tag);
    }
    await post(pen.write('b', 'two'));
    expect((await ask('GET', 'records', { headers: known })).status).toBe(200);
  });

  test('R14: tags come bare, quoted or several in a condition; weak ones never match', async () => {
    const { ask, pen } = await filled(start, ['a']);
    const { tag } = pen;
    const statusOf = async (condition: string) =>
      (await ask('GET', '', { headers: { 'If-Match': condition } })).status;
    for (const good of [tag, `"${tag}"`, `7-x, ${tag}`, `"7-x" , "${tag}"`, '*'])
      expect([good, await statusOf(good)]).toEqual([good, 200]);
    for (const other of [`W/"${tag}"`, `2${tag}`, `${tag}x`, '9007199254740993-x'])
      expect([other, await statusOf(other)]).toEqual([other, 412]);
    for (const bad of ['124', '-x', '124-', '12a-x', '+1-x', '', `"${tag}`])
      expect([bad, await statusOf(bad)]).toEqual([bad, 400]);
    const weak = { 'If-None-Match': `W/"${tag}"` };
    expect((await ask('GET', '', { headers: weak })).status).toBe(304);
  });

  test('R14: a server that quotes its tags does so everywhere', async () => {
    const { ask, pen, post } = await filled(start, ['a'], { quotedEtags: true });
    expect((await ask('GET', '')).headers.get('etag')).toBe(`"${pen.tag}"`);
    expect((await post(pen.write('b', 'two'))).headers.get('etag')).toBe(`"${pen.tag}"`);
  });
}

export function oddities(start: StartPicl): void {
  test('R1: a list of records is called as it was set up', async () => {
    for (const recordsKey of ['records', 'items', 'both'] as const) {
      const { ask } = await filled(start, ['a'], { recordsKey });
      const names = recordsKey === 'both' ? ['records', 'items'] : [recordsKey];
      expect(Object.keys((await ask('GET', 'records')).json)).toEqual(names);
    }
  });

  test('R8: the first change is number 0 where it was set up so', async () => {
    const { ask, served } = await begin(start, { firstSeqnum: 0 });
    const pen = new Pen(-1);
    const body = { changes: [pen.write('a', 'one'), pen.write('b', 'two')] };
    expect((await ask('POST', 'records', { headers: FIRST, body })).status).toBe(204);
    for (const path of ['changes', 'changes?since=0'])
      expect(numbersOf(await ask('GET', path))).toEqual([0, 1]);
    expect((await ask('GET', '')).headers.get('etag')).toBe(pen.tag);
    await compact(served.storage, { changes: 1, ageMs: 0 }, served.world.clock.nowMs);
    expect((await ask('GET', 'changes')).status).toBe(416);
    expect((await ask('GET', 'changes?since=0')).status).toBe(416);
    expect(numbersOf(await ask('GET', 'changes?since=1'))).toEqual([1]);
  });

  test('R27: the change before is kept where its author names it', async () => {
    const { ask, pen, post } = await begin(start);
    const prev = pen.changeid;
    await post({ ...pen.write('a', 'one'), prev } as never, pen.write('b', 'two'));
    const { json } = await ask('GET', 'changes');
    expect([json.changes[0].prev, 'prev' in json.changes[1]]).toEqual([prev, false]);
    expect((await ask('GET', 'records')).json.records.a.prev).toBe(prev);
    expect((await ask('GET', 'records/a')).json.prev).toBe(prev);
  });

  test('R30: other members of a change are nobody’s', async () => {
    const { ask, pen, post } = await begin(start);
    expect((await post({ ...pen.write('a', 'one'), other: 1 } as never)).status).toBe(204);
    expect((await ask('GET', 'changes')).text).not.toContain('other');
  });

  test('R31: HEAD is GET without a body, and no other method is there', async () => {
    const { ask, pen } = await filled(start, ['a']);
    for (const path of ['', 'records', 'records/a', 'changes']) {
      const { status, text, headers } = await ask('HEAD', path);
      expect([status, text, headers.get('etag')]).toEqual([200, '', pen.tag]);
      for (const method of ['PUT', 'DELETE', 'PATCH']) {
        const refused = await ask(method, path);
        expect([refused.status, refused.headers.get('allow')]).toEqual([
          405,
          path === '' ? 'GET, HEAD' : 'GET, HEAD, POST',
        ]);
      }
    }
    expect((await ask('POST', '', { headers: FIRST, body: {} })).status).toBe(405);
    for (const path of ['other', 'records/a/b', 'changes/a'])
      expect((await ask('GET', path)).status).toBe(404);
  });

  test('a body that is no JSON, or of another shape, is 400', async () => {
    const { ask } = await begin(start);
    for (const body of ['', '{', '7', 'null', '{}', '{"changes":7}', '[]', '[null]'])
      expect([body, (await ask('POST', 'records', { headers: FIRST, body })).status]).toEqual([
        body,
        400,
      ]);
    expect((await ask('POST', 'records/a', { headers: FIRST, body: '[]' })).status).toBe(400);
  });
}
