// What a PiCL server tells of what it holds.

import { membersOf } from '../../../platform/node/picl/reading.ts';
import { type Asking, conditionOn, listOf, must, mustEqual, newKeys, recordsIn } from './asking.ts';
import type { Rule } from './rule.ts';

const SNAPSHOTS = 20;

/** Three records of new keys, in their order. */
async function three(asking: Asking) {
  const keys = newKeys(3);
  const written = await asking.write(
    ...[...keys].reverse().map((key) => [key, `of-${key}`] as const),
  );
  return { keys, written, first: keys[0] ?? '', last: keys[2] ?? '' };
}

const nextOf = (json: unknown) => membersOf(json)?.get('next') ?? null;

export const READING: readonly Rule[] = [
  {
    id: 'P18',
    says: 'a collection tells its name, seqnum, changeid and signature',
    async run(asking) {
      const [last] = await asking.write(['key', 'x']);
      const { json } = await asking.ask('GET', '');
      const members = membersOf(json);
      const told = ['name', 'seqnum', 'changeid', 'signature'].map((name) => members?.get(name));
      mustEqual(told, [asking.name, last?.seqnum, last?.changeid, last?.signature], 'it tells');
    },
  },
  {
    id: 'P20',
    says: 'every success has the ETag of the collection, a record’s too',
    async run(asking) {
      // The oldest of them.
      const { last } = await three(asking);
      const head = await asking.head();
      for (const path of ['', 'records', `records/${last}`, 'changes', 'records?limit=1'])
        mustEqual((await asking.ask('GET', path)).tag, head, `the ETag of /${path} is`);
    },
  },
  {
    id: 'P22',
    says: 'records come in the order of their keys’ bytes, over all pages, each once',
    async run(asking) {
      const start = newKeys(1)[0] ?? '';
      const keys = ['-', '0', '10', '9', 'A', 'Z', '_', 'a', 'z'].map((end) => `${start}${end}`);
      await asking.write(...[...keys].reverse().map((key) => [key, 'x'] as const));
      const seen: string[] = [];
      let from: unknown = start;
      for (let pages = 0; from !== null; pages++) {
        must(pages <= keys.length, 'the pages do not end');
        const answer = await asking.ask('GET', `records?start=${from}&end=${start}zz&limit=2`);
        seen.push(...recordsIn(answer).keys());
        from = nextOf(answer.json);
      }
      mustEqual(seen, keys, 'the keys are');
    },
  },
  {
    id: 'P23',
    says: 'start and end are both in the range; a range the wrong way round is empty',
    async run(asking) {
      const { keys, first, last } = await three(asking);
      const range = recordsIn(await asking.ask('GET', `records?start=${first}&end=${last}`));
      mustEqual([...range.keys()], keys, 'the range is');
      const none = recordsIn(await asking.ask('GET', `records?start=${last}&end=${first}`));
      mustEqual(none.size, 0, 'the other one has');
    },
  },
  {
    id: 'P24',
    says: 'a page that is not the last has the key that comes next',
    async run(asking) {
      const { keys, first, last } = await three(asking);
      const page = await asking.ask('GET', `records?start=${first}&end=${last}&limit=2`);
      mustEqual([...recordsIn(page).keys()], keys.slice(0, 2), 'the page is');
      mustEqual(nextOf(page.json), last, 'next is');
      const rest = await asking.ask('GET', `records?start=${last}&end=${last}&limit=2`);
      mustEqual([recordsIn(rest).size, nextOf(rest.json)], [1, null], 'the last page is');
    },
  },
  {
    id: 'P30',
    says: 'a record tells its key and its last change; one that is not there is 404',
    async run(asking) {
      const [key = '', none = ''] = newKeys(2);
      const [change] = await asking.write([key, 'x']);
      const members = membersOf((await asking.ask('GET', `records/${key}`)).json);
      for (const [name, value] of Object.entries({ ...change }))
        mustEqual(members?.get(name), value, `${name} is`);
      mustEqual((await asking.ask('GET', `records/${none}`)).status, 404, 'no record is');
    },
  },
  {
    id: 'P27',
    says: 'a read under If-Match of another state is 412 with the ETag, and tells nothing',
    async run(asking) {
      const old = await asking.head();
      await asking.write(['key', 'x']);
      const head = await asking.head();
      for (const path of ['', 'records', 'changes']) {
        const headers = { 'If-Match': `${old.seqnum}-${old.changeid}` };
        const { status, tag, json } = await asking.ask('GET', path, { headers });
        mustEqual([status, tag], [412, head], `/${path} is answered`);
        must(!membersOf(json)?.has('records'), 'it tells records');
        const now = { 'If-Match': `${head.seqnum}-${head.changeid}` };
        mustEqual((await asking.ask('GET', path, { headers: now })).status, 200, 'else it is');
      }
    },
  },
  {
    id: 'P29',
    says: 'a read under If-None-Match of this state is 304 with the ETag; bare, quoted, in a list',
    async run(asking) {
      await asking.write(['key', 'x']);
      const head = await asking.head();
      const tag = `${head.seqnum}-${head.changeid}`;
      for (const condition of [tag, `"${tag}"`, `W/"${tag}"`, `"1-x", "${tag}"`, '*']) {
        const answer = await asking.ask('GET', 'records', {
          headers: { 'If-None-Match': condition },
        });
        mustEqual([answer.status, answer.tag], [304, head], `${condition} is answered`);
      }
      const other = await asking.ask('GET', '', { headers: { 'If-None-Match': '1-x' } });
      mustEqual(other.status, 200, 'another state is answered');
    },
  },
  {
    id: 'P31',
    says: 'the log comes in ascending order, whole',
    async run(asking) {
      const [key = ''] = newKeys(1);
      const written = await asking.write([key, 'x'], [key, null], [key, 'y']);
      const since = written[0]?.seqnum;
      const changes = listOf(await asking.ask('GET', `changes?since=${since}`), 'changes');
      const told = changes.map(({ seqnum, changeid, signature, key: of, payload }) => ({
        ...{ key: of, payload, seqnum, changeid, signature },
      }));
      mustEqual(told, written, 'the log has');
    },
  },
  {
    id: 'P32',
    says: 'since is the first number that comes; next the first that is left out',
    async run(asking) {
      const { written } = await three(asking);
      const since = written[0]?.seqnum ?? 0;
      const page = await asking.ask('GET', `changes?since=${since}&limit=2`);
      const numbers = listOf(page, 'changes').map(({ seqnum }) => seqnum);
      mustEqual([numbers, nextOf(page.json)], [[since, since + 1], since + 2], 'the page is');
      const rest = await asking.ask('GET', `changes?since=${since + 2}&limit=2`);
      mustEqual([listOf(rest, 'changes').length, nextOf(rest.json)], [1, null], 'the last is');
      const none = await asking.ask('GET', `changes?since=${since + 3}`);
      mustEqual(listOf(none, 'changes').length, 0, 'behind the head there are');
    },
  },
  {
    id: 'R19',
    says: 'what is past the next number is 416; no number is 400',
    async run(asking) {
      const { seqnum } = await asking.head();
      const future = await asking.ask('GET', `changes?since=${seqnum + 5}`);
      mustEqual(future.status, 416, 'the future is answered');
      for (const query of [
        'changes?since=x',
        'changes?limit=0',
        'records?limit=-1',
        'records?limit=1.5',
      ])
        mustEqual((await asking.ask('GET', query)).status, 400, `${query} is answered`);
      mustEqual((await asking.ask('GET', 'records?colour=blue&limit=1')).status, 200, 'a word is');
    },
  },
  {
    id: 'P35',
    says: 'a history from its beginning is whole, or 416 says where it begins',
    async run(asking) {
      const { status, json, tag } = await asking.ask('GET', 'changes?limit=1');
      if (status === 200) return;
      const members = membersOf(json);
      const said = [status, members?.get('error'), typeof members?.get('oldest')];
      mustEqual(said, [416, 'history-compacted', 'number'], 'it is answered');
      mustEqual(tag, await asking.head(), 'the ETag is');
      const [first] = listOf(
        await asking.ask('GET', `changes?limit=1&since=${members?.get('oldest')}`),
        'changes',
      );
      mustEqual(first?.seqnum, members?.get('oldest'), 'the history begins with');
    },
  },
  {
    id: 'P60',
    says: 'a page and its ETag are of one state, whoever writes meanwhile',
    async run(asking) {
      const [key = ''] = newKeys(1);
      const { seqnum } = await asking.head();
      for (let time = 0; time < SNAPSHOTS; time++) {
        const head = await asking.head();
        const changes = asking.minted(head, [[key, `${time}`]]);
        const [, log, records] = await Promise.all([
          asking.post(changes, conditionOn(head)),
          asking.ask('GET', `changes?since=${seqnum + 1}`),
          asking.ask('GET', `records?start=${key}&end=${key}`),
        ]);
        const last = listOf(log, 'changes').at(-1);
        if (last !== undefined)
          mustEqual(
            { seqnum: last.seqnum, changeid: last.changeid },
            log.tag,
            'the last change is',
          );
        const record = recordsIn(records).get(key);
        if (record !== undefined)
          mustEqual(record.seqnum, records.tag?.seqnum, 'the newest record is of change');
      }
    },
  },
  {
    id: 'P5',
    says: 'the seqnum never falls, though nothing is left',
    async run(asking) {
      const { keys } = await three(asking);
      const { seqnum } = await asking.head();
      await asking.write(...keys.map((key) => [key, null] as const));
      mustEqual((await asking.head()).seqnum, seqnum + 3, 'the seqnum is');
    },
  },
  {
    id: 'R31',
    says: 'HEAD is GET without a body; other methods are 405 with Allow',
    async run(asking) {
      const head = await asking.ask('HEAD', 'records');
      mustEqual([head.status, head.text, head.tag], [200, '', await asking.head()], 'HEAD is');
      for (const [method, path] of [
        ['DELETE', ''],
        ['DELETE', 'records'],
        ['PUT', 'records/key'],
        ['DELETE', 'changes'],
      ] as const) {
        const answer = await asking.ask(method, path);
        mustEqual(answer.status, 405, `${method} /${path} is answered`);
        must(answer.headers.has('Allow'), `${method} /${path} is answered without Allow`);
      }
    },
  },
];
