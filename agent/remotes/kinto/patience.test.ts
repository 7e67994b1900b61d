// A server that always asks for a pause.

import { expect, test } from 'vitest';
import type { ServerNotes } from '../../wire/http.ts';
import type { Offer, Remote, Upload } from '../remote.ts';
import { patient } from './patience.ts';

const PAUSE_MS = 600_000;

/** A remote whose server asks for a pause with its first answer, or with all of them. */
function remoteWith(offers: readonly Partial<Offer>[], isAlways = false) {
  const notes = { waitMs: 0 } as ServerNotes;
  const pause = (): void => {
    if (isAlways) notes.waitMs = PAUSE_MS;
  };
  const upload: Partial<Upload> = {
    async add() {
      pause();
      return [];
    },
  };
  const remote: Partial<Remote> = {
    async begin() {
      notes.waitMs = PAUSE_MS;
      return [...offers] as Offer[];
    },
    async changes() {
      pause();
      return null;
    },
    upload: async () => upload as Upload,
  };
  return { notes, remote: patient(remote as Remote, { notes }) };
}
const offer = (moved: boolean, pending = 0, around?: Offer['around']) =>
  ({ moved, store: { state: { pending } }, ...(around && { around }) }) as unknown as Offer;
const store = {} as Offer['store'];

test.each([
  ['nothing to do', [offer(false)]],
  ['only what cannot be done', [offer(true, 1, async () => undefined)]],
])('a pass with %s ends with the pause', async (_, offers) => {
  const { notes, remote } = remoteWith(offers);
  await remote.begin([]);
  expect(notes.waitMs).toBe(PAUSE_MS);
});

test('what came in is read, and the pause is kept', async () => {
  const { notes, remote } = remoteWith([offer(false), offer(true)]);
  await remote.begin([]);
  expect(notes.waitMs).toBe(0);
  await remote.changes(store, '');
  expect(notes.waitMs).toBe(PAUSE_MS);
});

test('what waits here is sent, and the pause is kept', async () => {
  const { notes, remote } = remoteWith([offer(false, 1)], true);
  await remote.begin([]);
  const upload = await remote.upload(store, {} as never);
  expect(notes.waitMs).toBe(0);
  await upload.add([], true);
  expect(notes.waitMs).toBe(PAUSE_MS);
});
