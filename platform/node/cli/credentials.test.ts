import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { readCredentials, updateCredentials, writeCredentials } from './credentials.ts';

const KB = '0f'.repeat(32);
const KEY = { kty: 'oct' as const, kid: `1-${'A'.repeat(22)}`, k: 'A'.repeat(86) };
const REFRESH = { refreshToken: 'r', clientId: 'c', oauthUrl: 'http://127.0.0.1:9' };
const PLAIN = {
  email: null,
  uid: null,
  kinto: null,
  owa: null,
  token: { accessToken: 't' },
  key: KEY,
  deviceId: null,
};

let file: string;
beforeEach(() => {
  file = join(temporaryFolder(), 'credentials.json');
});

function written(credentials: unknown): string {
  const text = typeof credentials === 'string' ? credentials : JSON.stringify(credentials);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** The line that a file is refused with, behind its path. */
function complaint(credentials: unknown, allowHttp = false): string {
  try {
    readCredentials(written(credentials), allowHttp);
    return 'nothing';
  } catch (error) {
    const { message } = error as Error;
    expect([message.startsWith(file), message.includes('\n')]).toEqual([true, false]);
    return message.slice(file.length);
  }
}

describe('a credentials file', () => {
  it('has an access token and a key, and nothing else that it needs', () => {
    expect(readCredentials(written({ accessToken: 't', key: KEY }), false)).toEqual(PLAIN);
  });

  it('may have an address, an id and the id of a device', () => {
    const more = { email: 'ä@example.test', uid: 'u1', deviceId: 'ab'.repeat(16) };
    const all = { accessToken: 't', key: KEY, ...more };
    expect(readCredentials(written(all), false)).toEqual({ ...PLAIN, ...more });
    const none = { ...all, email: null, uid: null, deviceId: null };
    expect(readCredentials(written(none), false)).toEqual(PLAIN);
  });

  it('may have a refresh token, and says then where it is renewed', () => {
    const { token } = readCredentials(written({ ...REFRESH, key: KEY, accessToken: 't' }), false);
    expect(token).toEqual(REFRESH);
    const slash = { ...REFRESH, oauthUrl: 'https://h.example/v1/', key: KEY };
    expect(readCredentials(written(slash), false).token).toMatchObject({
      oauthUrl: 'https://h.example/v1',
    });
  });

  it('may have kB and when the keys changed in place of the key', () => {
    const { key } = readCredentials(
      written({ accessToken: 't', kB: KB.toUpperCase(), keysChangedAt: 1_500_000_000_000 }),
      false,
    );
    expect(key).toEqual({
      kty: 'oct',
      k: expect.stringMatching(/^[\w-]{86}$/),
      kid: expect.stringMatching(/^1500000000000-[\w-]{22}$/),
    });
    const first = { accessToken: 't', kB: KB, keysChangedAt: 0 };
    expect(readCredentials(written(first), false).key).toMatchObject({
      kid: expect.stringMatching(/^0+-/),
    });
  });
});

describe('a credentials file of a Kinto', () => {
  const bob = { kinto: 'https://k.example/', name: 'bob', password: 'a: b', kB: KB };

  it('has a name, a password and a key, which needs no time', () => {
    expect(readCredentials(written({ ...bob, kB: KB.toUpperCase() }), false)).toEqual({
      ...PLAIN,
      ...{ kinto: 'https://k.example', token: { name: 'bob', password: 'a: b' }, key: { kB: KB } },
    });
    const { kinto } = readCredentials(written({ ...bob, kinto: 'https://k.example/v1/' }), false);
    expect(kinto).toBe('https://k.example');
  });

  it('may have a token in their place, and the key of an account', () => {
    const { token, key } = readCredentials(
      written({ kinto: bob.kinto, accessToken: 't', key: KEY }),
      false,
    );
    expect([token, key]).toEqual([{ accessToken: 't' }, KEY]);
  });

  it('is written as it is read', async () => {
    const one = readCredentials(written(bob), false);
    await writeCredentials(file, one);
    expect(readCredentials(file, false)).toEqual(one);
  });

  test.each([
    [{ kinto: 'ftp://x' }, ': kinto must be an http or https URL'],
    [
      { kinto: 'http://k.example' },
      ': kinto: http://k.example is not encrypted: use https, or allow it with --allow-http',
    ],
    [{ kinto: undefined }, ': kinto is missing: the URL of the server whose password it is'],
    [{ name: undefined }, ': name is missing'],
    [{ name: 'a:b' }, ': name must be a name without a colon'],
    [{ password: '' }, ': password must be 1 to 1,024 characters in one line'],
    [{ password: 'a\nb' }, ': password must be 1 to 1,024 characters in one line'],
    [{ kB: 'ab' }, ': kB must be 64 hex digits'],
    [{ kB: undefined }, ': key (an object) or kB is missing'],
  ])('is refused with %j', (change, line) => {
    expect(complaint({ ...bob, ...change })).toBe(line);
  });

  it('has the time of its key where an accounts server says which is newer', () => {
    const { kinto } = bob;
    expect(complaint({ kinto, ...REFRESH, kB: KB }, true)).toContain('keysChangedAt must be');
  });
});

describe('a credentials file that cannot be used is refused, and the line names why', () => {
  test.each([
    ['{', ' is not JSON'],
    ['[]', ': must be a JSON object'],
    ['null', ': must be a JSON object'],
    [{ key: KEY }, ': accessToken or refreshToken is missing'],
    [{ accessToken: 7, key: KEY }, ': accessToken must be a token'],
    [{ accessToken: null, key: KEY }, ': accessToken is missing'],
    [{ accessToken: 'secret one', key: KEY }, ': accessToken must be a token'],
    [{ accessToken: 't'.repeat(8193), key: KEY }, ': accessToken must be a token'],
    [{ ...REFRESH, refreshToken: '', key: KEY }, ': refreshToken must be a token'],
    [{ ...REFRESH, clientId: undefined, key: KEY }, ': clientId is missing'],
    [{ ...REFRESH, clientId: 'a b', key: KEY }, ': clientId must be the id of an OAuth client'],
    [{ ...REFRESH, oauthUrl: undefined, key: KEY }, ': oauthUrl is missing'],
    [{ ...REFRESH, oauthUrl: 7, key: KEY }, ': oauthUrl must be a URL'],
    [{ ...REFRESH, oauthUrl: 'ftp://x', key: KEY }, ': oauthUrl must be an http or https URL'],
    [
      { ...REFRESH, oauthUrl: 'https://u:secret@h', key: KEY },
      ': oauthUrl must hold no user name and no password',
    ],
    [{ accessToken: 't' }, ': key (an object) or kB is missing'],
    [{ accessToken: 't', key: [KEY] }, ': key (an object) or kB is missing'],
    [{ accessToken: 't', key: { ...KEY, kty: 'RSA' } }, ': key.kty must be "oct"'],
    [
      { accessToken: 't', key: { ...KEY, kid: 'x' } },
      ': key.kid must be a time, "-" and 16 bytes of base64url',
    ],
    [
      { accessToken: 't', key: { ...KEY, kid: `1-${'A'.repeat(21)}B` } },
      ': key.kid must be a time, "-" and 16 bytes of base64url',
    ],
    [
      { accessToken: 't', key: { ...KEY, k: `${'A'.repeat(85)}B` } },
      ': key.k must be 64 bytes of base64url',
    ],
    [{ accessToken: 't', key: { ...KEY, k: 'secret' } }, ': key.k must be 64 bytes of base64url'],
    [{ accessToken: 't', kB: 'secret' }, ': kB must be 64 hex digits'],
    [{ accessToken: 't', kB: KB }, ': keysChangedAt must be milliseconds'],
    [{ accessToken: 't', kB: KB, keysChangedAt: -1 }, ': keysChangedAt must be milliseconds'],
    [{ accessToken: 't', kB: KB, keysChangedAt: 1.5 }, ': keysChangedAt must be milliseconds'],
    [{ accessToken: 't', kB: KB, keysChangedAt: '5' }, ': keysChangedAt must be milliseconds'],
    [{ accessToken: 't', key: { ...KEY, kid: [KEY.kid] } }, ': key.kid must be a time'],
    [{ accessToken: 't', key: { ...KEY, k: [KEY.k] } }, ': key.k must be 64 bytes of base64url'],
    [{ accessToken: 't', key: KEY, email: 7 }, ': email must be an address'],
    [{ accessToken: 't', key: KEY, email: 'a\nb' }, ': email must be an address'],
    [{ accessToken: 't', key: KEY, uid: '' }, ': uid must be 1 to 128 ASCII characters'],
    [{ ...REFRESH, key: KEY, deviceId: 'secret' }, ': deviceId must be 32 hex digits'],
  ])('%j: %s', (credentials, words) => {
    const line = complaint(credentials);
    expect(line.startsWith(words)).toBe(true);
    expect(line).not.toContain('secret');
  });

  it('is renewed in the open on this machine, and elsewhere only where that is allowed', () => {
    const open = { ...REFRESH, oauthUrl: 'http://h.example', key: KEY };
    expect(complaint(open)).toContain('oauthUrl: http://h.example is not encrypted');
    expect(complaint(open, true)).toBe('nothing');
  });

  it('is refused when others can read it, with the command that mends it', () => {
    for (const mode of [0o640, 0o604]) {
      chmodSync(written({ accessToken: 't', key: KEY }), mode);
      expect(() => readCredentials(file, false)).toThrow(
        `${file} can be read by others; mend it with: chmod 600 ${file}`,
      );
    }
  });
});

describe('what is written', () => {
  it('is read as it was, for its owner only, and has no member without a value', async () => {
    const full = { ...PLAIN, email: 'a@b', token: REFRESH, deviceId: 'ab'.repeat(16) };
    await writeCredentials(file, full);
    expect(readCredentials(file, false)).toEqual(full);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain('uid');
  });

  it('has the new refresh token and device in place of the old ones', async () => {
    const old = { ...PLAIN, email: 'a@b', token: REFRESH, deviceId: 'ab'.repeat(16) };
    await writeCredentials(file, old);
    const now = { uid: 'u', refreshToken: 'r2', key: KEY };
    await updateCredentials(file, 'r', { ...now, deviceId: 'cd'.repeat(16) });
    const next = { ...old, token: { ...REFRESH, refreshToken: 'r2' }, deviceId: 'cd'.repeat(16) };
    expect(readCredentials(file, false)).toEqual(next);
    await updateCredentials(file, 'r2', now);
    expect(readCredentials(file, false).deviceId).toBeNull();
  });

  it('is that of a later sign-in where there is one', async () => {
    for (const token of [{ ...REFRESH, refreshToken: 'later' }, { accessToken: 't' }]) {
      await writeCredentials(file, { ...PLAIN, token });
      await updateCredentials(file, 'r', { uid: 'u', refreshToken: 'r2', key: KEY });
      expect(readCredentials(file, false).token).toEqual(token);
    }
  });
});
