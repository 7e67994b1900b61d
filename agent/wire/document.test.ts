import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SyncError } from '../errors.ts';
import { JSON_DEPTH_MAX } from '../limits.ts';
import { parseDocument, readDocument } from './document.ts';

const badResponse = expect.objectContaining({ code: 'badResponse' });

function readerOf(pieces: readonly string[]): () => Promise<string | null> {
  const rest = [...pieces];
  return async () => rest.shift() ?? null;
}

describe('a small document', () => {
  test('is put together from its pieces', async () => {
    expect(await readDocument(readerOf(['{"a"', ':1', '}']), 7)).toBe('{"a":1}');
    expect(await readDocument(readerOf([]), 7)).toBe('');
  });

  test('is refused as soon as it is too long', async () => {
    let readCount = 0;
    const endless = async () => {
      readCount++;
      return 'x'.repeat(10);
    };
    await expect(readDocument(endless, 95)).rejects.toEqual(badResponse);
    expect(readCount).toBe(10);
  });

  test('passes on what went wrong while reading', async () => {
    const broken = async () => {
      throw new SyncError('truncated', 'the link broke');
    };
    await expect(readDocument(broken, 100)).rejects.toMatchObject({ code: 'truncated' });
  });

  test('is parsed to what JSON.parse makes of it', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 10 }), (text) => {
        expect(parseDocument(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test.each(['', '<html>', '{"a":1', '{"a":1}}', 'NaN', '\ufeff{}'])('%j is refused', (text) => {
    expect(() => parseDocument(text)).toThrow(badResponse);
  });

  test('may nest so deep and no deeper', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(() => parseDocument(nested(JSON_DEPTH_MAX))).not.toThrow();
    expect(() => parseDocument(nested(JSON_DEPTH_MAX + 1))).toThrow(badResponse);
    expect(() => parseDocument('{"a":['.repeat(1_000_000))).toThrow(badResponse);
  });

  test('may hold any number of brackets in strings and side by side', () => {
    const value = { '[[': '\\"'.repeat(50) + '{['.repeat(50), list: Array(100).fill({}) };
    expect(parseDocument(JSON.stringify(value))).toEqual(value);
  });
});
