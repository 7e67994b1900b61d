// What a reader takes of the proposal's spellings, and what it refuses: the agent's, by the same
// data as the second implementation's.

import { describe, expect, test } from 'vitest';
import { PICL_LIBERAL } from '../../../test/picl/fixtures.ts';
import { changesIn, metadataIn, recordIn, recordsIn } from './read.ts';
import { violationIn } from './violation.ts';

const READERS = {
  records(value: unknown) {
    const { records, next } = recordsIn(value);
    return { items: records, next };
  },
  changes(value: unknown) {
    const { changes, next } = changesIn(value);
    return { items: changes, next };
  },
  record: (value: unknown) => recordIn(value, 'key1'),
  metadata: metadataIn,
};

describe('the agent takes', () => {
  test.each(PICL_LIBERAL.read)('$of: $name', ({ of, text, means, next }) => {
    const items = means.map((one) => ({ ...one, previous: null }));
    expect(READERS[of](JSON.parse(text))).toEqual({ items, next });
  });
});

describe('the agent refuses', () => {
  // Whether `next` leads on is looked at where it is followed.
  const others = PICL_LIBERAL.refused.filter(({ name }) => !/next/.test(name));
  test.each(others)('$of: $name', ({ of, text }) => {
    let found: unknown = null;
    try {
      READERS[of](JSON.parse(text));
    } catch (error) {
      found = error instanceof SyntaxError ? 'no JSON' : violationIn(error);
    }
    expect(found).toMatch(/^(no JSON|badShape|unsafeSeqnum)$/);
  });
});
