import { expect, test } from 'vitest';
import { accountKeys, clientState, keyFingerprint, sealPayload } from './sync-keys.ts';

test('the published keys of a kB come out', () => {
  const kB = 'd02d8fe39f28b601159c543f2deeb8f72bdf2043e8279aa08496fbd9ebaea361';
  const { encKey, macKey } = accountKeys(kB);
  expect(encKey.toString('base64')).toBe('rsLwECkgPYeGbYl92e23FskfIbgld9TgeifEaB9ZwTI=');
  expect(macKey.toString('base64')).toBe('fs75EseCD/VOLodlIGmwNabBjhTYBHFCe7CGIf0t8Tw=');
});

test('the published client states and key fingerprints come out', () => {
  expect(clientState('fd5c747806c07ce0b9d69dcfea144663e630b65ec4963596a22f24910d7dd15d')).toBe(
    '6ae94683571c7a7c54dab4700aa3995f',
  );
  expect(keyFingerprint('eaf9570b7219a4187d3d6bf3cec2770c2e0719b7cc0dfbb38243d6f1881675e9')).toBe(
    'IqQv4onc7VcVE1kTQkyyOw',
  );
});

test("the payload of Mozilla's own test comes out", () => {
  const keys = {
    encKey: Buffer.from('9K/wLdXdw+nrTtXo4ZpECyHFNr4d7aYHqeg3KW9+m6Q=', 'base64'),
    macKey: Buffer.from('MMntEfutgLTc8FlTLQFms8/xMPmCldqPlq/QQXEjx70=', 'base64'),
  };
  const cleartext =
    '{"id":"5qRsgXWRJZXr","histUri":"file:///Users/jason/Library/Application%20Support/Firefox/' +
    'Profiles/ksgd7wpk.LocalSyncServer/weave/logs/","title":"Index of file:///Users/jason/Libra' +
    'ry/Application Support/Firefox/Profiles/ksgd7wpk.LocalSyncServer/weave/logs/","visits":[{"' +
    'date":1319149012372425,"type":1}]}';
  const payload = JSON.parse(
    sealPayload(keys, cleartext, Buffer.from('GX8L37AAb2FZJMzIoXlX8w==', 'base64')),
  );
  expect(payload.IV).toBe('GX8L37AAb2FZJMzIoXlX8w==');
  expect(payload.ciphertext).toMatch(/^NMsdnRulLwQsVcwxKW9XwaUe7ouJk5Wn80QhbD80l0HE/);
  expect(payload.hmac).toBe('b1e6c18ac30deb70236bc0d65a46f7a4dce3b8b0e02cf92182b914e3afa5eebc');
});
