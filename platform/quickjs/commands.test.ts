// Whatever a device's other programs send as a command is answered with what was asked for or with
// a code, and a refusal names the member. On a device with every collection, signed in: no check is
// hidden behind `disabled`.

import { beforeAll, describe, expect, test } from 'vitest';
import { fromPort, passwordSignIn, signIn } from '../../agent/index.ts';
import { corpusAccount, type TestDevice, testServers, userOf } from '../../test/support/device.ts';
import { FULL, fullDevice } from '../../test/support/everything.ts';
import { COMMANDS, commandOf } from './commands.ts';

let device: TestDevice;
/** Its system has no account manager. */
let signingIn: TestDevice;
/** Of the sign-in that has begun. */
let state: string;

beforeAll(async () => {
  const servers = testServers(corpusAccount());
  device = await fullDevice(servers, { identity: userOf(servers) });
  expect(await device.agent.enable()).toMatchObject({ ok: true });
  const accountsUrl = servers.world.urls.accounts;
  signingIn = await fullDevice(servers, {
    contents: { ...FULL, signIn, passwordSignIn },
    config: { signIn: { accountsUrl, clientId: 'c11e27', redirectUrl: 'https://r.example/' } },
  });
  ({ state } = await signingIn.agent.signIn().begin());
});

/** What the command replies: its result, or the code and the message of its refusal. */
async function reply(name: string, text: string): Promise<object> {
  const { agent } = name === 'signin' ? signingIn : device;
  try {
    return (
      ((await commandOf(name, text.replace('STATE', state))(agent)) as object | undefined) ?? {}
    );
  } catch (error) {
    const { code, message } = fromPort(error);
    return { code, message };
  }
}

const ODD = [null, 5, 1.5, 'text', '', [], [null], {}, true];
const KEYS = [null, 'text', '', [], {}];
const PLACE = { collection: 'history', id: 'AAAAAAAAAAAA' };
const PAGE = { url: 'https://a.example/', visits: [{ date: 1_795_323_276_914_594, type: 1 }] };

/** A command that is in order, and of each member the odd values that it takes. */
const CASES: readonly (readonly [
  name: string,
  text: object,
  takes: { readonly [member: string]: readonly unknown[] },
])[] = [
  ['observe', { collection: 'history', on: true }, { on: [true] }],
  [
    'configure',
    { collections: { history: { enabled: true } }, intervalMs: 60_000, wifiOnly: false },
    { collections: [{}], intervalMs: [null], wifiOnly: [null, true] },
  ],
  ['initialize', { confirm: true }, { confirm: [true] }],
  [
    'list',
    { collection: 'history', limit: 1, prefix: 'https://', after: null },
    { limit: [5], prefix: ['text', ''], after: [null] },
  ],
  [
    'list',
    { collection: 'bookmarks', limit: 1, parent: 'menu', after: null },
    { limit: [5], parent: ['text'], after: [null] },
  ],
  ['get', PLACE, { id: ['text'] }],
  ['delete', PLACE, { id: ['text'] }],
  ['put', { collection: 'history', record: PAGE }, { record: [{}] }],
  ['storage', { extId: 'a', call: 'get', keys: null }, { extId: ['text'], keys: KEYS }],
  [
    'storage',
    { extId: 'a', call: 'bytes', keys: null },
    { extId: ['text'], keys: KEYS.slice(0, 4) },
  ],
  [
    'storage',
    { extId: 'a', call: 'remove', keys: 'x' },
    { extId: ['text'], keys: KEYS.slice(0, 4) },
  ],
  ['storage', { extId: 'a', call: 'set', items: { x: 1 } }, { extId: ['text'], items: [{}] }],
  ['signin', { call: 'finish', code: 'a', state: 'STATE' }, { code: ['text'] }],
  ['signin', { call: 'finish', url: 'https://r.example/?code=a&state=b' }, { url: ['text'] }],
  ['signin', { call: 'import', json: '{}' }, { json: ['text'] }],
  [
    'signin',
    { call: 'password', email: 'a@b.test', password: 'p' },
    { email: ['text'], password: ['text'] },
  ],
];

describe.each(CASES)('%s %j', (name, text, takes) => {
  test('is answered when it is in order', async () => {
    expect(await reply(name, JSON.stringify(text))).not.toMatchObject({ code: 'failed' });
  });

  const wrong = Object.keys(text).flatMap((member) =>
    ODD.filter((odd) => !takes[member]?.some((value) => same(value, odd))).map(
      (odd) => [member, odd] as const,
    ),
  );
  test.each(wrong)('names %s where that is %j', async (member, odd) => {
    const answer = await reply(name, JSON.stringify({ ...text, [member]: odd }));
    expect(answer).toEqual({ code: 'badInput', message: expect.stringMatching(`^${member}\\b`) });
  });

  test.each(['null', '5', '"text"', '[]', '{', 'true'])(
    'takes no %s for an object',
    async (odd) => {
      const answer = await reply(name, odd);
      expect(answer).toEqual({ code: 'badInput', message: `${name}: no JSON object` });
    },
  );
});

test('every command that needs something is tried', () => {
  const needy = [...COMMANDS].flatMap(([name, [, needed]]) => (needed === undefined ? [] : [name]));
  expect(needy.filter((name) => !CASES.some(([tried]) => tried === name))).toEqual([]);
});

test('switches of a collection are an object', async () => {
  for (const odd of ODD.filter((odd) => !same(odd, {}))) {
    const text = JSON.stringify({ collections: { history: odd } });
    expect(await reply('configure', text)).toEqual({
      code: 'badInput',
      message: 'collections.history: not an object',
    });
  }
});

test('commands that need nothing take anything that is an object', async () => {
  for (const name of ['status', 'cancel', 'connection', 'devices']) {
    expect(await reply(name, '{"collection":5,"x":null}')).not.toHaveProperty('code');
  }
});

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
