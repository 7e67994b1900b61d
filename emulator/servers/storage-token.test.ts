import { expect, test } from 'vitest';
import { issueStorageToken, openStorageToken, type StorageClaims } from './storage-token.ts';

const SECRET = { secret: new Uint8Array(32).fill(1) };
const CLAIMS: StorageClaims = { node: 'https://n.test', uid: 1, expiresMs: 5, salt: 'abcdef' };

test('a pass opens to what was said in it, with the same key', () => {
  const { id, key } = issueStorageToken(SECRET, CLAIMS);
  expect(openStorageToken(SECRET, id)).toEqual({ claims: CLAIMS, key });
});

test('a pass that was changed, cut, or signed with another secret does not open', () => {
  const { id } = issueStorageToken(SECRET, CLAIMS);
  const bytes = Buffer.from(id, 'base64url');
  bytes.write('{"node":"https://m.test"');
  const changed = bytes.toString('base64url');
  for (const other of [changed, id.slice(0, -1), `${id}A`, `${id}=`, '', 'AAAA'])
    expect(openStorageToken(SECRET, other)).toBeNull();
  expect(openStorageToken({ secret: new Uint8Array(32) }, id)).toBeNull();
});
