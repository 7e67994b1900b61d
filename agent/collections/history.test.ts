import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { link, NOW_MS, page, US, type Visit } from '../../test/support/pages.ts';
import type { Body, IncomingSide, LocalSide, MergeDecision } from './collection.ts';
import { history, VISITS_KEPT_MAX } from './history.ts';

/** One merge; both clocks agree, the server's change is a minute old. */
function merge(sides: {
  local?: LocalSide;
  mirror?: Body;
  incoming: Body | null | IncomingSide;
}): MergeDecision {
  const incoming =
    sides.incoming !== null && 'modifiedMs' in sides.incoming
      ? (sides.incoming as unknown as IncomingSide)
      : { body: sides.incoming as Body | null, modifiedMs: NOW_MS - 60_000 };
  return history.merge({
    local: sides.local ?? null,
    mirror: sides.mirror ? { body: sides.mirror, modifiedMs: NOW_MS - 90_000 } : null,
    incoming,
    serverNowMs: NOW_MS,
    deviceNowMs: NOW_MS,
  });
}

/** One merge at a server that has begun anew since `mine` was agreed on. */
function mergeAnew(mine: Body, theirs: Body): MergeDecision {
  return history.merge({
    local: null,
    mirror: { body: mine, modifiedMs: NOW_MS - 90_000, epoch: 1 },
    incoming: { body: theirs, modifiedMs: NOW_MS - 60_000 },
    ...{ epoch: 2, serverNowMs: NOW_MS, deviceNowMs: NOW_MS },
  });
}

function edited(body: Body | null, ageMs = 1_000): LocalSide {
  return { body, changedAtMs: NOW_MS - ageMs };
}

/** What a clean device that had `mine` holds after `theirs` came. */
function united(mine: Body, theirs: Body): Body {
  const { mirror, local } = merge({ mirror: mine, incoming: theirs });
  expect(local).toBe('none');
  return mirror === 'asIs' ? theirs : (mirror as Body);
}

function visitsOf(body: Body): readonly Visit[] {
  return history.view('x', body).visits as Visit[];
}

const someVisit = fc.record({
  date: fc
    .tuple(fc.nat(4), fc.constantFrom(0, 0, 123, 456))
    .map(([ms, us]) => US + ms * 1_000 + us),
  type: fc.integer({ min: 1, max: 2 }),
});
const someVisits = fc.array(someVisit, { maxLength: 8 });

describe('a page record', () => {
  test('is usable as Firefox writes it, unknown members and odd visits included', () => {
    for (const body of [
      page([link(US)]),
      page([]),
      page([null, 1, 'x', {}, { date: 'yesterday', type: 1 }, { date: -1, type: 1 }]),
      page([], { title: null, histUri: 'about:config', later: { a: [1] } }),
      { histUri: `http://x/${'y'.repeat(65_000)}`, visits: [] },
    ]) {
      expect(history.check(body)).toBeNull();
    }
  });

  test.each([
    ['histUri', page([], { histUri: undefined })],
    ['histUri', page([], { histUri: '/relative' })],
    ['histUri', page([], { histUri: `http://x/${'y'.repeat(65_536)}` })],
    ['title', page([], { title: 7 })],
    ['visits', page([], { visits: undefined })],
    ['visits', page([], { visits: { length: 0 } })],
    ['histUri', {}],
  ])('is refused with the name of the bad field: %s', (field, body) => {
    expect(history.check(body)).toContain(field);
  });

  test('is shown with its visits newest first, the malformed ones left out', () => {
    const odd = [
      { date: 1.5, type: 1 },
      { date: US, type: '1' },
      { date: 2 ** 53, type: 1 },
    ];
    const body = page([link(US), ...odd, { date: US + 5, type: 9, src: 'x' }], { title: null });
    expect(history.view('dxLy8nA6xTu-', body)).toEqual({
      guid: 'dxLy8nA6xTu-',
      url: 'https://example.com/a',
      title: '',
      visits: [{ date: US + 5, type: 9 }, link(US)],
    });
  });

  test('without a visit is nothing to hold, but has its place in the index', () => {
    expect(history.isEmpty(page([]))).toBe(true);
    expect(history.isEmpty(page([{ date: 0, type: 1 }]))).toBe(true);
    expect(history.isEmpty(page([link(1)]))).toBe(false);
    expect(history.index(page([]), 0)).toHaveLength(2);
  });
});

describe('the index', () => {
  const entries = (body: Body) => {
    const [byDate, byAddress] = history.index(body, 0);
    return { byDate: byDate ?? '', byAddress: byAddress ?? '' };
  };

  test('orders pages by their newest visit, empty ones last', () => {
    const date = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(date, date, (a, b) => {
        const [keyA, keyB] = [entries(page([link(a)])).byDate, entries(page([link(b)])).byDate];
        expect(Math.sign(b - a)).toBe(keyA < keyB ? -1 : Number(keyA > keyB));
        expect(keyA).toHaveLength(12);
      }),
    );
  });

  test('finds every page by every start of its address, lone surrogates included', () => {
    const url = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(url, fc.nat(200), (tail, cut) => {
        const histUri = `http:${tail}\ud800`;
        const body = page([], { histUri });
        const prefix = histUri.slice(0, cut);
        expect(entries(body).byAddress).toMatch(/^u["-}]{1,100}$/);
        expect(entries(body).byAddress.startsWith(history.addressPrefix(prefix))).toBe(true);
        expect(history.things?.key(body)).toBe(entries(body).byAddress);
        expect(history.matches(body, prefix)).toBe(true);
      }),
    );
  });

  test('tells long addresses apart by their ends, and matches and same do where it cannot', () => {
    const start = `https://example.com/${'a'.repeat(200)}`;
    const at = (histUri: string) => page([], { histUri });
    const [a, b] = [at(`${start}1${'b'.repeat(50)}`), at(`${start}2${'b'.repeat(50)}`)];
    expect(history.things?.key(a)).toBe(history.things?.key(b));
    const c = at(`${start}1${'b'.repeat(49)}c`);
    expect(history.things?.key(a)).not.toBe(history.things?.key(c));
    expect(history.things?.same(a, b)).toBe(false);
    expect(history.things?.same(a, { ...a, id: 'other' })).toBe(true);
    expect(history.matches(b, `${start}1`)).toBe(false);
  });
});

describe('two versions of a page', () => {
  test('unite to the same visits, whichever came first', () => {
    fc.assert(
      fc.property(someVisits, someVisits, (a, b) => {
        expect(visitsOf(united(page(a), page(b)))).toEqual(visitsOf(united(page(b), page(a))));
      }),
    );
  });

  test('lose no visit, but for those cut to milliseconds whose precise one is there', () => {
    fc.assert(
      fc.property(someVisits, someVisits, (a, b) => {
        const result = visitsOf(united(page(a), page(b)));
        for (const { date, type } of [...a, ...b]) {
          const found = result.filter((visit) => visit.type === type);
          const isThere = found.some((visit) => visit.date === date);
          const ms = Math.floor(date / 1_000);
          const isPrecise = found.some((visit) => Math.floor(visit.date / 1_000) === ms);
          expect(date % 1_000 === 0 ? isPrecise : isThere).toBe(true);
        }
        const names = result.map(({ date, type }) => `${date} ${type}`);
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });

  test('unite once: the result united with either of them stays as it is', () => {
    fc.assert(
      fc.property(someVisits, someVisits, (a, b) => {
        const result = united(page(a), page(b));
        expect(united(result, page(b))).toEqual(result);
        expect(united(result, page(a))).toEqual(result);
        expect(merge({ mirror: result, incoming: result })).toEqual({
          mirror: 'asIs',
          local: 'none',
        });
      }),
    );
  });

  test('keep the microseconds of a visit that the other side has in milliseconds', () => {
    const [precise, cut] = [link(US + 594), link(US)];
    expect(visitsOf(united(page([precise]), page([cut])))).toEqual([precise]);
    expect(visitsOf(united(page([cut]), page([precise])))).toEqual([precise]);
    const otherType = { date: US, type: 2 };
    expect(visitsOf(united(page([precise]), page([otherType])))).toEqual([precise, otherType]);
    const alsoPrecise = link(US + 7);
    expect(visitsOf(united(page([precise]), page([alsoPrecise])))).toEqual([precise, alsoPrecise]);
  });

  test('have the title of the later visit or of the younger edit, never none for one', () => {
    const titled = (date: number, title: string | null) => page([link(date)], { title });
    const title = (mine: Body, theirs: Body, ageMs = 1_000) => {
      const { local } = merge({ local: edited(mine, ageMs), incoming: theirs });
      return local === 'none' ? theirs.title : (local as Body).title;
    };
    const [old, later] = [titled(US, 'old'), titled(US + 1_000_000, 'later')];
    expect(title(old, later)).toBe('later');
    expect(title(later, old)).toBe('later');
    expect(title(titled(US, 'mine'), old)).toBe('mine');
    expect(title(titled(US, 'mine'), old, 120_000)).toBe('old');
    expect(title(old, titled(US + 1_000_000, null))).toBe('old');
    expect(title(titled(US + 1_000_000, ''), old)).toBe('old');
  });

  test('have the title of the server when nothing was edited here', () => {
    const mine = page([link(US + 1_000_000)], { title: 'mine' });
    for (const title of ['theirs', '', null]) {
      expect(united(mine, page([link(US)], { title })).title).toBe(title);
    }
  });

  test('keep unknown members of record and visits, the incoming value of both', () => {
    const odd = JSON.parse('{"__proto__":{"a":1},"constructor":2,"x":"mine"}');
    const mine = page([{ ...link(US), ...odd }, link(US + 9_000)], odd);
    const theirs = page([{ ...link(US), x: 'theirs', y: null }], { x: 'theirs', z: [3] });
    const result = JSON.parse(JSON.stringify(united(mine, theirs)));
    const members = '"__proto__":{"a":1},"constructor":2,"x":"theirs"';
    expect(result).toEqual({
      ...page([link(US + 9_000), { ...link(US), ...JSON.parse(`{${members},"y":null}`) }]),
      ...JSON.parse(`{${members},"z":[3]}`),
    });
    expect(Object.hasOwn(result, '__proto__')).toBe(true);
    expect(Object.hasOwn(result.visits[1], '__proto__')).toBe(true);
  });

  test('keep what the server sent as a visit but is none', () => {
    const result = united(page([link(US + 9_000), 'mine']), page([link(US), 'theirs', null]));
    expect(result.visits).toEqual([link(US + 9_000), link(US), 'theirs', null]);
  });

  test('keep only the newest visits when there are very many', () => {
    const many = (from: number, count: number) =>
      Array.from({ length: count }, (_, at) => link(US + (from + at) * 1_000_000));
    const result = visitsOf(united(page(many(0, 90)), page(many(90, 90))));
    expect(result).toHaveLength(VISITS_KEPT_MAX);
    expect(result[0]).toEqual(link(US + 179_000_000));
    expect(visitsOf(united(page(many(0, 1)), page(many(1, 500))))).toHaveLength(500);
  });

  test('are not united when they are of two pages', () => {
    const other = page([link(US)], { histUri: 'https://example.com/b' });
    expect(merge({ mirror: page([link(US + 5)]), incoming: other })).toEqual({
      mirror: 'asIs',
      local: 'none',
    });
  });
});

describe('a record that comes from the server', () => {
  const newer = page([link(US + 1_000_000), link(US)]);
  const older = page([link(US)]);

  test('is taken as it is when the device has nothing of it, or less', () => {
    const taken = { mirror: 'asIs', local: 'none' };
    expect(merge({ incoming: older })).toEqual(taken);
    expect(merge({ incoming: page([]) })).toEqual(taken);
    expect(merge({ mirror: older, incoming: newer })).toEqual(taken);
  });

  test('loses no visit that the device knows, and nothing goes up for that alone', () => {
    expect(merge({ mirror: newer, incoming: older })).toEqual({ mirror: newer, local: 'none' });
  });

  test('unites with a local edit, which goes up where it says more', () => {
    const mine = page([link(US + 2_000_000), link(US)]);
    expect(merge({ local: edited(mine), mirror: older, incoming: newer })).toEqual({
      mirror: 'asIs',
      local: page([link(US + 2_000_000), link(US + 1_000_000), link(US)]),
    });
    expect(merge({ local: edited(mine), incoming: older })).toMatchObject({ mirror: 'asIs' });
    expect(merge({ local: edited(older), incoming: newer })).toEqual({
      mirror: 'asIs',
      local: 'none',
    });
  });

  test('needs no upload for visits too old to go up, which the device still keeps', () => {
    const dates = Array.from({ length: 25 }, (_, at) => US + (25 - at) * 1_000_000);
    const theirs = page(dates.slice(0, 20).map(link));
    const mine = page(dates.map(link));
    expect(merge({ local: edited(mine), incoming: theirs })).toEqual({
      mirror: mine,
      local: 'none',
    });
  });

  test('as a tombstone deletes the page, unless it was visited here since', () => {
    const gone = { mirror: null, local: 'none' };
    expect(merge({ incoming: null })).toEqual(gone);
    expect(merge({ mirror: older, incoming: null })).toEqual(gone);
    expect(merge({ local: edited(null), mirror: older, incoming: null })).toEqual(gone);
    expect(merge({ local: edited(newer, 61_000), mirror: older, incoming: null })).toEqual(gone);
    expect(merge({ local: edited(newer, 60_000), mirror: older, incoming: null })).toEqual(gone);
    const kept = { mirror: null, local: 'keep' };
    expect(merge({ local: edited(newer, 59_000), mirror: older, incoming: null })).toEqual(kept);
  });

  test('and a local deletion: the younger one counts', () => {
    const lost = { mirror: 'asIs', local: 'none' };
    expect(merge({ local: edited(null, 61_000), mirror: older, incoming: newer })).toEqual(lost);
    const won = { mirror: 'asIs', local: 'keep' };
    expect(merge({ local: edited(null, 59_000), mirror: older, incoming: newer })).toEqual(won);
  });

  test('written again as it was agreed on, be it later, undoes no deletion and no title', () => {
    const dates = Array.from({ length: 25 }, (_, at) => US + (25 - at) * 1_000_594);
    const agreed = page(dates.map(link), { kept: 1 });
    const cut = dates.slice(0, 20).map((date) => link(date - (date % 1_000)));
    const titled = { ...agreed, title: 'mine' };
    for (const again of [agreed, page(dates.slice(0, 20).map(link)), page(cut.reverse())]) {
      const late = { mirror: agreed, incoming: again };
      expect(merge({ ...late, local: edited(null, 99_000) })).toEqual({
        ...{ mirror: 'asIs', local: 'keep' },
      });
      expect(merge({ ...late, local: edited(titled, 99_000) }).local).toMatchObject({
        title: 'mine',
      });
    }
    const [visited, renamed] = [page([link(US * 2)]), page(cut, { title: 'theirs' })];
    for (const incoming of [visited, renamed]) {
      const lost = { mirror: 'asIs', local: 'none' };
      expect(merge({ local: edited(null, 99_000), mirror: agreed, incoming })).toEqual(lost);
    }
  });

  test('is compared by age, so that clocks may differ by years', () => {
    const input = (deviceNowMs: number, ageMs: number) => ({
      local: { body: null, changedAtMs: deviceNowMs - ageMs },
      mirror: null,
      incoming: { body: older, modifiedMs: NOW_MS - 60_000 },
      serverNowMs: NOW_MS,
      deviceNowMs,
    });
    for (const deviceNowMs of [100_000, NOW_MS, NOW_MS * 2]) {
      expect(history.merge(input(deviceNowMs, 61_000)).local).toBe('none');
      expect(history.merge(input(deviceNowMs, 59_000)).local).toBe('keep');
      expect(history.merge(input(deviceNowMs, -9e12)).local).toBe('keep');
    }
  });
});

describe('what goes up', () => {
  test('starts with the id and has the newest twenty visits', () => {
    const dates = Array.from({ length: 30 }, (_, at) => US + at * 1_000_000);
    const body = page(dates.map(link), { id: 'old', later: 1 });
    const out = history.outgoing('new', { ...JSON.parse('{"__proto__":[1]}'), ...body });
    expect(JSON.stringify(out)).toMatch(/^\{"id":"new","__proto__":\[1\],"histUri"/);
    expect(out.visits).toEqual(dates.reverse().slice(0, 20).map(link));
    expect(out.later).toBe(1);
  });

  test('has unknown members of visits, and things that are no visits where there is room', () => {
    const visits = [null, { ...link(US), src: 'x' }];
    expect(history.outgoing('a', page(visits)).visits).toEqual([{ ...link(US), src: 'x' }, null]);
  });
});

test('new ids are twelve base64url characters of the random bytes', () => {
  const random = Uint8Array.from({ length: 18 }, (_, at) => 255 - at * 9);
  expect(history.newId(random)).toMatch(/^[\w-]{12}$/);
  expect(history.newId(random)).not.toBe(history.newId(random.slice(1)));
});

describe('where a server has begun anew, and another device has put its own version there', () => {
  const [early, late] = [link(NOW_MS * 1_000 - 9_000_000), link(NOW_MS * 1_000 - 1_000_000)];

  test('what was agreed on with the old one goes up, title and visits, where it is later', () => {
    const mine = page([late, early], { title: 'new' });
    const older = page([early], { title: 'old' });
    expect(mergeAnew(mine, older)).toEqual({ mirror: 'asIs', local: mine });
  });

  test('visits that only the device has go up with the title of the later version', () => {
    const [mine, newer] = [page([early], { title: 'old' }), page([late], { title: 'new' })];
    const both = page([late, early], { title: 'new' });
    expect(mergeAnew(mine, newer)).toEqual({ mirror: 'asIs', local: both });
  });

  test('nothing goes up where it has all', () => {
    const mine = page([late, early], { title: 'new' });
    expect(mergeAnew(mine, mine).local).toBe('none');
    expect(mergeAnew(page([early], { title: 'old' }), mine).local).toBe('none');
  });
});
