// What a PiCL server takes, and what it refuses to.

import { GENESIS } from '../../../platform/node/picl/chain.ts';
import { type Head, membersOf } from '../../../platform/node/picl/reading.ts';
import { type Asking, conditionOn, listOf, must, mustEqual, newKeys, recordsIn } from './asking.ts';
import type { Rule } from './rule.ts';

const PAYLOAD_CHARS_MAX = 262_144;

/** It is refused, with this status and the head, and nothing is written. */
async function refused(
  asking: Asking,
  head: Head,
  sent: { changes: readonly unknown[]; headers?: Record<string, string>; path?: string },
  statuses: readonly number[],
  what: string,
) {
  const { changes, headers = conditionOn(head), path = 'records' } = sent;
  const answer = await asking.post(changes, headers, path);
  must(statuses.includes(answer.status), `${what} is answered ${answer.status}`);
  mustEqual(await asking.head(), head, `the head after ${what} is`);
  if (answer.status === 412) mustEqual(answer.tag, head, `the ETag of ${what} is`);
  return answer;
}

export const WRITING: readonly Rule[] = [
  {
    id: 'P43',
    says: 'the first write is under If-None-Match: *, which holds once',
    async run(asking) {
      const head = await asking.head();
      if (head.changeid === GENESIS) await asking.write(['first', 'x']);
      const now = await asking.head();
      const sent = {
        changes: asking.minted(now, [['second', 'x']]),
        headers: { 'If-None-Match': '*' },
      };
      await refused(asking, now, sent, [412], 'the second one');
    },
  },
  {
    id: 'P39',
    says: 'a good POST is 204 without a body, with the new ETag',
    async run(asking) {
      const head = await asking.head();
      const [last] = asking.minted(head, [['key', 'x']]);
      const { status, text, tag } = await asking.post([last], conditionOn(head));
      mustEqual([status, text], [204, ''], 'it is answered');
      mustEqual(tag, { seqnum: last?.seqnum, changeid: last?.changeid }, 'the ETag is');
    },
  },
  {
    id: 'P4',
    says: 'every change raises the seqnum by one, deletions too',
    async run(asking) {
      const { seqnum } = await asking.head();
      const [key = '', none = ''] = newKeys(2);
      await asking.write([key, 'x'], [key, null], [none, null]);
      mustEqual((await asking.head()).seqnum, seqnum + 3, 'the seqnum is');
    },
  },
  {
    id: 'P6',
    says: 'a chain that is not formed is 412 bad-chain with the index, and changes nothing',
    async run(asking) {
      const head = await asking.head();
      const [one, two] = asking.minted(head, [
        ['key', 'x'],
        ['other', 'y'],
      ]);
      for (const [index, changes] of [
        [0, [{ ...one, changeid: two?.changeid }, two]],
        [0, [{ ...one, payload: 'z' }, two]],
        [0, [{ ...one, seqnum: (one?.seqnum ?? 0) + 1 }]],
        [1, [one, { ...two, key: 'third' }]],
        [1, [one, one]],
      ] as const) {
        const answer = await refused(asking, head, { changes }, [412], 'a bad chain');
        const members = membersOf(answer.json);
        const said = [members?.get('error'), members?.get('index')];
        mustEqual(said, ['bad-chain', index], 'the body says');
      }
    },
  },
  {
    id: 'P42',
    says: 'of a body with one bad change nothing is applied',
    async run(asking) {
      const head = await asking.head();
      const [key = ''] = newKeys(1);
      const [one, two] = asking.minted(head, [
        [key, 'x'],
        [key, 'y'],
      ]);
      const { payload: _, ...none } = { ...two };
      await refused(asking, head, { changes: [one, none] }, [400], 'a change without a payload');
      const unknown = { ...two, changeid: one?.changeid };
      await refused(asking, head, { changes: [one, unknown] }, [412], 'a wrong id');
      mustEqual((await asking.ask('GET', `records/${key}`)).status, 404, 'its key is answered');
    },
  },
  {
    id: 'P7',
    says: 'a wrong signature on a right chain is taken',
    async run(asking) {
      const head = await asking.head();
      const [one] = asking.minted(head, [['key', 'x']]);
      const sent = [{ ...one, signature: 'A'.repeat(43) }];
      mustEqual((await asking.post(sent, conditionOn(head))).status, 204, 'it is answered');
    },
  },
  {
    id: 'P38',
    says: 'a POST that does not say what it has seen is 428',
    async run(asking) {
      const head = await asking.head();
      const changes = asking.minted(head, [['key', 'x']]);
      await refused(asking, head, { changes, headers: {} }, [428], 'no condition');
      await refused(asking, head, { changes, headers: { 'If-Match': '*' } }, [428], 'If-Match: *');
    },
  },
  {
    id: 'P40',
    says: 'a POST under an old tag is 412 with the new one, however good its chain',
    async run(asking) {
      const old = await asking.head();
      await asking.write(['key', 'x']);
      const head = await asking.head();
      const changes = asking.minted(head, [['key', 'y']]);
      const headers = { 'If-Match': `${old.seqnum}-${old.changeid}` };
      await refused(asking, head, { changes, headers }, [412], 'an old tag');
      const weak = { 'If-Match': `W/"${head.seqnum}-${head.changeid}"` };
      await refused(asking, head, { changes, headers: weak }, [412], 'a weak tag');
    },
  },
  {
    id: 'P2',
    says: 'keys are 1 to 64 letters, digits, "_" and "-"; __proto__ is one like any other',
    async run(asking) {
      const long = `k${'-_Az09aa'.repeat(8)}`.slice(0, 64);
      for (const key of [long, '__proto__', 'constructor', '-', '0']) {
        await asking.write([key, `of_${key}`]);
        const { status, json } = await asking.ask('GET', `records/${key}`);
        mustEqual([status, membersOf(json)?.get('payload')], [200, `of_${key}`], `${key} is`);
        const listed = recordsIn(await asking.ask('GET', `records?start=${key}&end=${key}`));
        must(listed.has(key), `${key} is not listed`);
      }
      const head = await asking.head();
      for (const key of [`${long}A`, 'a.b', '', 'a b', 'é']) {
        const changes = asking.minted(head, [[key, 'x']]);
        await refused(asking, head, { changes }, [400], `the key "${key}"`);
      }
    },
  },
  {
    id: 'P3',
    says: 'payloads have at most 262,144 characters of base64url; an empty one is a value',
    async run(asking) {
      const [key = ''] = newKeys(1);
      for (const payload of ['', 'x'.repeat(PAYLOAD_CHARS_MAX)]) {
        await asking.write([key, payload]);
        const { json } = await asking.ask('GET', `records/${key}`);
        mustEqual(membersOf(json)?.get('payload'), payload, 'the payload is');
      }
      const head = await asking.head();
      for (const payload of ['x'.repeat(PAYLOAD_CHARS_MAX + 1), 'a b', 'é', 1]) {
        const changes = asking.minted(head, [[key, String(payload)]]);
        const sent = changes.map((change) => ({ ...change, payload }));
        await refused(asking, head, { changes: sent }, [400, 413], 'a bad payload');
      }
    },
  },
  {
    id: 'P41',
    says: 'changes of a body are applied in order; a deleted key is gone, and null in the log',
    async run(asking) {
      const [key = '', other = ''] = newKeys(2);
      const written = await asking.write([key, 'x'], [key, 'y'], [other, 'z'], [other, null]);
      const { json } = await asking.ask('GET', `records/${key}`);
      mustEqual(membersOf(json)?.get('payload'), 'y', 'the last payload is');
      mustEqual((await asking.ask('GET', `records/${other}`)).status, 404, 'a deleted key is');
      const records = recordsIn(await asking.ask('GET', `records?start=${key}&end=${other}`));
      mustEqual([...records.keys()], [key], 'what is listed is');
      const since = written[0]?.seqnum;
      const changes = listOf(await asking.ask('GET', `changes?since=${since}`), 'changes');
      mustEqual(
        changes.map(({ payload }) => payload),
        ['x', 'y', 'z', null],
        'the log has',
      );
    },
  },
  {
    id: 'P44',
    says: 'a POST to a key is a body of one change, of that key',
    async run(asking) {
      const [key = ''] = newKeys(1);
      const head = await asking.head();
      const [change] = asking.minted(head, [[key, 'x']]);
      const headers = conditionOn(head);
      const wrong = { headers, body: { ...change, key: `${key}x` } };
      mustEqual((await asking.ask('POST', `records/${key}`, wrong)).status, 400, 'another key is');
      const { key: _, ...body } = { ...change };
      const { status } = await asking.ask('POST', `records/${key}`, { headers, body });
      mustEqual([status, (await asking.head()).seqnum], [204, head.seqnum + 1], 'it is answered');
    },
  },
  {
    id: 'P61',
    says: 'a POST to /changes is one to /records; a bare list is a body',
    async run(asking) {
      const head = await asking.head();
      const changes = asking.minted(head, [['key', 'x']]);
      mustEqual((await asking.post(changes, conditionOn(head), 'changes')).status, 204, 'it is');
      const next = await asking.head();
      const body = asking.minted(next, [['key', 'y']]);
      const answer = await asking.ask('POST', 'records', { headers: conditionOn(next), body });
      mustEqual(answer.status, 204, 'a list is answered');
    },
  },
  {
    id: 'R26',
    says: 'a body has 1 to 100 changes',
    async run(asking) {
      const [key = ''] = newKeys(1);
      const writes = Array.from({ length: 101 }, (_, at) => [key, `${at}`] as const);
      await asking.write(...writes.slice(0, 100));
      const head = await asking.head();
      await refused(asking, head, { changes: asking.minted(head, writes) }, [413], 'one more');
      await refused(asking, head, { changes: [] }, [400], 'none');
      const answer = await asking.ask('POST', 'records', { headers: conditionOn(head), body: '{' });
      mustEqual(answer.status, 400, 'half a body is answered');
    },
  },
];
