import { describe, expect, it, test } from 'vitest';
import { parseCompact } from './picl-options.ts';
import { parseServe } from './serve-options.ts';
import { UsageError } from './usage.ts';

const DAY_MS = 86_400_000;

describe('kitsync serve picl', () => {
  it('has a PiCL storage as proposed, whose histories are kept, unless told', () => {
    expect(parseServe(['picl', '--port', '80'])).toMatchObject({
      port: 80,
      picl: { picl: { firstSeqnum: 1, recordsKey: 'records', quotedEtags: false }, keep: null },
    });
    expect(parseServe(['--port', '80']).picl).toBeNull();
  });

  it('holds collections here and at other origins', () => {
    const named = ['--collection', 'history', '--collection', 'a_b=https://one.example:8443'];
    const { picl } = parseServe(['picl', ...named]).picl ?? {};
    expect(picl?.collections).toEqual(['history', 'a_b']);
    expect(picl?.places).toEqual(new Map([['a_b', 'https://one.example:8443/picl']]));
  });

  it('compacts by what was said of it', () => {
    const keepOf = (...args: string[]) => parseServe(['picl', ...args]).picl?.keep;
    expect(keepOf('--keep-days', '0')).toEqual({ changes: 1_000, ageMs: 0 });
    expect(keepOf('--keep-changes', '1')).toEqual({ changes: 1, ageMs: 90 * DAY_MS });
  });

  test.each([
    [['--collection', 'a.b'], '--collection must be a name such as history'],
    [['--collection', 'a=one.example'], '--collection must be a name such as history'],
    [['--collection', 'a=https://one.example/x'], '--collection must be a name such as history'],
    [['--first-seqnum', '2'], '--first-seqnum must be a whole number from 0 to 1'],
    [['--records-key', 'x'], '--records-key must be records, items or both, not "x"'],
    [['--keep-changes', '0'], '--keep-changes must be a whole number from 1'],
    [['--keep-days', '-1'], '--keep-days must be a whole number from 0 to 36500'],
  ])('refuses %j', (args, message) => {
    expect(() => parseServe(['picl', ...args])).toThrow(UsageError);
    expect(() => parseServe(['picl', ...args])).toThrow(message);
    expect(() => parseServe(args)).toThrow('Unknown option');
  });
});

test('kitsync compact is told which database', () => {
  const keep = { changes: 1_000, ageMs: 90 * DAY_MS };
  expect(parseCompact(['--database', 'x'])).toEqual({ database: 'x', keep });
  expect(() => parseCompact([])).toThrow('--database is missing');
});
