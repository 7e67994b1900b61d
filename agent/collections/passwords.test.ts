import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ID, login, NOW_MS } from '../../test/support/logins.ts';
import type { Body, LocalSide, MergeDecision } from './collection.ts';
import { passwords } from './passwords.ts';

/** One merge; both clocks agree, the server's change is a minute old. */
function merge(sides: { local?: LocalSide; mirror?: Body; incoming: Body | null }): MergeDecision {
  return passwords.merge({
    local: sides.local ?? null,
    mirror: sides.mirror ? { body: sides.mirror, modifiedMs: NOW_MS - 90_000 } : null,
    incoming: { body: sides.incoming, modifiedMs: NOW_MS - 60_000 },
    serverNowMs: NOW_MS,
    deviceNowMs: NOW_MS,
  });
}

function edited(body: Body | null, ageMs = 1_000): LocalSide {
  return { body, changedAtMs: NOW_MS - ageMs };
}

const taken = { mirror: 'asIs', local: 'none' };

describe('a login record', () => {
  test('is usable whatever it lacks besides origin and password', () => {
    for (const body of [
      login(),
      login({ formSubmitURL: '', later: { a: 1 } }),
      login({ formSubmitURL: null, httpRealm: 'realm' }),
      login({ formSubmitURL: null, timeCreated: 'long ago', timesUsed: -1 }),
      { hostname: 'x', password: 'y' },
    ]) {
      expect(passwords.check(body)).toBeNull();
    }
  });

  test.each([
    ['hostname', login({ hostname: '' })],
    ['hostname', login({ hostname: undefined })],
    ['hostname', login({ hostname: 7 })],
    ['hostname', login({ hostname: 'chrome://FirefoxAccounts' })],
    ['password', login({ password: '' })],
    ['password', login({ password: null })],
    ['username', login({ username: {} })],
    ['httpRealm', login({ httpRealm: false })],
  ])('is refused with the name of the bad field: %s', (field, body) => {
    expect(passwords.check(body)).toContain(field);
  });

  test('is shown with null for what it lacks', () => {
    expect(passwords.view('g', { hostname: 'https://x', password: 'y', username: '' })).toEqual({
      guid: 'g',
      origin: 'https://x',
      formActionOrigin: null,
      httpRealm: null,
      username: '',
      password: 'y',
      usernameField: null,
      passwordField: null,
      timeCreated: null,
      timePasswordChanged: null,
      timeLastUsed: null,
      timesUsed: null,
    });
    expect(passwords.isEmpty(login())).toBe(false);
  });

  test('is indexed by its origin and nothing else', () => {
    const [entry, ...others] = passwords.index(login({ hostname: 'moz-proxy://p x:3128' }), 0);
    expect(entry).toBe('umoz-proxy://p%20x:3128');
    expect(others).toEqual([]);
    expect(passwords.things?.key(login())).toBe('uhttps://accounts.example.com');
    expect(passwords.addressPrefix('https://acc')).toBe('uhttps://acc');
    expect(passwords.matches(login(), 'https://acc')).toBe(true);
    expect(passwords.matches(login(), 'https://b')).toBe(false);
  });

  test('is the same login as one of equal origin, target and user, or for any form', () => {
    const isSame = (a: object, b: object) => {
      const { things } = passwords;
      expect(things?.same(login(a), login(b))).toBe(things?.same(login(b), login(a)));
      expect(things?.isDupe?.(login(a), login(b))).toBe(things?.isDupe?.(login(b), login(a)));
      if (things?.same(login(a), login(b))) return true;
      return things?.isDupe?.(login(a), login(b)) ? 'dupe' : false;
    };
    expect(isSame({}, { id: 'other', password: 'other' })).toBe(true);
    expect(isSame({}, { hostname: 'http://accounts.example.com' })).toBe(false);
    expect(isSame({}, { username: 'bob' })).toBe(false);
    expect(isSame({ username: '' }, { username: null })).toBe(true);
    expect(isSame({}, { formSubmitURL: 'https://b' })).toBe(false);
    expect(isSame({}, { formSubmitURL: '' })).toBe('dupe');
    const realm = { formSubmitURL: null, httpRealm: 'r' };
    expect(isSame(realm, { formSubmitURL: undefined, httpRealm: 'r' })).toBe(true);
    expect(isSame(realm, { ...realm, httpRealm: 's' })).toBe(false);
    expect(isSame(realm, { formSubmitURL: '', httpRealm: 'r' })).toBe(false);
  });
});

describe('a login that comes from the server', () => {
  test('is taken as it is by a device without a change of its own', () => {
    expect(merge({ incoming: login() })).toEqual(taken);
    expect(merge({ mirror: login({ later: 1 }), incoming: login() })).toEqual(taken);
  });

  test('as a tombstone deletes, whatever happened here', () => {
    for (const local of [edited(login(), 0), edited(null)]) {
      expect(merge({ local, mirror: login(), incoming: null })).toEqual({
        mirror: null,
        local: 'none',
      });
    }
  });

  test('revives a login deleted here when it was changed there', () => {
    const changed = login({ password: 'new' });
    expect(merge({ local: edited(null), mirror: login(), incoming: changed })).toEqual(taken);
    expect(merge({ local: edited(null, 99_000), incoming: changed })).toEqual(taken);
    const again = merge({ local: edited(null), mirror: login(), incoming: login() });
    expect(again).toEqual({ mirror: 'asIs', local: 'keep' });
  });

  test('does not revive a login that was deleted after its upload, whose answer was lost', () => {
    const again = merge({ local: edited(null), incoming: login() });
    expect(again).toEqual({ mirror: 'asIs', local: 'keep' });
  });
});

describe('changes on both sides', () => {
  const three = (mine: object, theirs: object, ageMs: number, base: object = {}) =>
    merge({ local: edited(login(mine), ageMs), mirror: login(base), incoming: login(theirs) });

  test('of different members are both kept', () => {
    expect(
      three({ username: 'bob' }, { password: 'new', timePasswordChanged: NOW_MS }, 99_000),
    ).toEqual({
      mirror: 'asIs',
      local: login({ username: 'bob', password: 'new', timePasswordChanged: NOW_MS }),
    });
  });

  test('of one member: the younger counts', () => {
    const mine = { password: 'mine' };
    const theirs = { password: 'theirs' };
    expect(three(mine, theirs, 59_000)).toEqual({ mirror: 'asIs', local: login(mine) });
    expect(three(mine, theirs, 61_000)).toEqual(taken);
    expect(three(mine, theirs, 60_000)).toEqual(taken);
  });

  test('of the password: the later counts, whichever went up first', () => {
    const mine = { password: 'mine', timePasswordChanged: NOW_MS - 200_000 };
    const theirs = { password: 'theirs', timePasswordChanged: NOW_MS - 300_000 };
    expect(three(mine, theirs, 200_000)).toEqual({ mirror: 'asIs', local: login(mine) });
    expect(three(theirs, mine, 1_000)).toEqual(taken);
  });

  test('that are the same need no upload', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(99_000), (more, ageMs) => {
        expect(three(more, more, ageMs)).toEqual(taken);
      }),
    );
  });

  test('count every use once', () => {
    const { local } = three({ timesUsed: 7 }, { timesUsed: 6 }, 0, { timesUsed: 5 });
    expect(local).toMatchObject({ timesUsed: 8 });
    expect(three({ timesUsed: 7 }, {}, 0, { timesUsed: 5 }).local).toMatchObject({ timesUsed: 7 });
    expect(three({}, { timesUsed: 6 }, 0, { timesUsed: 5 })).toEqual(taken);
    expect(three({ timesUsed: 7 }, { timesUsed: 7 }, 0, { timesUsed: 5 })).toEqual(taken);
    expect(three({ timesUsed: 1 }, { timesUsed: 2 }, 0, { timesUsed: 5 }).local).toMatchObject({
      timesUsed: 0,
    });
  });

  test('do not lose a time to one that is missing or zero', () => {
    const created = login().timeCreated;
    for (const timeCreated of [0, undefined, null, -5, 'x']) {
      expect(three({ username: 'bob' }, { timeCreated }, 99_000).local).toMatchObject({
        timeCreated: created,
      });
      expect(three({ username: 'bob', timeCreated }, {}, 0).local).toMatchObject({
        timeCreated: created,
      });
    }
  });

  test('leave a target alone that neither has changed: both, or none', () => {
    const both = { formSubmitURL: 'https://a', httpRealm: 'r' };
    expect(
      three({ ...both, password: 'new' }, { ...both, username: 'bob' }, 59_000, both).local,
    ).toEqual(login({ ...both, password: 'new', username: 'bob' }));
    const { formSubmitURL, httpRealm, ...none } = login();
    const decision = merge({
      local: edited({ ...none, password: 'new' }),
      mirror: none,
      incoming: { ...none, username: 'bob' },
    });
    expect(decision.local).toEqual({ ...none, password: 'new', username: 'bob' });
  });

  test('to form and to realm leave one target', () => {
    const realm = { formSubmitURL: null, httpRealm: 'r' };
    const form = { formSubmitURL: 'https://b' };
    expect(three(realm, form, 61_000).local).toBe('none');
    expect(three(realm, form, 59_000).local).toEqual(login(realm));
    expect(three(realm, { username: 'bob' }, 99_000).local).toEqual(
      login({ ...realm, username: 'bob' }),
    );
    const { formSubmitURL, ...withoutForm } = login({ httpRealm: 'r' });
    const absent = merge({
      local: edited(login({ username: 'bob' })),
      mirror: login(),
      incoming: withoutForm,
    });
    expect(absent.local).toMatchObject({ username: 'bob', formSubmitURL: null, httpRealm: 'r' });
  });

  test('keep unknown members of both, whatever their names', () => {
    const mine = JSON.parse('{"__proto__":{"a":1},"toString":"mine","x":1}');
    const theirs = JSON.parse('{"constructor":[2],"x":2}');
    for (const mirror of [login(), undefined]) {
      for (const timePasswordChanged of [0, NOW_MS]) {
        const local = edited(login({ ...mine, timePasswordChanged }), 99_000);
        const incoming = login(theirs);
        const result = merge(mirror ? { local, mirror, incoming } : { local, incoming }).local;
        const text = JSON.stringify(result);
        for (const part of [
          '"__proto__":{"a":1}',
          '"toString":"mine"',
          '"constructor":[2]',
          '"x":2',
        ]) {
          expect(text).toContain(part);
        }
      }
    }
  });

  test('of an unknown member are merged like those of a known one', () => {
    expect(
      three({ later: 'mine' }, { later: 'base', x: 1 }, 99_000, { later: 'base' }).local,
    ).toEqual(login({ later: 'mine', x: 1 }));
  });

  test('lose no unknown member in any merge', () => {
    const some = fc.dictionary(fc.string({ maxLength: 9 }), fc.jsonValue(), { maxKeys: 4 });
    fc.assert(
      fc.property(some, some, some, fc.boolean(), fc.nat(99_000), (a, b, c, hasMirror, ageMs) => {
        const local = edited({ ...a, ...login(), timePasswordChanged: NOW_MS - ageMs }, ageMs);
        const incoming = { ...b, ...login() };
        const mirror = { ...c, ...login() };
        const decision = merge(hasMirror ? { local, mirror, incoming } : { local, incoming });
        const result = decision.local === 'none' ? incoming : (decision.local as Body);
        for (const name of [...Object.keys(a), ...Object.keys(b)]) {
          expect(Object.hasOwn(result, name)).toBe(true);
        }
      }),
    );
  });
});

describe('two logins without a common past', () => {
  const two = (mine: object, theirs: object, ageMs = 1_000) =>
    merge({ local: edited(login(mine), ageMs), incoming: login(theirs) });

  test('become the one whose password is later', () => {
    const mine = { id: 'mine', password: 'mine', usernameField: 'u', timePasswordChanged: NOW_MS };
    const theirs = { password: 'theirs', timesUsed: 3, timePasswordChanged: NOW_MS - 1 };
    expect(two(mine, theirs)).toEqual({
      mirror: 'asIs',
      local: login({ ...mine, id: ID, timesUsed: 3 }),
    });
    expect(two(theirs, mine)).toEqual(taken);
    const early = { ...theirs, timePasswordChanged: NOW_MS };
    expect(two({ ...mine, timesUsed: 9 }, early, 99_000)).toEqual(taken);
    expect(two(mine, early)).toEqual({
      mirror: 'asIs',
      local: login({ ...mine, id: ID, timesUsed: 3 }),
    });
    expect(two(login(), login())).toEqual(taken);
  });

  test('do not lose a time to one that is missing or zero', () => {
    const result = two({ timePasswordChanged: NOW_MS, timeCreated: 0 }, {});
    expect(result.local).toMatchObject({ timeCreated: login().timeCreated });
  });
});

test('what goes up starts with the id and keeps every member', () => {
  const body = { ...JSON.parse('{"__proto__":[1]}'), ...login({ later: 1 }) };
  const text = JSON.stringify(passwords.outgoing('new', body));
  expect(text.startsWith('{"id":"new","__proto__":[1],"hostname"')).toBe(true);
  expect(text.endsWith('"later":1}')).toBe(true);
});

test('new ids are random UUIDs in braces', () => {
  const random = Uint8Array.from({ length: 18 }, (_, at) => at);
  expect(passwords.newId(random)).toBe('{00010203-0405-4607-8809-0a0b0c0d0e0f}');
  expect(passwords.newId(random.fill(255))).toBe('{ffffffff-ffff-4fff-bfff-ffffffffffff}');
});

describe('where a server has begun anew, and another device has put its own version there', () => {
  const mergeAnew = (mine: Body, theirs: Body, edit?: Body) =>
    passwords.merge({
      local: edit ? { body: edit, changedAtMs: NOW_MS - 99_000 } : null,
      mirror: { body: mine, modifiedMs: NOW_MS - 90_000, epoch: 1 },
      incoming: { body: theirs, modifiedMs: NOW_MS - 60_000 },
      ...{ epoch: 2, serverNowMs: NOW_MS, deviceNowMs: NOW_MS },
    });
  const older = login({ password: 'old', timePasswordChanged: NOW_MS - 9_000 });
  const newer = login({ password: 'new', timePasswordChanged: NOW_MS - 1_000 });

  test('the later password goes up, and an older one does not', () => {
    expect(mergeAnew(newer, older).local).toMatchObject({ password: 'new' });
    expect(mergeAnew(older, newer)).toEqual(taken);
    expect(mergeAnew(newer, newer)).toEqual(taken);
  });

  test('the later password goes up with an edit of something else', () => {
    const edit = { username: 'me' };
    const up = mergeAnew(newer, older, { ...newer, ...edit }).local;
    expect(up).toMatchObject({ password: 'new', ...edit });
    expect(mergeAnew(older, newer, { ...older, ...edit }).local).toEqual({ ...newer, ...edit });
    expect(mergeAnew(newer, newer, { ...newer, ...edit }).local).toEqual({ ...newer, ...edit });
  });
});
