import { expect, test } from 'vitest';
import { PICL_EXAMPLES, type PiclBody } from './fixtures.ts';

const { examples, worlds } = PICL_EXAMPLES;
const bodies: PiclBody[] = examples
  .flatMap(({ request, response }) => [request, response])
  .filter(({ shown }) => shown !== undefined);

function parses(text = ''): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('only 3 of the 20 bodies of the proposal are JSON, and all are when mended', () => {
  expect(bodies.map(({ shown }) => parses(shown))).toEqual(bodies.map((body) => body.parses));
  expect(bodies.filter((body) => body.parses)).toHaveLength(3);
  expect(bodies).toHaveLength(20);
  const written = bodies.map(({ mended = '' }) => JSON.stringify(JSON.parse(mended)));
  expect(written).toEqual(bodies.map(({ mended }) => mended));
});

test('what parses as shown has the same values when it is mended', () => {
  for (const { shown = '', mended = '' } of bodies.filter((body) => body.parses)) {
    expect(JSON.parse(mended)).toEqual(JSON.parse(shown));
  }
});

test('every world has its writes in order, and every example a world', () => {
  for (const writes of Object.values(worlds)) {
    const first = writes[0]?.seqnum ?? Number.NaN;
    expect(writes.map(({ seqnum }) => seqnum)).toEqual(writes.map((_, at) => first + at));
  }
  const named = examples.flatMap(({ world }) => (world === null ? [] : [world]));
  expect([...new Set(named)].sort()).toEqual(Object.keys(worlds).sort());
});
