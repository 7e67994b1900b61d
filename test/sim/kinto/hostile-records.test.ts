// What a lying Kinto says of records: that they are deleted, others', old, endless, from elsewhere;
// and of collections: how many, from when, of which epoch. Nothing is deleted that nobody with the
// key has deleted, and nothing is taken that does not prove itself.

import { describe, expect, test } from 'vitest';
import { otherClient } from '../../../emulator/servers/kinto/other-client.ts';
import {
  bytesOf,
  CHANGED,
  DAY_MS,
  endure,
  FRESH,
  kindOf,
  type Lie,
  type Listed,
  listing,
  readOf,
  told,
} from './endure.ts';
import { KB, sealed, wireIdOf } from './lab.ts';

const MOMENTS = [
  ['a device that has synced', CHANGED],
  ['a new device', FRESH],
] as const;

describe.each(MOMENTS)('before %s, a listing', (_, moment) => {
  test('of nothing but deletions that nobody has sealed deletes nothing', async () => {
    const tombstones = [0, 1, 4, 5].map((n) => ({
      ...{ id: wireIdOf('contacts', `contact-${n}`), last_modified: 1_795_331_000_000 + n },
      deleted: true,
    }));
    const lie = listing((all) => [...all.map(gone), ...tombstones]);
    // Whoever hides a sealed deletion has its record brought back: see docs/kinto-encryption.md.
    const aftermath = { forgiven: /in quarantine$|^lost: their deletion$/ };
    const { told: events, error } = await endure(lie, moment, aftermath);
    expect(error).toBe(null);
    const isTold = events.filter((kind) => kind === 'unprovenDeletion').length;
    expect(isTold > 3).toBe(moment === CHANGED);
  });

  test('whose payloads are in the places of others is set aside', async () => {
    for (const member of ['payload', 'id'] as const) {
      const lie = listing((all) =>
        all.map((one, at) => ({ ...one, [member]: all[(at + 1) % all.length]?.[member] })),
      );
      const { quarantined, error } = await endure(lie, moment);
      expect(error).toBe(null);
      expect(quarantined).toBeGreaterThan(moment === CHANGED ? 2 : 7);
    }
  });

  test('of another collection is set aside, whatever it says inside', async () => {
    const notes = otherClient(KB, 'notes');
    const sealedAs = (wireId: string): string =>
      notes.seal(`${wireId}${JSON.stringify({ id: 'contact-4', who: 'a note' })}`);
    for (const change of [
      ({ id }: Listed) => ({ id, payload: sealedAs(id) }),
      () => ({ id: notes.wireId('note-0'), payload: sealed('notes', 'note-0', { who: 'Note 0' }) }),
    ]) {
      const lie = listing((all) => all.map((one) => ({ ...one, ...change(one) })));
      const { quarantined, error } = await endure(lie, moment);
      expect(error).toBe(null);
      expect(quarantined).toBeGreaterThan(0);
    }
  });

  test('of another user is set aside', async () => {
    const stranger = otherClient('11'.repeat(32), 'contacts');
    const theirs = stranger.sealed('contact-0', { id: 'contact-0', who: 'a stranger' });
    const lie = listing((all) => [
      ...all.map((one) => ({ ...one, payload: theirs })),
      { id: stranger.wireId('contact-0'), last_modified: 1_795_331_000_000, payload: theirs },
    ]);
    const { quarantined, error } = await endure(lie, moment);
    expect(error).toBe(null);
    expect(quarantined).toBeGreaterThan(2);
  });

  test('of a tombstone of each for each other deletes nothing', async () => {
    const tombstone = sealed('contacts', 'gone', null);
    await endure(
      listing((all) => all.map((one) => ({ ...one, payload: tombstone }))),
      moment,
    );
  });

  test.each([0, 1, -1, 0.5, 2 ** 53, 1e15, 1e308, '1795330000000', null, [], {}, true])(
    'of records from %j loses nothing',
    async (last_modified) => {
      await endure(
        listing((all) => all.map((one) => ({ ...one, last_modified }))),
        moment,
      );
    },
  );

  test.each([1_000, 4_102_444_800_000, 32_503_679_999_999])(
    'of records whose times begin at %i loses nothing',
    async (fromMs) => {
      const lie = listing((all) => all.map((one, at) => ({ ...one, last_modified: fromMs + at })));
      await endure(lie, moment);
    },
  );

  test('in another order, or of each twice, loses nothing', async () => {
    await endure(
      listing((all) => [...all].reverse()),
      moment,
    );
    await endure(
      listing((all) => [...all, ...all]),
      moment,
    );
    const epoch = { id: 'epoch', last_modified: 1_795_331_000_000, payload: '{}' };
    await endure(
      listing((all) => [epoch, ...all, epoch, { ...epoch, id: 'epoch-1' }]),
      moment,
    );
  });

  const IDS = [
    ...[
      '__proto__',
      'constructor',
      'hasOwnProperty',
      '',
      'epoch',
      'epoch-',
      'a/b',
      '../..',
      '%',
      '\u0000',
    ],
    ...['x'.repeat(65), 'x'.repeat(5_000), 'é', null, 5, {}, ['a']],
  ];

  test('among whose records are strange ones brings the others', async () => {
    for (const id of IDS) {
      const strange = { id, last_modified: 1_795_330_000_000, payload: '{}' };
      const { error } = await endure(
        listing((all) => [strange, null, 7, [], '{', {}, ...all, strange]),
        moment,
      );
      expect(error).toBe(null);
    }
  });

  test.each(['x'.repeat(5_000), '%zz', 'https://kinto.test/', '?_token=%E0%A4%A'])(
    'with a next page %# that is none loses nothing',
    async (url) => {
      const lie = told('list', (reply) => ({
        ...reply,
        headers: [...reply.headers, ['next-page', url]],
      }));
      expect(await endure(lie, moment)).toMatchObject({ error: 'badResponse' });
    },
  );

  test('with a next page elsewhere is asked for it here', async () => {
    let pages = 0;
    const lie = told('list', (reply) =>
      pages++ % 3 > 1
        ? reply
        : { ...reply, headers: [...reply.headers, ['next-page', 'http://elsewhere/?_token=0']] },
    );
    const { requests } = await endure(lie, moment);
    expect(requests.filter((request) => kindOf(request) === 'list').length).toBeGreaterThan(1);
    expect(requests.every(({ url }) => url.startsWith('https://kinto.test/v1/'))).toBe(true);
  });
});

function gone({ id, last_modified }: Listed): object {
  return { id, last_modified, deleted: true };
}

describe.each(MOMENTS)('before %s, a server', (_, moment) => {
  test('that gives old versions back under new times is believed, and loses nothing', async () => {
    const old = [0, 1].map((n) => ({
      ...{ id: wireIdOf('contacts', `contact-${n}`), last_modified: 1_795_331_000_000 + n },
      payload: sealed('contacts', `contact-${n}`, { who: `Person ${n}` }),
    }));
    await endure(
      listing((all, url) => (url.includes('/contacts/') ? [...all, ...old] : all)),
      moment,
    );
  });

  test.each(['0', '-1', '1', '1000000000', '999999999999', '1e9', 'many', ''])(
    'that counts %s records loses nothing',
    async (count) => {
      for (const which of [0, 1]) {
        const lie = told('poll', (reply) => {
          const { responses } = readOf(reply) as { responses: { headers: object }[] };
          const changed = responses.map((one, at) => ({
            ...one,
            ...(at % 2 === which && {
              headers: { ...one.headers, 'Total-Objects': count, 'Total-Records': count },
            }),
          }));
          return { ...reply, body: bytesOf({ responses: changed }) };
        });
        expect(await endure(lie, moment)).toMatchObject({ error: null });
      }
    },
  );

  test.each([0, -1, 0.5, 1, 2, 1e9, 1e99, 'many', null, [], {}])(
    'that takes %j requests in a batch gets everything',
    async (max) => {
      for (const settings of [{ batch_max_requests: max }, { 'kinto.batch_max_requests': max }]) {
        const lie = told('hello', (reply) => ({ ...reply, body: bytesOf({ settings }) }));
        expect(await endure(lie, moment)).toMatchObject({ error: null });
      }
    },
  );
});

describe('the epoch of a collection', () => {
  const payloadOf = (epoch: string, collection: 'contacts' | 'notes' = 'contacts'): string =>
    otherClient(KB, collection).sealedEpoch(epoch);
  const { seal, epochId } = otherClient(KB, 'contacts');
  const answered = (status: number, body: unknown): Lie =>
    told('epoch', (reply) => {
      const { responses } = readOf(reply) as { responses: object[] };
      return { ...reply, body: bytesOf({ responses: responses.map(() => ({ status, body })) }) };
    });

  test.each([
    ['garbage', 'x'],
    ['nothing', undefined],
    ['another user’s', otherClient('11'.repeat(32), 'contacts').sealedEpoch('x'.repeat(16))],
    ['a record', sealed('contacts', 'contact-0', { who: 'Person 0' })],
    ['without a text', seal(JSON.stringify({ id: epochId }))],
    ['one of its old id', seal(JSON.stringify({ id: 'epoch', epoch: 'x'.repeat(16) }))],
    ['of the wrong length', payloadOf('short')],
  ])('that is %s opens no collection', async (_, payload) => {
    const { error } = await endure(answered(200, { data: { payload } }), FRESH);
    expect(error).toBe('keyMismatch');
  });

  test('that is another one at every question costs a reading each time', async () => {
    let asked = 0;
    const lie: Lie = async (ask, request) => {
      if (kindOf(request) === 'poll') {
        const reply = await ask();
        const text = Buffer.from(reply.body).toString();
        return { ...reply, body: Buffer.from(text.replace(/\\"\d+\\"/g, `\\"${++asked}\\"`)) };
      }
      if (kindOf(request) !== 'epoch') return null;
      const reply = await ask();
      const { responses } = readOf(reply) as { responses: object[] };
      const names = ['contacts', 'notes'] as const;
      const body = (at: number) => ({
        data: { payload: payloadOf(`${1e15 + ++asked}`, names[at % 2]) },
      });
      const all = responses.map((_, at) => ({ status: 200, body: body(at) }));
      return { ...reply, body: bytesOf({ responses: all }) };
    };
    for (const moment of [CHANGED, FRESH]) {
      expect(await endure(lie, moment)).toMatchObject({ error: null });
    }
  });

  test('that is never there costs a reading each time', async () => {
    for (const moment of [CHANGED, FRESH]) {
      const lie = answered(404, {});
      await endure(lie, moment);
    }
  });

  test('that is refused, and not shown, waits', async () => {
    const REFUSALS = [{}, { details: {} }, { details: { existing: null } }, { details: 5 }, null];
    for (const body of REFUSALS) {
      const lie = told('newEpoch', (reply) => {
        const { responses } = readOf(reply) as { responses: object[] };
        return {
          ...reply,
          body: bytesOf({ responses: responses.map(() => ({ status: 412, body })) }),
        };
      });
      const { error } = await endure(lie, FRESH);
      expect(error).not.toBe('keyMismatch');
    }
  });
});

describe('an answer to changes', () => {
  type Part = { readonly status: number; readonly body: { readonly data: Listed } };

  /** `isDone`: the server has stored them. */
  const pushed = (change: (parts: Part[]) => unknown, isDone = true): Lie => {
    return async (ask, request) => {
      if (kindOf(request) !== 'push' || !request.url.endsWith('/batch')) return null;
      const count = JSON.parse(request.body ?? '').requests.length;
      const parts = isDone
        ? (readOf(await ask()) as { responses: Part[] }).responses
        : Array.from({ length: count }, (): Part => ({ status: 412, body: { data: OLD } }));
      return { status: 200, headers: [], body: bytesOf({ responses: change(parts) }) };
    };
  };
  const OLD: Listed = {
    ...{ id: wireIdOf('contacts', 'contact-0'), last_modified: 1_795_320_000_000 },
    payload: sealed('contacts', 'contact-0', { who: 'Person 0' }),
  };
  const withData = (change: object): Lie =>
    pushed((parts) =>
      parts.map((one) => ({ ...one, body: { data: { ...one.body.data, ...change } } })),
    );

  test('in another order, too few, or too many loses nothing', async () => {
    const CHANGES: ((parts: Part[]) => unknown)[] = [
      (parts) => [...parts].reverse(),
      (parts) => parts.slice(1),
      (parts) => [...parts, ...parts],
      (parts) => parts.map(() => parts[0]),
      (parts) => parts.map(() => null),
      () => null,
      () => ({}),
      (parts) => parts.map(({ status }) => ({ status })),
      (parts) => parts.map(({ body }) => ({ status: '200', body })),
      (parts) => parts.map(({ body }) => ({ status: 2_000, body })),
    ];
    for (const change of CHANGES) await endure(pushed(change), CHANGED);
  });

  test.each([0, -1, -5, 1, 0.5, 2 ** 53, 2 ** 53 - 1, 4_102_444_800_000, 1e308, '1', null, {}])(
    'that stored them at %j loses nothing',
    async (last_modified) => {
      await endure(withData({ last_modified }), CHANGED);
    },
  );

  test('with another record’s name loses nothing', async () => {
    await endure(withData({ id: wireIdOf('contacts', 'contact-5') }), CHANGED);
    await endure(withData({ id: null }), CHANGED);
    await endure(withData({ id: undefined }), CHANGED);
  });

  test('that says so, and has stored nothing: what is held is missed within a week', async () => {
    const data = { last_modified: 1_795_330_700_000 };
    const lie = pushed((parts) => parts.map(() => ({ status: 201, body: { data } })), false);
    // Of a deletion nothing is left here that could be missed.
    const forgiven = /^lost: the deletion$/;
    await endure(lie, CHANGED, { laterMs: 9 * DAY_MS, forgiven, news: ['contact-9'] });
  });

  const FORGED: readonly [what: string, existing: unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['no record', 'x'],
    ['another record', { ...OLD, id: wireIdOf('contacts', 'contact-5') }],
    ['another record’s payload', { ...OLD, payload: sealed('contacts', 'contact-5', {}) }],
    ['garbage', { ...OLD, payload: 'x' }],
    ['another user’s', { ...OLD, payload: otherClient('11'.repeat(32), 'contacts').seal('{}') }],
    ['a deletion', { id: OLD.id, last_modified: OLD.last_modified, deleted: true }],
    ['an old version', OLD],
    ['one of 1970', { ...OLD, last_modified: 0 }],
    ['one of 2100', { ...OLD, last_modified: 4_102_444_800_000 }],
    ['one of never', { ...OLD, last_modified: -1 }],
  ];

  test.each(FORGED)('that refuses each for %s loses nothing', async (_, existing) => {
    const lie = pushed(
      (parts) => parts.map(() => ({ status: 412, body: { details: { existing } } })),
      false,
    );
    await endure(lie, CHANGED);
  });
});
