// Who may ask a PiCL server: the login, and Hawk.

import { membersOf } from '../../../platform/node/picl/reading.ts';
import { Asking, login, must, mustEqual, newKeys } from './asking.ts';
import type { Rule } from './rule.ts';

export const ACCESS: readonly Rule[] = [
  {
    id: 'P1',
    says: 'collections have legal names, and each answers at its URL',
    async run(asking) {
      must(asking.collections.size > 0, 'there is no collection');
      for (const name of asking.collections.keys())
        must(/^[\w-]{1,64}$/.test(name), `${name} is no name`);
    },
  },
  {
    id: 'P8',
    says: 'a login gives id, key and the URLs of collections',
    async run(_, server) {
      const { status, headers, json } = await login(server);
      mustEqual(status, 200, 'the login answers');
      must(/^application\/json/.test(headers.get('Content-Type') ?? ''), 'it is no JSON');
      const members = membersOf(json);
      for (const member of ['id', 'key'])
        must(isQuotable(members?.get(member)), `${member} is no text for a header`);
      must(membersOf(members?.get('collections')) !== null, 'collections is no map');
    },
  },
  {
    id: 'P9',
    says: 'a login with a bad proof, or without a device, gives nothing',
    async run(_, server) {
      const forged = { ...server, proof: { bearer: 'forged' } };
      for (const [bad, members] of [
        [{ ...server, proof: {} }, { assertion: 'a.b.c~d.e.f' }],
        [forged, {}],
      ] as const) {
        const { status, json } = await login(bad, members);
        mustEqual(status, 401, 'a forged proof is answered');
        must(!membersOf(json)?.has('key'), 'a forged proof gets a key');
      }
      mustEqual((await login(server, { device: 'x y' })).status, 400, 'no device is answered');
    },
  },
  {
    id: 'P13',
    says: 'what nobody has signed, or somebody else, is 401',
    async run(asking, server) {
      const { json } = await login(server);
      const other = new Asking(server, { ...(json as object), key: 'another key' });
      for (const path of ['', 'records', 'records/key', 'changes']) {
        const forged = other.signed('GET', asking.place() + (path && `/${path}`));
        for (const authorization of [null, 'Hawk id="x"', 'Bearer x', forged]) {
          const { status } = await asking.ask('GET', path, { authorization });
          mustEqual(status, 401, `${authorization ?? 'no header'} is answered`);
        }
      }
      const body = { changes: asking.minted(await asking.head(), [['key', 'x']]) };
      const sent = { authorization: null, body, headers: { 'If-None-Match': '*' } };
      mustEqual((await asking.ask('POST', 'records', sent)).status, 401, 'a POST is answered');
    },
  },
  {
    id: 'P14',
    says: 'a body that was altered on its way is 401, and changes nothing',
    async run(asking) {
      const head = await asking.head();
      const [key = ''] = newKeys(1);
      const changes = asking.minted(head, [[key, 'altered']]);
      const headers = { 'If-Match': `${head.seqnum}-${head.changeid}` };
      const signedBody = JSON.stringify({ changes: asking.minted(head, [[key, 'signed']]) });
      const sent = { headers, body: { changes }, signedBody };
      mustEqual((await asking.ask('POST', 'records', sent)).status, 401, 'it is answered');
      mustEqual(await asking.head(), head, 'the head is');
    },
  },
  {
    id: 'P15',
    says: 'the same id, time and nonce a second time is 401',
    async run(asking) {
      const authorization = asking.signed('GET', `${asking.place()}/records`);
      const statuses = [];
      for (let time = 0; time < 2; time++)
        statuses.push((await asking.ask('GET', 'records', { authorization })).status);
      mustEqual(statuses, [200, 401], 'they are answered');
    },
  },
  {
    id: 'P16',
    says: 'a time that is an hour off is 401, with the right time and a proof of it',
    async run(asking) {
      const { status, headers } = await asking.ask('GET', '', { wrongByMs: -3_600_000 });
      mustEqual(status, 401, 'it is answered');
      const challenge = headers.get('WWW-Authenticate') ?? '';
      must(/^Hawk .*\bts="\d+", tsm="[^"]{44}"/.test(challenge), `the challenge is ${challenge}`);
    },
  },
];

function isQuotable(value: unknown): boolean {
  return typeof value === 'string' && /^[^"\\\p{Cc}]+$/u.test(value);
}
