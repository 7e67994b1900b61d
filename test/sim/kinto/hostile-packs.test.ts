// What a lying Kinto says of packs: that they are deleted, others', old, from elsewhere. Nothing is
// deleted that nobody with the key has deleted, and nothing is taken that does not prove itself. An
// old version of a pack was sealed once: it takes the place of nothing that is younger.

import { describe, expect, test } from 'vitest';
import { otherPacks, packIdAt } from '../../support/kinto-packs.ts';
import type { WholeReply } from '../lab.ts';
import {
  bytesOf,
  endure,
  kindOf,
  type Lie,
  type Listed,
  listing,
  PACKED,
  readOf,
  told,
} from './endure.ts';
import { KB, otherOf, thaw, wireIdOf } from './lab.ts';
import type { Moment } from './play.ts';

/** Who is deleted in the younger version comes back: see docs/kinto-encryption.md. */
const RESTORED = /in quarantine$|^lost: (the|their) deletion$/;
const LATER_MS = 1_795_331_000_000;
const MOMENTS = [
  ['a device that has synced', PACKED.changed],
  ['one that has nothing to send', PACKED.after],
  ['a new device', PACKED.fresh],
] as const;

const isPack = ({ id }: Listed): boolean => id.startsWith('p-');
const isOf = (url: string, name: string): boolean => url.includes(`/collections/${name}/`);
const packsAt = (moment: Moment, name: 'contacts' | 'notes'): Listed[] =>
  otherOf(thaw(moment.frozen))
    .records(name)
    .live()
    .map(({ id, payload, last_modified }) => ({
      ...{ id, payload: `${payload}`, last_modified: Number(last_modified) },
    }))
    .filter(isPack);
const again = (packs: readonly Listed[]): Listed[] =>
  packs.map((one, at) => ({ ...one, last_modified: LATER_MS + at }));

/** Lies of contacts alone, whatever the listing has of them. */
const ofContacts = (packs: readonly unknown[]): Lie =>
  listing((all, url) => (isOf(url, 'contacts') ? [...all, ...packs] : all));

test('there are several packs, and a new device and one that has synced read them', async () => {
  expect(packsAt(PACKED.fresh, 'contacts').length).toBeGreaterThan(3);
  for (const [, moment] of MOMENTS) {
    const outcome = await endure(() => null, moment);
    expect(outcome).toMatchObject({ error: null, pending: 0, quarantined: 0 });
    expect(outcome.told).not.toContain('beganAnew');
  }
});

describe.each(MOMENTS)('before %s, a listing', (_, moment) => {
  const isNew = moment === PACKED.fresh;

  test('of packs that are all deleted, and nobody has sealed that, deletes nothing', async () => {
    const gone = again(packsAt(moment, 'contacts')).map(({ id, last_modified }) => {
      return { id, last_modified, deleted: true };
    });
    // What this device was about to delete was never agreed on, by that.
    const forgiven = /in quarantine$|^lost: the deletion$/;
    const { told: events, error } = await endure(ofContacts(gone), moment, { forgiven });
    expect(error).toBe(null);
    expect(events.filter((kind) => kind === 'unprovenDeletion').length > 20).toBe(!isNew);
  });

  test('whose packs are in the places of others sets them aside', async () => {
    const packs = again(packsAt(PACKED.after, 'contacts'));
    for (const member of ['payload', 'id'] as const) {
      const swapped = packs.map((one, at) => {
        return { ...one, [member]: packs[(at + 1) % packs.length]?.[member] };
      });
      const { quarantined, error } = await endure(ofContacts(swapped), moment);
      expect(error).toBe(null);
      expect(quarantined).toBeGreaterThan(3);
    }
  });

  test('of packs of another collection, or user, sets them aside', async () => {
    const packs = again(packsAt(PACKED.after, 'contacts'));
    const pack = { isFull: true, entries: [] };
    const stranger = otherPacks('11'.repeat(32), 'contacts');
    const notes = otherPacks(KB, 'notes');
    const FORGED: ((one: Listed) => string)[] = [
      ({ id }) => notes.sealPack(id, pack),
      () => packsAt(PACKED.after, 'notes')[0]?.payload ?? '',
      ({ id }) => stranger.sealPack(id, pack),
      () => '{}',
      () => '',
    ];
    for (const forged of FORGED) {
      const lie = ofContacts(packs.map((one) => ({ ...one, payload: forged(one) })));
      const { quarantined, error } = await endure(lie, moment);
      expect(error).toBe(null);
      expect(quarantined).toBeGreaterThan(3);
    }
  });

  test('of records as if they were packs, and of packs as records, sets them aside', async () => {
    const [pack] = again(packsAt(PACKED.after, 'contacts'));
    const ids = ['p-4', 'p-x', 'p', `p-${'0'.repeat(12)}`, wireIdOf('contacts', 'contact-0')];
    const lie = ofContacts(ids.map((id) => ({ ...pack, id })));
    const { quarantined, error } = await endure(lie, moment);
    expect(error).toBe(null);
    expect(quarantined).toBe(ids.length);
  });

  test('of old versions of packs under new times deletes nothing and undoes nothing', async () => {
    const forgiven = RESTORED;
    const lie = ofContacts(again(packsAt(PACKED.fresh, 'contacts')));
    const { error, told: events } = await endure(lie, moment, { forgiven });
    expect(error).toBe(null);
    expect(events.filter((kind) => kind === 'beganAnew').length).toBe(isNew ? 0 : 1);
  });

  test('of an entry in another pack than its own takes nothing from it', async () => {
    const { sealPack } = otherPacks(KB, 'contacts');
    const wireId = wireIdOf('contacts', 'contact-0');
    const way = packIdAt(wireId, 1);
    const elsewhere = ['p-0', 'p-1', 'p-2', 'p-3'].filter((id) => id !== way);
    for (const text of ['', '{"id":"contact-0","who":"somebody else"}']) {
      const entry = {
        ...{ hash: wireId.slice(2), writtenMs: LATER_MS, salt: 1 },
        ...{ kind: text === '' ? 1 : 0, text },
      };
      const packs = elsewhere.map((id, at) => {
        const payload = sealPack(id, { isFull: false, entries: [entry] });
        return { id, payload, last_modified: LATER_MS + at };
      });
      expect(await endure(ofContacts(packs), moment)).toMatchObject({ error: null });
    }
  });
});

describe('an answer with packs that are to be changed', () => {
  type Part = { readonly status: number; readonly body: { readonly data: Listed } };
  const answered = (change: (part: Part, all: readonly Part[], at: number) => unknown): Lie =>
    told('packs', (reply: WholeReply) => {
      const { responses } = readOf(reply) as { responses: Part[] };
      return {
        ...reply,
        body: bytesOf({ responses: responses.map((one, at) => change(one, responses, at)) }),
      };
    });
  const withPayload = (payloadOf: (one: Listed) => unknown): Lie =>
    answered((part) =>
      part.status === 200
        ? { ...part, body: { data: { ...part.body.data, payload: payloadOf(part.body.data) } } }
        : part,
    );
  const old = new Map(packsAt(PACKED.fresh, 'contacts').map(({ id, payload }) => [id, payload]));

  test('is heard', async () => {
    const { requests } = await endure(
      answered((part) => part),
      PACKED.changed,
    );
    expect(requests.map(kindOf)).toContain('packs');
  });

  const LIES: readonly [what: string, lie: Lie][] = [
    ['of none', answered(() => ({ status: 404, body: {} }))],
    ['of no answer', answered(() => ({ status: 503, body: {} }))],
    ['of nothing', answered((part) => ({ ...part, body: {} }))],
    ['of others', answered((_, all, at) => all[(at + 1) % all.length])],
    ['of the first each time', answered((_, all) => all[0])],
    ['of garbage', withPayload(() => 'x')],
    ['without a payload', withPayload(() => null)],
    ['of other packs’ payloads', withPayload(({ id }) => old.get(id === 'p-' ? 'p-0' : 'p-'))],
  ];

  test.each(LIES)('%s loses nothing', async (_, lie) => {
    await endure(lie, PACKED.changed);
  });

  test('of old payloads, on which a change is written, loses no more than a backup', async () => {
    const lie = withPayload(({ id, payload }) => old.get(id) ?? payload);
    await endure(lie, PACKED.changed, { forgiven: RESTORED });
  });
});
