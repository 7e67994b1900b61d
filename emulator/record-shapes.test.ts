// Records of every shape that a careless client may leave: for each of them the emulator's rules
// and the device, which know nothing of one another, come to the same end. It is shown, or a
// deletion, or set aside and named.

import { beforeAll, expect, test } from 'vitest';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { accountOf, sealed } from './record-kinds.ts';
import { runScenario } from './scenario.ts';
import { sealPayload } from './servers/sync-keys.ts';

const TV = loadProfile('panasonic-cx700');
const FOREIGN = { encKey: Buffer.alloc(32, 8), macKey: Buffer.alloc(32, 9) };
const DATE_US = 1_795_000_000_000_000;

const PAYLOADS = [
  ...['', '5', 'null', '[]', '{}', '"x"', '{"deleted":true}'],
  ...['{"ciphertext":5,"IV":5,"hmac":5}', '{"ciphertext":"","IV":"","hmac":""}'],
  sealPayload(FOREIGN, '{"deleted":true}', Buffer.alloc(16)),
];
/** Cleartexts; `$ID` is the record's id. */
const TEXTS = [
  ...['', '{', '5', 'null', '[]', '"x"', '{}', '{"id":"$ID"}', '{"deleted":true}'],
  ...['true', 'false', '1', '0', 'null', '"yes"'].map((is) => `{"id":"$ID","deleted":${is}}`),
  ...['"other"', 'null', '5'].map((id) => `{"id":${id},"deleted":true}`),
  '{"id":"$ID","deleted":true,"histUri":"https://gone.example/"}',
];
const PAGES: readonly object[] = [
  ...[true, false, 0, 'x'].map((deleted) => ({ deleted })),
  ...[5, null, '', 'x', '1a:b', 'place:x', ' https://a.example/'].map((histUri) => ({ histUri })),
  ...[65_536, 65_537].map((chars) => ({ histUri: 'a:'.padEnd(chars, 'x') })),
  ...[null, undefined, 5, {}, '', '\0\ud800'].map((title) => ({ title })),
  ...[[], null, {}, [{}], [5, 'x', [], null], [{ date: 5 }]].map((visits) => ({ visits })),
  ...['1', 1.5, -1, 0, 1e300, 2 ** 53 - 1].map((date) => ({ visits: [{ date, type: 1 }] })),
  ...[-1, 1.5, 99, null].map((type) => ({ visits: [{ date: DATE_US, type }] })),
];
const LOGINS: readonly object[] = [
  ...['', null, 5, 'nonsense', 'https://a:b@user.example'].map((hostname) => ({ hostname })),
  ...['chrome://FirefoxAccounts', 'Chrome://FirefoxAccounts'].map((hostname) => ({ hostname })),
  ...['', null, 5, undefined].map((password) => ({ password })),
  ...['', null, 5, undefined].map((username) => ({ username })),
  ...[null, 5, undefined].flatMap((is) => [{ formSubmitURL: is }, { httpRealm: is }]),
  ...[null, 5, undefined].flatMap((is) => [{ usernameField: is }, { passwordField: is }]),
  ...['x', '5', ' 5 ', '', '1e3', 5.5, -5, 1e300, null, true, []].flatMap((is) => [
    { timeCreated: is },
    { timePasswordChanged: is },
  ]),
];
const IDS = [
  ...['a b', ' ', '%', '!', '.', '..', '...', '', 'é', '\ud800', '\u007f', 'badId %1'],
  ...[33, 34].map((count) => '%'.repeat(count)),
  ...[64, 65, 66].map((count) => 'x'.repeat(count)),
];

let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

test.each([
  ['syncto', 'browserid'],
  ['sync15', 'bearer'],
] as const)('over %s, device and rules agree', async (protocol, auth) => {
  const { account, count } = shapes();
  const { problems, records, quarantine } = await runScenario({
    ...{ profile: TV, firmware, account, seed: 1, protocol, auth, crypto: 'device' },
  });
  expect(problems).toEqual([]);
  expect(records.history?.held).toBeGreaterThan(10);
  expect(records.passwords?.held).toBeGreaterThan(10);
  expect(quarantine.length).toBeGreaterThan(count / 4);
});

function shapes() {
  const account = accountOf([]);
  const [user] = account.store.users.values();
  let count = 0;
  const put = (collection: string, payload: string, id: string) =>
    user?.write(collection, [{ id, payload }], user.modifiedMs);
  const nextId = () => `s${count++}`.padEnd(12, '_');
  const seal = (collection: string, text: string, id = nextId()) =>
    put(collection, sealed(text.replace('$ID', id)), id);
  for (const collection of ['history', 'passwords']) {
    for (const payload of PAYLOADS) put(collection, payload, nextId());
    for (const text of TEXTS) seal(collection, text);
  }
  const page = () => ({
    ...{ id: '$ID', histUri: `https://page${count}.example/`, title: 't' },
    visits: [{ date: DATE_US, type: 1 }],
  });
  for (const change of PAGES) seal('history', JSON.stringify({ ...page(), ...change }));
  for (const id of IDS) {
    count++;
    seal('history', JSON.stringify({ ...page(), id }), id);
  }
  for (const change of LOGINS) {
    const login = {
      ...{ id: '$ID', hostname: `https://login${count}.example`, formSubmitURL: '' },
      ...{ httpRealm: null, username: 'ada', password: 'secret', usernameField: '' },
      ...{ passwordField: '', timeCreated: 1, timePasswordChanged: 1 },
    };
    seal('passwords', JSON.stringify({ ...login, ...change }));
  }
  return { account, count };
}
