// What every PiCL server does, by the number of the list of behaviours that its specification has:
// one suite, run on each storage, with and without a network between. Here: who may ask, and what
// may be appended.

import { describe, expect, test } from 'vitest';
import { compact } from '../../emulator/servers/picl/compaction.ts';
import { askLogin, DEVICE, Pen, signIn } from '../../emulator/servers/picl/testing.ts';
import { storageClient } from '../../emulator/servers/testing.ts';
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
import { changes, conditions, oddities, records } from './picl-reads.ts';

/** `start`: a server with nothing in it, and one user. */
export function piclServerContract(name: string, start: StartPicl): void {
  describe(name, () => {
    logins(start);
    credentials(start);
    appending(start);
    limits(start);
    records(start);
    changes(start);
    conditions(start);
    oddities(start);
  });
}

function logins(start: StartPicl): void {
  test('P8: a login gives id, key and the places of the collections', async () => {
    const { world } = await start({});
    const answer = await askLogin(world, {});
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    const json = (await answer.json()) as Record<string, unknown>;
    expect(Object.keys(json)).toEqual(['id', 'key', 'collections']);
    expect(json.collections).toHaveProperty(NAME);
    expect(json.id).toMatch(/^[\w-]+$/);
    const text = Buffer.from(String(json.id), 'base64url').toString('latin1');
    expect(text).not.toContain(DEVICE);
  });

  test('P9: a bad assertion gives 401 and no credentials', async () => {
    const { world } = await start({});
    const other = await world.device.assertion('https://other.test', false);
    for (const assertion of [other, 'a.b.c~a.b.c', '']) {
      const answer = await askLogin(world, { assertion });
      expect([answer.status, Object.keys((await answer.json()) as object)]).toEqual([
        401,
        expect.not.arrayContaining(['id', 'key']),
      ]);
    }
  });

  test('P1: a name of 64 characters of the alphabet is held, any other refused', async () => {
    const long = 'A-_9'.repeat(16);
    const names = [long, '__proto__', 'constructor'];
    const { world } = await start({ collections: names });
    const user = await signIn(world);
    expect(Object.keys(user.collections)).toEqual(names);
    for (const name of names)
      expect(await user.at(name)('GET', '')).toMatchObject({ status: 200, json: { name } });
    const place = user.collections[long] ?? '';
    for (const name of [`${long}A`, 'a.b', 'other', 'a%20b']) {
      const elsewhere = { ...user, api_endpoint: place.replace(long, name) };
      const ask = storageClient(world, elsewhere, () => world.clock.nowMs);
      expect([name, (await ask('GET', '')).status]).toEqual([name, 404]);
    }
    await expect(start({ collections: [`${long}A`] })).rejects.toThrow(RangeError);
  });
}

function credentials(start: StartPicl): void {
  test('P13: what is not signed, or by another key, is 401', async () => {
    const { ask, served } = await filled(start, ['a']);
    expect((await ask('GET', 'records')).status).toBe(200);
    for (const authorization of ['', 'Hawk id="x"', 'Bearer x', 'Hawk id="x", ts="1", mac="y"']) {
      const headers = { Authorization: authorization };
      for (const path of ['', 'records', 'records/a', 'changes', 'nothing'])
        expect((await ask('GET', path, { headers })).status).toBe(401);
      const post = { headers: { ...headers, ...FIRST }, body: {} };
      expect((await ask('POST', 'records', post)).status).toBe(401);
    }
    const user = await signIn(served.world);
    const api_endpoint = user.collections[NAME] ?? '';
    const other = { id: user.id, key: `${user.key}x`, api_endpoint };
    const forged = storageClient(served.world, other, () => served.world.clock.nowMs);
    const answer = await forged('GET', 'records');
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Hawk /),
    ]);
    const torn = { ...other, id: `${user.id.slice(0, -4)}AAAA`, key: user.key };
    const unknown = storageClient(served.world, torn, () => served.world.clock.nowMs);
    expect((await unknown('GET', 'records')).status).toBe(401);
  });

  test('P14: a body that was altered on its way is 401', async () => {
    const { ask, pen } = await begin(start);
    const body = { changes: [pen.write('a', 'one')] };
    const asked = { headers: FIRST, body, hashOf: JSON.stringify({ changes: [] }) };
    expect((await ask('POST', 'records', asked)).status).toBe(401);
    expect((await ask('GET', '')).json.seqnum).toBe(0);
    const whole = { ...asked, hashOf: JSON.stringify(body) };
    expect((await ask('POST', 'records', whole)).status).toBe(204);
  });

  test('P14: a body that nobody signed is refused by who wants that', async () => {
    const { ask, pen } = await begin(start, { requirePayloadHash: true });
    const body = { changes: [pen.write('a', 'one')] };
    expect((await ask('POST', 'records', { headers: FIRST, body })).status).toBe(401);
    expect((await ask('GET', 'records')).status).toBe(200);
    const signed = { headers: FIRST, body, hashOf: JSON.stringify(body) };
    expect((await ask('POST', 'records', signed)).status).toBe(204);
  });

  test('P15: the same id, time and nonce a second time is 401', async () => {
    const { served } = await begin(start);
    const { fetch } = served.world;
    const sent: Request[] = [];
    const world = {
      ...served.world,
      fetch: (request: Request) => {
        sent.push(request.clone() as Request);
        return fetch(request);
      },
    };
    const ask = (await signIn(world)).at(NAME);
    expect((await ask('GET', 'records')).status).toBe(200);
    const again = sent.at(-1) as Request;
    expect((await fetch(again)).status).toBe(401);
    expect((await ask('GET', 'records')).status).toBe(200);
  });

  test('P16: a clock that is wrong is told the time, with a proof', async () => {
    const { ask, served } = await begin(start);
    const { nowMs } = served.world.clock;
    for (const offMs of [-61_000, 61_000, 3_600_000]) {
      const { status, headers } = await ask('GET', '', { atMs: nowMs + offMs });
      const said = headers.get('www-authenticate') ?? '';
      expect(status).toBe(401);
      expect(said).toMatch(/^Hawk ts="\d+", tsm="[\w+/]{43}=", error="Stale timestamp"$/);
      expect(Math.abs(Number(/ts="(\d+)"/.exec(said)?.[1]) * 1000 - nowMs)).toBeLessThan(60_000);
    }
    expect((await ask('GET', '', { atMs: nowMs + 50_000 })).status).toBe(200);
  });

  test('P17: a pass ends, and a new one is for the same places', async () => {
    const { world } = await start({ durationSeconds: 1 });
    const user = await signIn(world);
    const ask = user.at(NAME);
    expect((await ask('GET', '')).status).toBe(200);
    world.clock.nowMs += 1_100;
    expect((await ask('GET', '')).status).toBe(401);
    const again = await signIn(world);
    expect(again.collections).toEqual(user.collections);
    expect((await again.at(NAME)('GET', '')).status).toBe(200);
  });
}

function appending(start: StartPicl): void {
  test('P4: each change raises the seqnum by one, a deletion too', async () => {
    const { ask, pen, post } = await begin(start);
    await post(pen.write('a', 'one'), pen.write('a', null), pen.write('none', null));
    expect((await ask('GET', '')).json.seqnum).toBe(3);
    await post(pen.write('a', ''));
    expect((await ask('GET', '')).json.seqnum).toBe(4);
    expect((await ask('GET', 'records/a')).json.payload).toBe('');
  });

  test('P5: the seqnum never falls, though all is deleted and the log compacted', async () => {
    const { ask, pen, post, served } = await filled(start, ['a', 'b']);
    await post(pen.write('a', null), pen.write('b', null));
    await compact(served.storage, { changes: 1, ageMs: 0 }, served.world.clock.nowMs);
    const { json, headers } = await ask('GET', '');
    expect([json.seqnum, headers.get('etag')]).toEqual([4, pen.tag]);
    expect((await post(pen.write('a', 'two'))).status).toBe(204);
    expect((await ask('GET', '')).json.seqnum).toBe(5);
  });

  test('P6: a wrong changeid changes nothing and is reported with its index', async () => {
    const { ask, pen, post } = await filled(start, ['a']);
    const tag = pen.tag;
    const good = pen.write('b', 'two');
    const bad = { ...pen.write('c', 'three'), changeid: 'x'.repeat(43) };
    const answer = await post(good, bad);
    expect([answer.status, answer.json]).toEqual([412, { error: 'bad-chain', index: 1 }]);
    expect(answer.headers.get('etag')).toBe(tag);
    expect(keysOf(await ask('GET', 'records'))).toEqual(['a']);
    expect(numbersOf(await ask('GET', 'changes'))).toEqual([1]);
  });

  test.each<[string, (change: ReturnType<Pen['write']>) => object]>([
    ['another payload', (change) => ({ ...change, payload: 'other' })],
    ['a deletion', (change) => ({ ...change, payload: null })],
    ['another key', (change) => ({ ...change, key: 'other' })],
    ['a number left out', (change) => ({ ...change, seqnum: change.seqnum + 1 })],
    ['the number before', (change) => ({ ...change, seqnum: change.seqnum - 1 })],
    ['another change before it', (change) => ({ ...change, prev: 'y'.repeat(43) })],
  ])('P6: %s than the id is of breaks the chain', async (_, alter) => {
    const { ask, pen, post } = await filled(start, ['a']);
    const answer = await post(alter(pen.write('b', 'two')) as ReturnType<Pen['write']>);
    expect([answer.status, answer.json]).toEqual([412, { error: 'bad-chain', index: 0 }]);
    expect((await ask('GET', '')).json.seqnum).toBe(1);
  });

  test('P7: a wrong signature is none of the server’s business', async () => {
    const { ask, pen, post } = await begin(start);
    expect((await post({ ...pen.write('a', 'one'), signature: 'wrong' })).status).toBe(204);
    expect((await ask('GET', '')).json.signature).toBe('wrong');
  });

  test('P38: a change without a condition is 428', async () => {
    const { ask, pen } = await begin(start);
    const body = { changes: [pen.write('a', 'one')] };
    for (const headers of [{}, { 'If-Match': '*' }]) {
      expect((await ask('POST', 'records', { headers, body })).status).toBe(428);
      expect((await ask('POST', 'changes', { headers, body })).status).toBe(428);
    }
    expect((await ask('GET', '')).json.seqnum).toBe(0);
  });

  test('P39: a change on the present state is 204, without a body, with the new tag', async () => {
    const { pen, post } = await filled(start, ['a']);
    const { status, text, headers } = await post(pen.write('a', 'two'));
    expect([status, text, headers.get('etag')]).toEqual([204, '', pen.tag]);
  });

  test('P40: a change on a past state is 412 with the present tag, without effect', async () => {
    const { ask, pen, post } = await filled(start, ['a']);
    const past = { 'If-Match': pen.tag };
    const late = new Pen(pen.seqnum, pen.changeid);
    await post(pen.write('b', 'two'));
    const body = { changes: [late.write('c', 'three')] };
    const answer = await ask('POST', 'records', { headers: past, body });
    expect([answer.status, answer.headers.get('etag')]).toEqual([412, pen.tag]);
    expect(answer.json).toEqual({ error: 'precondition-failed' });
    expect(keysOf(await ask('GET', 'records'))).toEqual(['a', 'b']);
  });

  test('P41: changes of one request come in order', async () => {
    const { ask, pen, post } = await filled(start, ['a']);
    const wrote = [pen.write('b', 'x'), pen.write('b', 'y'), pen.write('a', null)];
    expect((await post(...wrote)).status).toBe(204);
    expect((await ask('GET', 'records')).json.records).toEqual({
      b: { payload: 'y', seqnum: 3, changeid: wrote[1]?.changeid, signature: 'sig3' },
    });
    const { json } = await ask('GET', 'changes?since=4');
    expect(json.changes).toEqual([expect.objectContaining({ key: 'a', payload: null, seqnum: 4 })]);
  });

  test.each<[string, object, string]>([
    ['a key that is none', { key: 'a b' }, 'key'],
    ['no payload', { payload: undefined }, 'payload'],
    ['a payload of another alphabet', { payload: 'a b' }, 'payload'],
    ['a number that is a text', { seqnum: '3' }, 'seqnum'],
    ['a number that no computer holds', { seqnum: 2 ** 53 }, 'seqnum'],
    ['no id', { changeid: '' }, 'changeid'],
    ['no signature', { signature: undefined }, 'signature'],
    ['a signature that is too long', { signature: 'x'.repeat(129) }, 'signature'],
    ['a change before that is none', { prev: 7 }, 'prev'],
  ])('P42: one change with %s leaves the whole request without effect', async (_, part, member) => {
    const { ask, pen, post } = await filled(start, ['a']);
    const list = [pen.write('b', 'two'), { ...pen.write('c', 'three'), ...part }];
    const answer = await post(...list);
    expect([answer.status, answer.json]).toEqual([400, { error: 'bad-change', index: 1, member }]);
    expect((await ask('GET', '')).json.seqnum).toBe(1);
  });

  test('P43: If-None-Match: * lets in the first write, and no second one', async () => {
    const { ask, pen } = await begin(start);
    const post = (change: object) =>
      ask('POST', 'records', { headers: FIRST, body: { changes: [change] } });
    expect((await post(pen.write('a', 'one'))).status).toBe(204);
    const second = await post(pen.write('b', 'two'));
    expect([second.status, second.headers.get('etag')?.split('-')[0]]).toEqual([412, '1']);
    const empty = await begin(start);
    const headers = { 'If-Match': empty.pen.tag };
    const body = { changes: [empty.pen.write('a', 'one')] };
    expect((await empty.ask('POST', 'records', { headers, body })).status).toBe(204);
  });

  test('P44: a change of one record has its key in the URL, and no other in the body', async () => {
    const { ask, pen } = await filled(start, ['a']);
    const headers = { 'If-Match': pen.tag };
    const { key, ...body } = pen.write('b', 'two');
    const other = { headers, body: { ...body, key: 'c' } };
    expect((await ask('POST', `records/${key}`, other)).status).toBe(400);
    const answer = await ask('POST', `records/${key}`, { headers, body });
    expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([204, '', pen.tag]);
    expect((await ask('GET', `records/${key}`)).json.payload).toBe('two');
    expect((await ask('POST', 'records/a%20b', { headers, body })).status).toBe(400);
  });

  test('P61: a POST to changes is one to records', async () => {
    const { ask, pen } = await filled(start, ['a']);
    const headers = { 'If-Match': pen.tag };
    const body = { changes: [pen.write('b', 'two')] };
    const answer = await ask('POST', 'changes', { headers, body });
    expect([answer.status, answer.headers.get('etag')]).toEqual([204, pen.tag]);
    const alone = [pen.write('c', 'three')];
    const tag = { 'If-Match': answer.headers.get('etag') ?? '' };
    expect((await ask('POST', 'records', { headers: tag, body: alone })).status).toBe(204);
  });
}

function limits(start: StartPicl): void {
  test('P2: keys are of the same alphabet, and __proto__ is one like any other', async () => {
    const long = 'Z'.repeat(64);
    const keys = ['-', '10', '9', 'A', '__proto__', 'constructor', long, 'toString'];
    const { ask, pen, post } = await filled(start, keys);
    const answer = await ask('GET', 'records');
    expect(orderOf(answer)).toEqual([...keys].sort());
    expect((await ask('GET', 'records/__proto__')).json.payload).toBe('of-__proto__');
    for (const key of ['', `${long}Z`, 'a.b', 'a/b', 'ü'])
      expect([key, (await post(pen.write(key, 'x'))).status]).toEqual([key, 400]);
  });

  test('P3: 262,144 characters are taken, one more is 413', async () => {
    const { ask, pen, post } = await begin(start);
    const longest = 'x'.repeat(262_144);
    expect((await post(pen.write('a', longest))).status).toBe(204);
    expect((await ask('GET', 'records/a')).json.payload === longest).toBe(true);
    const answer = await post(pen.write('b', `${longest}x`));
    expect([answer.status, answer.json.error]).toEqual([413, 'too-large']);
    expect((await ask('GET', '')).json.seqnum).toBe(1);
  });

  test('R26: 100 changes are taken, and so is what fits into a body; more is 413', async () => {
    const { ask, pen, post } = await begin(start);
    const write = (count: number, chars: number) =>
      Array.from({ length: count }, (_, n) => pen.write(`k${n}`, 'x'.repeat(chars)));
    expect((await post(...write(100, 1))).status).toBe(204);
    const refused = new Pen(pen.seqnum, pen.changeid);
    expect((await post(...write(101, 1))).status).toBe(413);
    expect((await post(...write(6, 262_144))).status).toBe(413);
    expect((await post()).status).toBe(400);
    expect((await ask('GET', '')).json.seqnum).toBe(refused.seqnum);
  });
}
