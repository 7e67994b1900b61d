import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSign } from './keys.ts';
import { UsageError } from './usage.ts';

const KB = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
/** What HKDF makes of it for Sync: docs/kinto-encryption.md has both. */
const SYNC =
  '18428b2cc7d608faf8b196f60ad468d28340252bec5ff6939209ec53bfeadfb7' +
  '21ba4df3d4c983197b3418ef0a19883088817be72bcc2c3faa56ad0c98e8ea9e';
const folder = mkdtempSync(join(tmpdir(), 'picl-keys-'));

function fileOf(text: string): string {
  const path = join(folder, 'sign.json');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const rootOf = (file: object) => readSign(fileOf(JSON.stringify(file))).root?.toString('hex');

test('whoever has kB and whoever has the scoped key of it have one root', () => {
  const k = Buffer.from(SYNC, 'hex').toString('base64url');
  expect(rootOf({ key: { kty: 'oct', kid: '1-AAAAAAAAAAAAAAAAAAAAAA', k } })).toBe(
    rootOf({ kB: KB }),
  );
  expect(rootOf({ kB: KB })).not.toBe(KB);
  expect(rootOf({ root: KB, kB: 'ff'.repeat(32) })).toBe(KB);
});

test('a sign-in may be without a key, or without a token', () => {
  expect(readSign(fileOf('{"accessToken": "t"}'))).toEqual({ root: null, token: 't' });
  expect(readSign(fileOf('{}')).token).toBeNull();
  const renewal = { refreshToken: 'r', clientId: 'c', oauthUrl: 'https://oauth.example' };
  expect(readSign(fileOf(JSON.stringify(renewal))).token).toEqual(renewal);
});

test.each([
  ['{"kB": "12"}', 'kB must be 64 hex digits'],
  ['{"root": 1}', 'root must be 64 hex digits'],
  ['{"key": {"k": "x"}}', 'key.k must be 64 bytes of base64url'],
  ['[]', 'is no JSON object'],
  ['{', 'is not JSON'],
])('%s is refused by name', (text, complaint) => {
  expect(() => readSign(fileOf(text))).toThrow(complaint);
  expect(() => readSign(fileOf(text))).toThrow(UsageError);
});

test('a file that others can read, or that is not there, is refused', () => {
  const path = fileOf('{}');
  chmodSync(path, 0o644);
  expect(() => readSign(path)).toThrow('chmod 600');
  expect(() => readSign(join(folder, 'none'))).toThrow(UsageError);
});
