import { expect, test } from 'vitest';
import { VECTORS } from '../../../test/support/picl-vectors.ts';
import { changeIdOf, FIRST_ID, logWriter } from './other-client.ts';

const root = Buffer.from(VECTORS.keys.root_hex, 'hex');
const other = logWriter(root, VECTORS.keys.collection);

test('the other client mints, signs and opens as the vectors say', () => {
  let previous = FIRST_ID;
  for (const { changeid, signature, ...change } of VECTORS.chain.slice(0, 5)) {
    expect(changeIdOf(previous, change)).toBe(changeid);
    expect(other.sign(changeid)).toBe(signature);
    previous = changeid;
  }
  const { key, seqnum, payload, plaintext } = VECTORS.encrypt;
  expect(other.open({ key, seqnum, payload })).toBe(plaintext);
  expect(other.open({ key, seqnum: seqnum + 1, payload })).toBeNull();
  expect(other.open({ key: 'key2', seqnum, payload })).toBeNull();
  expect(other.open({ key, seqnum, payload: 'x' })).toBeNull();
});
