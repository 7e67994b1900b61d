// The truth table of two versions of an app, row by row as a device meets them, and what must hold
// for any two and any three: the same comes out, whoever meets whom first.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Body, MergeDecision } from './collection.ts';
import { installedApps } from './installed-apps.ts';
import { type AppEntry, entryOf } from './installed-entry.ts';
import { canonicalOf, digestOf, isSameEntry, mergeEntries } from './installed-merge.ts';
import { receiptsOf } from './installed-receipts.ts';

const ID = 'https://a.example';
const NOW_MS = 1_795_323_276_914;
const live = (last_modified: unknown, more: Body = {}): Body => ({
  ...{ last_modified, manifest: { name: 'A' } },
  ...more,
});
const grave = (last_modified: unknown): Body => ({ deleted: true, last_modified });
const bodyOf = (entry: unknown): Body => ({ id: ID, entry });

/** What becomes of what the device and the server agreed on when that arrives. */
function met(held: unknown, arrived: unknown): MergeDecision {
  return installedApps.merge({
    local: null,
    mirror: held === null ? null : { body: bodyOf(held), modifiedMs: 1 },
    incoming: { body: arrived === null ? null : bodyOf(arrived), modifiedMs: 2 },
    ...{ serverNowMs: NOW_MS, deviceNowMs: NOW_MS },
  });
}

const taken: MergeDecision = { mirror: 'asIs', local: 'none' };
const sent = (entry: unknown): MergeDecision => ({ mirror: 'asIs', local: bodyOf(entry) });

describe('the table', () => {
  it('row 1: unknown, and not there: nothing', () => {
    expect(met(null, null)).toEqual({ mirror: null, local: 'none' });
  });

  it('row 2: unknown here, live there: it is installed', () => {
    expect(met(null, live(5))).toEqual(taken);
    expect(installedApps.isEmpty(bodyOf(live(5)))).toBe(false);
  });

  it('row 3, O24: unknown here, deleted there: that is remembered', () => {
    expect(met(null, grave(5))).toEqual(taken);
    expect(installedApps.isEmpty(bodyOf(grave(5)))).toBe(true);
  });

  it('row 4, O8: live here, not there: it stays, and goes up', () => {
    expect(met(live(5), null)).toEqual({ mirror: null, local: bodyOf(live(5)) });
  });

  it('row 5, O19: the later one there is taken; with receipts of both it goes up', () => {
    expect(met(live(5, { x: 1 }), live(6, { y: 1 }))).toEqual(taken);
    expect(met(live(5, { install_data: ['a'] }), live(6, { install_data: ['b'] }))).toEqual(
      sent(live(6, { install_data: ['b', 'a'] })),
    );
    expect(met(live(5, { install_data: ['a'] }), live(6, { install_data: ['b', 'a'] }))).toEqual(
      taken,
    );
  });

  it('row 6, O19: the later one here goes up, with the receipts of both', () => {
    expect(met(live(6, { x: 1 }), live(5, { y: 1 }))).toEqual(sent(live(6, { x: 1 })));
    expect(met(live(6), live(5, { install_data: ['r'] }))).toEqual(
      sent(live(6, { install_data: { receipts: ['r'] } })),
    );
  });

  it('row 7: the same at the same time: nothing, however it is written', () => {
    expect(met(live(5, { a: 1, b: 2 }), { b: 2, a: 1, ...live(5) })).toEqual(taken);
    expect(
      met(live(5, { install_data: ['a', 'b'] }), live(5, { install_data: ['b', 'a'] })),
    ).toEqual(taken);
    expect(met(live(5), live(5, { sync: true }))).toEqual(taken);
  });

  it('row 8, O28: another at the same time: the larger digest stays, with all receipts', () => {
    const { tie } = JSON.parse(
      readFileSync(new URL('../../test/fixtures/owa/vectors.json', import.meta.url), 'utf8'),
    );
    const [a, b] = [entryOf(bodyOf(tie.a)), entryOf(bodyOf(tie.b))];
    expect([a, b].map(canonicalOf)).toEqual([tie.canon_a, tie.canon_b]);
    expect([a, b].map((one) => digestOf(canonicalOf(one)))).toEqual([tie.digest_a, tie.digest_b]);
    expect([mergeEntries(a, b), mergeEntries(b, a)]).toEqual([a, a]);
    expect(met(tie.a, tie.b)).toEqual(sent(tie.a));
    expect(met(tie.b, tie.a)).toEqual(taken);
    const paid = { ...tie.b, install_data: ['r'] };
    expect(met(paid, tie.a)).toEqual(sent({ ...tie.a, install_data: { receipts: ['r'] } }));
  });

  it('row 8: of two that only write their receipts otherwise the object stays', () => {
    const [list, object] = [['r'], { receipts: ['r'] }].map((install_data) =>
      entryOf(bodyOf(live(5, { install_data }))),
    ) as [AppEntry, AppEntry];
    for (const both of [[list, object] as const, [object, list] as const]) {
      expect(mergeEntries(...both).value).toEqual(object.value);
    }
  });

  it('row 9, O21: deleted later there: it goes here, with its receipts', () => {
    expect(met(live(5, { install_data: ['r'] }), grave(6))).toEqual(taken);
  });

  it('row 10, O22: deleted at the same time: it goes', () => {
    expect(met(live(5), grave(5))).toEqual(taken);
  });

  it('row 11, O23: deleted earlier there: it stays, and goes up', () => {
    expect(met(live(6), grave(5))).toEqual(sent(live(6)));
  });

  it('row 12, O16: deleted here, not there: the deletion goes up', () => {
    expect(met(grave(5), null)).toEqual({ mirror: null, local: bodyOf(grave(5)) });
  });

  it('row 13, O26: deleted here, installed later there: it is installed', () => {
    expect(met(grave(5), live(6))).toEqual(taken);
  });

  it('row 14: deleted here, live at the same time there: the deletion goes up', () => {
    expect(met(grave(5), live(5))).toEqual(sent(grave(5)));
  });

  it('row 15, O25: deleted later here: the deletion goes up', () => {
    expect(met(grave(6), live(5))).toEqual(sent(grave(6)));
  });

  it('row 16: deleted on both sides: the later one stays', () => {
    expect(met(grave(5), grave(6))).toEqual(taken);
    expect(met(grave(6), grave(5))).toEqual(sent(grave(6)));
    expect(met(grave(5), grave(5))).toEqual(taken);
  });

  it.each([[{ last_modified: 'NaN' }], [[]], ['x'], [live(9, { deleted: 'true' })]])(
    'row 17, O54: what is malformed there replaces nothing, and is not replaced: %j',
    (odd) => {
      for (const held of [live(5), grave(5)]) {
        expect(met(held, odd)).toEqual({ mirror: bodyOf(held), local: 'none' });
      }
      expect(met(null, odd)).toEqual(taken);
      expect(installedApps.isEmpty(bodyOf(odd))).toBe(true);
    },
  );

  it('row 18, O15: what has no stamp gets one on its way, and keeps it', () => {
    const body: Body = { id: ID, entry: { manifest: {} }, after: 0 };
    const stamped = installedApps.stamped?.(body, NOW_MS) ?? {};
    expect(stamped).toEqual(bodyOf({ manifest: {}, last_modified: NOW_MS / 1_000 }));
    expect(installedApps.stamped?.(stamped, NOW_MS + 9_000)).toBe(stamped);
  });

  it('row 19, O6: what has no name that others could use is never an app', () => {
    for (const id of ['chrome://browser', 'file:///x', 'app://uuid']) {
      expect(installedApps.idRule?.idOf(id)).toBeNull();
      expect(installedApps.isEmpty({ id, entry: live(5) })).toBe(true);
    }
  });
});

describe('a change that was not sent', () => {
  const pending: Body = { id: ID, entry: { manifest: { name: 'B' } }, after: 4 };
  const changedAtMs = NOW_MS - 60_000;
  const met = (arrived: unknown, ...more: Body[]): MergeDecision =>
    installedApps.merge({
      local: { body: { ...pending, ...more[0] }, changedAtMs },
      mirror: { body: bodyOf(live(4)), modifiedMs: 1 },
      incoming: { body: bodyOf(arrived), modifiedMs: 2 },
      ...{ serverNowMs: NOW_MS, deviceNowMs: NOW_MS },
    });
  const stamp = changedAtMs / 1_000;

  it('is as old as it is, and goes up with that stamp where it is the later one', () => {
    expect(met(live(stamp - 1))).toEqual(sent({ manifest: { name: 'B' }, last_modified: stamp }));
    expect(met(live(stamp + 1))).toEqual(taken);
  });

  it('has been sent where it comes back, whatever its stamp was reckoned to be', () => {
    for (const last_modified of [4.001, stamp - 1, stamp + 1]) {
      expect(met({ last_modified, manifest: { name: 'B' } })).toEqual(taken);
    }
    expect(met({ last_modified: 4, manifest: { name: 'B' } })).not.toEqual(taken);
  });

  it('row 16: of two deletions the later one counts, whoever has made them', () => {
    const pendingGrave = { entry: { deleted: true } };
    const grave = (last_modified: number) => ({ deleted: true, last_modified });
    expect(met(grave(stamp - 1), pendingGrave)).toEqual(sent(grave(stamp)));
    expect(met(grave(stamp), pendingGrave)).toEqual(taken);
    expect(met(grave(stamp + 1), pendingGrave)).toEqual(taken);
  });

  it('is later than a malformed one that it replaces', () => {
    const { local } = met(live(stamp + 9, { deleted: 'true' }));
    expect(local).toMatchObject({ entry: { manifest: { name: 'B' } } });
    expect(entryOf(local as Body).time).toBeGreaterThan(stamp + 9);
  });

  it('is later than what it was made from, and than what was agreed on since', () => {
    const stamped = (agreed?: Body) =>
      entryOf(installedApps.stamped?.(pending, 5, agreed) ?? {}).time;
    expect(stamped()).toBeCloseTo(4.001);
    expect(stamped(bodyOf(live(9)))).toBeCloseTo(9.001);
    expect(stamped(bodyOf(live(3)))).toBeCloseTo(4.001);
  });
});

const stamps = fc.constantFrom(1, 2, 2.5, 2_500_000_000_000, 2_500_000_000, '2', 1e308, 2 ** 53);
const receipts = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 });
const data = fc.oneof(
  receipts,
  receipts.map((list) => ({ receipts: list })),
  receipts.map((list) => ({ receipts: list, x: 1 })),
  fc.constantFrom({ receipt: 'e' }, { receipt: 'a', x: 1 }, {}, undefined),
);
const lives = fc
  .record({ last_modified: stamps, name: fc.constantFrom('A', 'B'), data })
  .map(({ last_modified, name, data: install_data }) =>
    live(last_modified, { manifest: { name }, ...(install_data && { install_data }) }),
  );
const graves = stamps.map(grave);
const odds = fc.constantFrom<unknown>(
  ...[null, [], 'x', { last_modified: 'NaN' }, live(-1), live(3, { deleted: 1 })],
  ...[live(2, { manifest: [] }), { last_modified: 4 }, JSON.parse('{"__proto__":1}')],
);
const entries = fc.oneof(lives, graves, odds).map((entry) => entryOf(bodyOf(entry)));

/** Of a live one its receipts in order of their names; whatever shape they have. */
const paid = ({ kind, value }: AppEntry): readonly string[] =>
  kind === 'live' ? [...new Set(receiptsOf(value as Body)?.list)].sort() : [];
const contents = (one: AppEntry) => [one.kind, one.time, canonicalOf(one), paid(one)];

describe('whoever meets whom first', () => {
  const options = { seed: 13, numRuns: 3_000 };

  it('two become the same one', () => {
    fc.assert(
      fc.property(entries, entries, (a, b) => {
        expect(contents(mergeEntries(a, b))).toEqual(contents(mergeEntries(b, a)));
      }),
      options,
    );
  });

  it('three become the same one; but for receipts where one was deleted', () => {
    fc.assert(
      fc.property(entries, entries, entries, (a, b, c) => {
        const [left, right] = [
          mergeEntries(mergeEntries(a, b), c),
          mergeEntries(a, mergeEntries(b, c)),
        ].map(contents);
        const isAnyDeleted = [a, b, c].some(({ kind }) => kind === 'deleted');
        const parts = isAnyDeleted ? 3 : 4;
        expect(left?.slice(0, parts)).toEqual(right?.slice(0, parts));
      }),
      options,
    );
  });

  it('what is met again changes nothing', () => {
    fc.assert(
      fc.property(entries, entries, (a, b) => {
        expect(mergeEntries(a, a)).toBe(a);
        const merged = mergeEntries(a, b);
        expect(contents(mergeEntries(merged, b))).toEqual(contents(merged));
        expect(contents(mergeEntries(a, merged))).toEqual(contents(merged));
      }),
      options,
    );
  });

  it('no receipt of two live ones is lost', () => {
    fc.assert(
      fc.property(lives, lives, (a, b) => {
        const [one, other] = [entryOf(bodyOf(a)), entryOf(bodyOf(b))];
        const all = [...new Set([...paid(one), ...paid(other)])].sort();
        expect(paid(mergeEntries(one, other))).toEqual(all);
      }),
      options,
    );
  });

  it('what is the same is the same the other way round, and merges to itself', () => {
    fc.assert(
      fc.property(entries, entries, (a, b) => {
        expect(isSameEntry(a, b)).toBe(isSameEntry(b, a));
        if (isSameEntry(a, b)) expect(isSameEntry(mergeEntries(a, b), a)).toBe(true);
      }),
      options,
    );
  });
});
