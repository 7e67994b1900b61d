import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addresses } from './addresses.ts';
import type { Body, MergeDecision } from './collection.ts';

const NOW_MS = 1_795_323_276_914;
const ID = 'abcdefghijkl';

function address(entry: object, more: object = {}): Body {
  return { id: ID, ...more, entry: { version: 1, ...entry } };
}

function merge(mine: Body | null, base: Body | null, theirs: Body | null): MergeDecision {
  return addresses.merge({
    local: { body: mine, changedAtMs: NOW_MS },
    mirror: base && { body: base, modifiedMs: 1 },
    incoming: { body: theirs, modifiedMs: NOW_MS },
    serverNowMs: NOW_MS,
    deviceNowMs: NOW_MS,
  });
}

describe('a merge', () => {
  const base = address({ name: 'A', tel: '1', later: 1 }, { unknown: true });

  test('takes each field from the side that changed it', () => {
    const mine = address({ name: 'B', tel: '1', later: 1 }, { unknown: true });
    const theirs = address(
      { name: 'A', tel: '2', later: 2, country: 'DK' },
      { unknown: true, x: 1 },
    );
    expect(merge(mine, base, theirs)).toEqual({
      mirror: 'asIs',
      local: address({ name: 'B', tel: '2', later: 2, country: 'DK' }, { unknown: true, x: 1 }),
    });
  });

  test('forks where both changed one field, and takes the server’s of unknown meaning', () => {
    const mine = address({ name: 'B', tel: '1', later: 3 });
    expect(merge(mine, base, address({ name: 'C', tel: '1', later: 1 }))).toEqual({
      mirror: 'asIs',
      local: 'none',
      fork: mine,
    });
    expect(merge(mine, base, address({ name: 'A', tel: '1', later: 2 }))).toMatchObject({
      local: { entry: { name: 'B', later: 2 } },
    });
  });

  test('has nothing to send when both changed the same', () => {
    const both = address({ name: 'B', tel: '1' });
    expect(merge(both, base, both)).toEqual({ mirror: 'asIs', local: 'none' });
    expect(merge(address({ name: 'B', tel: '1', email: '' }), null, both).fork).toBeUndefined();
  });

  test('lets a change outlive a deletion, on either side', () => {
    const changed = address({ name: 'B' });
    expect(merge(changed, base, null)).toEqual({ mirror: null, local: 'keep' });
    expect(merge(null, base, changed)).toEqual({ mirror: 'asIs', local: 'none' });
    expect(merge(null, base, base)).toEqual({ mirror: 'asIs', local: 'keep' });
    expect(merge(null, base, null)).toEqual({ mirror: null, local: 'none' });
  });

  test('keeps the first creation, the last use, and counts every use', () => {
    const at = (created: number, used: number, timesUsed: number) =>
      address({ name: 'A', timeCreated: created, timeLastUsed: used, timesUsed });
    expect(merge(at(5, 10, 4), at(5, 7, 3), at(0, 12, 5))).toMatchObject({
      local: { entry: { timeCreated: 5, timeLastUsed: 12, timesUsed: 6 } },
    });
    expect(merge(at(5, 10, 4), null, at(3, 9, 2))).toMatchObject({
      local: { entry: { timeCreated: 3, timeLastUsed: 10, timesUsed: 4 } },
    });
    const mine = at(5, 10, 4);
    expect(merge(mine, at(5, 7, 3), { ...mine })).toEqual({ mirror: 'asIs', local: 'none' });
  });
});

describe('a record', () => {
  test.each([
    ['entry', { id: ID }],
    ['entry', { id: ID, entry: [] }],
    ['entry.version', { id: ID, entry: {} }],
    ['entry.version', { id: ID, entry: { version: 2 } }],
    ['entry.tel', { id: ID, entry: { version: 1, tel: 3 } }],
  ])('is set aside with the name of its bad field: %s', (field, body) => {
    expect(addresses.check(body)).toMatch(new RegExp(`^${field}: `));
  });

  test('is edited by its fields, which Firefox’s own names are', () => {
    const made = addresses.prepare({ name: 'A', tel: '1' }, null, ID, NOW_MS);
    const times = { timeCreated: NOW_MS, timeLastUsed: 0, timeLastModified: NOW_MS, timesUsed: 0 };
    expect(made).toEqual({ ok: true, id: ID, body: address({ name: 'A', tel: '1', ...times }) });
    if (!made.ok) return;
    const same = addresses.prepare({ entry: { tel: '1' } }, made.body, 'x', NOW_MS + 5);
    expect(same).toEqual(made);
    const edited = addresses.prepare({ tel: '2' }, { ...made.body, later: 1 }, 'x', NOW_MS + 5);
    expect(edited).toMatchObject({
      id: ID,
      body: { later: 1, entry: { name: 'A', tel: '2', timeLastModified: NOW_MS + 5 } },
    });
    expect(addresses.view(ID, made.body)).toEqual({
      guid: ID,
      version: 1,
      name: 'A',
      tel: '1',
      ...times,
    });
  });

  test('has no name that its parts deny, no parts that its name denies, and no empty field', () => {
    const parts = { 'given-name': 'Zoë', 'family-name': 'Größe' };
    const known = address({ name: 'Zoë Größe', ...parts, tel: '1' });
    const edited = (input: Body) => {
      const result = addresses.prepare(input, known, 'x', NOW_MS);
      return result.ok ? { ...(result.body.entry as object) } : result.complaint;
    };
    expect(edited({ name: 'Ann' })).toMatchObject({ name: 'Ann', tel: '1' });
    expect(edited({ name: 'Ann' })).not.toHaveProperty('given-name');
    expect(edited({ name: 'Ann' })).not.toHaveProperty('family-name');
    const ann = { 'given-name': 'Ann', 'family-name': 'Größe' };
    expect(edited({ 'given-name': 'Ann' })).toMatchObject(ann);
    expect(edited({ 'given-name': 'Ann' })).not.toHaveProperty('name');
    expect(edited({ name: 'Ann Größe', ...ann })).toMatchObject({ name: 'Ann Größe', ...ann });
    expect(edited({ tel: '' })).toMatchObject({ name: 'Zoë Größe', ...parts });
    expect(edited({ tel: '' })).not.toHaveProperty('tel');
    const short = address({ name: 'Zoë Größe' });
    expect(addresses.prepare({ 'given-name': 'Ann' }, short, 'x', NOW_MS)).toMatchObject({
      complaint: expect.stringContaining('name: it is not known in parts'),
    });
  });

  test('is the same with and without the parts of its name', () => {
    const short = address({ name: 'Zoë Größe', tel: '1' });
    const long = address({ name: 'Zoë Größe', 'given-name': 'Zoë', tel: '1' });
    expect(addresses.things?.same(short, long)).toBe(true);
    expect(addresses.things?.key(short)).toBe(addresses.things?.key(long));
    expect(addresses.things?.same(long, address({ 'given-name': 'Zoë', tel: '1' }))).toBe(false);
    expect(addresses.things?.same(long, address({ ...(long.entry as object), tel: '2' }))).toBe(
      false,
    );
    expect(addresses.things?.same(long, address({ name: 'Ann', tel: '1' }))).toBe(false);
  });

  test('is refused empty or with something else than text', () => {
    const complaint = (input: Body) => {
      const result = addresses.prepare(input, null, ID, NOW_MS);
      return result.ok ? null : result.complaint;
    };
    expect(complaint({ name: '', country: null })).toContain('empty');
    expect(complaint({ name: 7 })).toContain('name');
    expect(complaint({ id: 'é', name: 'A' })).toContain('id');
  });

  test('shows nothing of itself in the index', () => {
    const body = address({ name: 'Zoë', country: 'DK' });
    expect(addresses.index(body, 0)).toEqual([expect.stringMatching(/^u[0-9a-f]{4}$/)]);
    expect(addresses.things?.key(body)).toBe(
      addresses.things?.key(address({ name: 'Zoë', country: 'DK', timesUsed: 3 })),
    );
    expect(addresses.things?.same(body, address({ name: 'Zoë', country: 'DK', email: '' }))).toBe(
      true,
    );
  });
});

interface Side {
  readonly mirror: Map<string, Body>;
  readonly local: Map<string, Body | null>;
}

test('devices that edit and fork at random come to rest alike, and lose no text', () => {
  const edit = fc.record({
    device: fc.nat(2),
    field: fc.constantFrom('name', 'tel'),
    isSyncAfter: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 25 }), (edits) => {
      const server = new Map<string, Body>([[ID, address({ name: '0', tel: '0' })]]);
      const sides: Side[] = [0, 1, 2].map(() => ({ mirror: new Map(server), local: new Map() }));
      let count = 0;
      let writeCount = 0;
      const sync = ({ mirror, local }: Side): void => {
        for (const [id, theirs] of server) {
          const mine = local.get(id);
          const base = mirror.get(id) ?? null;
          if (base === theirs) continue;
          const decision: MergeDecision =
            mine === undefined ? { mirror: 'asIs', local: 'none' } : merge(mine, base, theirs);
          mirror.set(id, theirs);
          if (decision.local === 'none') local.delete(id);
          else if (decision.local !== 'keep') local.set(id, decision.local);
          if (decision.fork) local.set(`fork${++count}`, decision.fork);
        }
        for (const [id, body] of local) {
          if (body === null) continue;
          const outgoing = addresses.outgoing(id, body);
          server.set(id, outgoing);
          mirror.set(id, outgoing);
          writeCount++;
        }
        local.clear();
      };
      const typed: string[] = [];
      for (const { device, field, isSyncAfter } of edits) {
        const side = sides[device] as Side;
        const before = side.local.get(ID) ?? side.mirror.get(ID) ?? null;
        const text = `${field} ${typed.length}`;
        const prepared = addresses.prepare({ [field]: text }, before, ID, NOW_MS);
        if (prepared.ok) side.local.set(ID, prepared.body);
        typed.push(text);
        if (isSyncAfter) sync(side);
      }
      for (const side of [...sides, ...sides]) sync(side);
      const written = writeCount;
      for (const side of sides) sync(side);
      expect(writeCount).toBe(written);
      for (const side of sides) expect(side.mirror).toEqual(server);
      // The last text that each device typed into a field is in some address.
      const all = JSON.stringify([...server.values()]);
      for (const field of ['name', 'tel']) {
        const last = edits.findLastIndex((edit) => edit.field === field);
        if (last >= 0) expect(all).toContain(`"${field} ${last}"`);
      }
    }),
    { numRuns: 300 },
  );
});

test('where a server has begun anew, the later version is what goes up', () => {
  const [older, newer] = [1, 2].map((time) => address({ name: `${time}`, timeLastModified: time }));
  const anew = (mine: Body | undefined, theirs: Body | undefined, edit?: Body | null) =>
    addresses.merge({
      local: edit === undefined ? null : { body: edit, changedAtMs: 1 },
      mirror: mine ? { body: mine, modifiedMs: 1, epoch: 1 } : null,
      incoming: { body: theirs ?? null, modifiedMs: NOW_MS },
      ...{ epoch: 2, serverNowMs: NOW_MS, deviceNowMs: NOW_MS },
    });
  expect(anew(newer, older)).toEqual({ mirror: 'asIs', local: newer });
  expect(anew(older, newer)).toEqual({ mirror: 'asIs', local: 'none' });
  expect(anew(newer, undefined)).toEqual({ mirror: null, local: 'none' });
  const edit = address({ name: '2', tel: '+1', timeLastModified: 2 });
  expect(anew(newer, older, edit)).toEqual({ mirror: 'asIs', local: edit });
  expect(anew(newer, older, null)).toEqual({ mirror: 'asIs', local: 'keep' });
  expect(anew(older, newer, null)).toEqual({ mirror: 'asIs', local: 'none' });
});
