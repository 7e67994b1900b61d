import { expect, test } from 'vitest';
import { nodeMachine } from '../platform.ts';
import type { CredentialsFile } from './credentials.ts';
import { askedOfKinto } from './doctor-kinto.ts';

const NAMED: CredentialsFile = {
  ...{ email: null, uid: null, deviceId: null, kinto: 'https://k.example', owa: null },
  ...{ token: { name: 'bob', password: 'b' }, key: { kB: '0f'.repeat(32) } },
};
const BEARER: CredentialsFile = { ...NAMED, uid: 'openid:bob', token: { accessToken: 't' } };

/** What each check finds on a server that says this of itself. */
async function found(hello: object, file: CredentialsFile): Promise<string[]> {
  const said = { http_api_version: '1.23', ...hello };
  const fetch = async () => new Response(JSON.stringify(said), { status: 200 });
  const machine = nodeMachine({ fetch });
  const asked = askedOfKinto(machine, 'https://k.example', () => file);
  const words: string[] = [];
  for (const check of [asked.hello, asked.signIn]) {
    words.push(
      await Promise.resolve()
        .then(check)
        .catch((error: Error) => error.message),
    );
  }
  machine.stop();
  return words;
}

test.each<[string, object, CredentialsFile, readonly [RegExp, RegExp]]>([
  [
    'all is well',
    { project_version: '26.5.0', user: { id: 'account:bob' } },
    NAMED,
    [/^it is a Kinto 26\.5\.0, and takes changes$/, /^it knows who asks: account:bob$/],
  ],
  ['it ends', { eos: '2027-01-31' }, NAMED, [/it ends: 2027-01-31$/, /password of bob$/]],
  ['a token is known', { user: { id: 'openid:bob' } }, BEARER, [/Kinto/, /openid:bob$/]],
  ['a token is not known', {}, BEARER, [/Kinto/, /^it does not take the token$/]],
  [
    'a password is somebody else’s',
    { user: { id: 'basicauth:0f' }, capabilities: { accounts: {} } },
    NAMED,
    [/Kinto/, /^it takes the password of bob as that of somebody else$/],
  ],
  [
    'any password is a user',
    { user: { id: 'basicauth:0f' } },
    NAMED,
    [/Kinto/, /^it knows who asks: basicauth:0f$/],
  ],
])('where %s', async (_, hello, file, [first, second]) => {
  expect(await found(hello, file)).toEqual([
    expect.stringMatching(first),
    expect.stringMatching(second),
  ]);
});
