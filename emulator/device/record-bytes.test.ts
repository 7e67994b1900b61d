import { expect, test } from 'vitest';
import { countRecordBytes } from './record-bytes.ts';

function count(text: string, chunkBytes = 1_000_000, contentType: string | null = null): number {
  const counter = countRecordBytes(contentType);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes)
    counter.feed(bytes.subarray(at, at + chunkBytes));
  return counter.bytes;
}

const RECORDS = [
  { id: 'a', payload: '{"ciphertext":"x]}","list":[{}]}' },
  { id: 'é"\\', last_modified: 1, deep: [[{ a: [{}] }]] },
  {},
].map((record) => JSON.stringify(record));
const RECORD_BYTES = RECORDS.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

test('counts the records of a list and of a list in an object, and nothing else', () => {
  expect(count(`[${RECORDS.join(',')}]`)).toBe(RECORD_BYTES);
  expect(count(`{ "data" : [ ${RECORDS.join(' , ')} ] , "more":"x" }`)).toBe(RECORD_BYTES);
});

test('counts the same however the body is cut into chunks', () => {
  for (const chunkBytes of [1, 2, 3, 7]) {
    expect(count(`{"data":[${RECORDS.join(',')}]}`, chunkBytes)).toBe(RECORD_BYTES);
  }
});

test('counts records one a line without their line ends', () => {
  for (const chunkBytes of [1, 7, 1_000]) {
    const lines = `${RECORDS.join('\n')}\n`;
    expect(count(lines, chunkBytes, 'application/newlines; charset=utf-8')).toBe(RECORD_BYTES);
  }
});

test('documents without a list of records have none', () => {
  expect(count('{"data":{"id":"a","list":[{"x":1}]}}')).toBe(0);
  expect(count('["a","b",1]')).toBe(0);
  expect(count('not json [ { ')).toBe(3 - 1);
  expect(count('')).toBe(0);
});
