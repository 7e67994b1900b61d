// What the documents promise of Node.js is what every package asks for, so that npm has nothing to
// warn of where the promise holds.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const { engines } = JSON.parse(read('package.json'));
const floor = /^>=([\d.]+)$/.exec(engines.node)?.[1] ?? '';

interface Package {
  readonly optional?: boolean;
  readonly engines?: { readonly node?: string };
}

test('every package runs on the oldest Node.js that is promised', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    readonly packages: { readonly [path: string]: Package };
  };
  const others = Object.entries(packages).flatMap(([path, { optional, engines }]) => {
    const range = engines?.node;
    return optional || range === undefined || takes(range) ? [] : [`${path}: ${range}`];
  });
  expect(others).toEqual([]);
});

test.each(['README.md', 'platform/node/README.md'])('%s promises the same', (path) => {
  expect(read(path)).toMatch(new RegExp(`Node(\\.js)? (>= )?${floor}\\b`));
});

/**
 * Whether one of a range's alternatives takes the promised version; of their forms, the usual ones.
 */
function takes(range: string): boolean {
  return range.split('||').some((alternative) => {
    const [, form, version = ''] = /^(>=|\^|)\s*([\d.*]+)$/.exec(alternative.trim()) ?? [];
    const isSameMajor = Number.parseInt(version, 10) === Number.parseInt(floor, 10);
    return form !== undefined && (form === '>=' || isSameMajor) && compare(version, floor) <= 0;
  });
}

function compare(a: string, b: string): number {
  const [first, second] = [a, b].map((version) =>
    version.split('.').map((part) => Number.parseInt(part, 10) || 0),
  );
  for (const at of [0, 1, 2]) {
    const difference = (first?.[at] ?? 0) - (second?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
