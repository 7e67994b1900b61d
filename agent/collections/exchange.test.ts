// Devices that edit one record at random and exchange it through a server, as pull and push do:
// whatever happens, they stop writing and then hold the same.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Body, Collection } from './collection.ts';
import { contacts } from './contacts.ts';
import { extensionStorage } from './extension-storage.ts';
import { forms } from './forms.ts';
import { generic } from './generic.ts';
import { history } from './history.ts';
import { passwords } from './passwords.ts';

const NOW_MS = 1_795_323_276_914;
const ID = 'dxLy8nA6xTu-';

interface Server {
  body: Body | null;
  modifiedMs: number;
  nowMs: number;
  writeCount: number;
}

class Device {
  readonly #collection: Collection;
  readonly #skewMs: number;
  mirror: { body: Body; modifiedMs: number } | null = null;
  local: { body: Body | null; changedAtMs: number } | null = null;
  #seenMs = 0;

  constructor(collection: Collection, skewMs: number) {
    this.#collection = collection;
    this.#skewMs = skewMs;
  }

  /** What apps see. */
  held(): Body | null {
    const body = this.local ? this.local.body : (this.mirror?.body ?? null);
    return body && this.#collection.view(ID, body);
  }

  edit(input: Body | null, server: Server): void {
    const nowMs = ++server.nowMs + this.#skewMs;
    const existing = this.local ? this.local.body : (this.mirror?.body ?? null);
    if (input === null) {
      if (existing) this.local = this.mirror ? { body: null, changedAtMs: nowMs } : null;
      return;
    }
    const prepared = this.#collection.prepare(input, existing, ID, nowMs);
    if (!prepared.ok) throw new Error(prepared.complaint);
    this.local = { body: prepared.body, changedAtMs: nowMs };
  }

  pull(server: Server): void {
    if (server.modifiedMs === this.#seenMs) return;
    const { modifiedMs, body } = server;
    this.#seenMs = modifiedMs;
    const decision = this.#collection.merge({
      local: this.local,
      mirror: this.mirror,
      incoming: { body, modifiedMs },
      serverNowMs: server.nowMs,
      deviceNowMs: server.nowMs + this.#skewMs,
    });
    const mirror = decision.mirror === 'asIs' ? body : decision.mirror;
    this.mirror = mirror && { body: mirror, modifiedMs };
    if (decision.local === 'none') this.local = null;
    else if (decision.local !== 'keep' && this.local)
      this.local = { ...this.local, body: decision.local };
  }

  push(server: Server, isAnswerLost: boolean): void {
    this.pull(server);
    if (!this.local) return;
    const { body } = this.local;
    server.body = body && JSON.parse(JSON.stringify(this.#collection.outgoing(ID, body)));
    server.modifiedMs = ++server.nowMs;
    server.writeCount++;
    if (isAnswerLost) return;
    this.mirror = body && { body, modifiedMs: server.modifiedMs };
    this.local = null;
    this.#seenMs = server.modifiedMs;
  }
}

type Step = readonly [device: number, what: 'pull' | 'push' | 'lost' | Body | null];

function checkExchange(
  collection: Collection,
  edit: fc.Arbitrary<Body | null>,
  checkHeld: (held: Body | null, server: Body | null) => void = (held, server) =>
    expect(held).toEqual(server),
): void {
  const what = fc.oneof(fc.constantFrom('pull' as const, 'push' as const, 'lost' as const), edit);
  const steps: fc.Arbitrary<Step[]> = fc.array(fc.tuple(fc.nat(2), what), { maxLength: 20 });
  fc.assert(
    fc.property(steps, (taken) => {
      const server: Server = { body: null, modifiedMs: 0, nowMs: NOW_MS, writeCount: 0 };
      const devices = [0, -1e12, 1e9].map((skewMs) => new Device(collection, skewMs));
      for (const [at, step] of taken) {
        const device = devices[at] as Device;
        if (step === 'pull') device.pull(server);
        else if (step === 'push' || step === 'lost') device.push(server, step === 'lost');
        else device.edit(step, server);
      }
      for (const device of [...devices, ...devices]) device.push(server, false);
      const { writeCount } = server;
      for (const device of devices) device.push(server, false);
      expect(server.writeCount).toBe(writeCount);
      const atServer = server.body && collection.view(ID, server.body);
      for (const device of devices) checkHeld(device.held(), atServer);
    }),
    { numRuns: 1_000 },
  );
}

/** `cut` visits are those whose microseconds somebody cut off. */
const page = (cut: 0 | 7) =>
  fc.record({
    url: fc.constant('https://example.com/'),
    title: fc.constantFrom('', 'A', 'B'),
    visits: fc.array(
      fc.record({
        date: fc
          .tuple(fc.nat(3), fc.constantFrom(cut, 123, 456))
          .map(([ms, us]) => (NOW_MS - 9_000 + ms) * 1_000 + us),
        type: fc.integer({ min: 1, max: 2 }),
      }),
      { maxLength: 3 },
    ),
  }) as fc.Arbitrary<Body>;

const login = fc.record(
  {
    origin: fc.constant('https://example.com'),
    formActionOrigin: fc.constant('https://example.com'),
    username: fc.constantFrom('a', 'b'),
    password: fc.constantFrom('1', '2', '3'),
    usernameField: fc.constantFrom('', 'u'),
    later: fc.nat(3),
  },
  { requiredKeys: ['origin', 'formActionOrigin', 'password'] },
) as fc.Arbitrary<Body>;

const typed = fc.record(
  { name: fc.constantFrom('a', 'b'), value: fc.constantFrom('1', '2'), later: fc.nat(3) },
  { requiredKeys: ['name', 'value'] },
) as fc.Arbitrary<Body>;

const key = fc.constantFrom('a', 'b', '__proto__');
const items = fc.record({
  extId: fc.constant('ext@example.com'),
  set: fc.array(fc.tuple(key, fc.nat(2))).map((pairs) => Object.fromEntries(pairs)),
  remove: fc.array(key, { maxLength: 1 }),
}) as fc.Arbitrary<Body>;

const property = fc.record(
  {
    value: fc.constantFrom('1', '+1 2', '+12', '3'),
    params: fc.constantFrom({ type: ['home'] }, { type: ['work'] }),
    group: fc.constantFrom('item1', 'item2'),
  },
  { requiredKeys: ['value'] },
);
const person = fc.record({
  later: fc.nat(3),
  card: fc
    .dictionary(
      fc.constantFrom('tel', 'note', 'bday', 'x-ablabel'),
      fc.array(property, { maxLength: 3 }),
      { noNullPrototype: true },
    )
    .map((card) => ({ fn: [{ value: 'A' }], ...card })),
}) as fc.Arbitrary<Body>;

describe('three devices that exchange a record come to rest', () => {
  test('with the same page', () => {
    checkExchange(history, page(0));
  });

  test('with the same page but for visits that were deleted elsewhere before a new one', () => {
    checkExchange(history, fc.option(page(7), { freq: 5 }), (held, server) => {
      const visits = expect.arrayContaining((server?.visits ?? []) as unknown[]);
      expect(held).toEqual(server && { ...server, visits });
    });
  });

  test('with the same login', () => {
    checkExchange(passwords, fc.option(login, { freq: 5 }));
  });

  test('with the same form entry', () => {
    checkExchange(forms, fc.option(typed, { freq: 5 }));
  });

  test('with the same record of an app', () => {
    checkExchange(generic('notes'), fc.option(typed, { freq: 5 }));
  });

  test('with the same contact', () => {
    checkExchange(contacts, fc.option(person, { freq: 5 }));
  });

  test('with the same items of an extension', () => {
    checkExchange(extensionStorage, fc.option(items, { freq: 5 }));
  });
});
