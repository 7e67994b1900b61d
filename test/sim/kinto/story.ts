// The story that the simulations of Kinto interrupt: a first sync, edits and deletions on both
// sides with conflicts, then what happens to servers: one is emptied, a backup is restored, a
// collection is made anew, tombstones are purged. Each step says what it has promised once it was
// promised: a claim about the server that must hold after the next whole pass.

import type { Body, Name, Other } from './lab.ts';
import type { Scene, Step } from './play.ts';

const MINUTE_MS = 60_000;

/** The id of the n-th contact. */
const idOf = (n: number): string => `contact-${n}`;

function contactOf(n: number, members: Body = {}): Body {
  return { who: `Person ${n}`, tel: [`+1 555 ${1_000 + n}`], ...members };
}

/** A story of so many contacts: two fifths of them are the device's own. */
export function story(count: number): Step[] {
  const theirs = Math.ceil((count * 3) / 5);
  return [
    { name: 'the first sync', run: (scene) => firstSync(scene, theirs, count) },
    { name: 'edits on both sides', run: (scene) => editBoth(scene, theirs) },
    { name: 'the sync with conflicts', run: sync },
    { name: 'the server is emptied', run: (scene) => emptied(scene, theirs) },
    { name: 'a sync after a backup', run: (scene) => afterBackup(scene) },
    { name: 'the backup is restored', run: (scene) => restored(scene, theirs) },
    { name: 'the collection is made anew', run: (scene) => madeAnew(scene, theirs) },
    { name: 'tombstones are purged', run: (scene) => purged(scene, theirs) },
  ];
}

/** A first sync and one in both directions, with a conflict: as few bytes as show everything. */
export function shortStory(): Step[] {
  return [
    { name: 'the first sync', run: (scene) => firstSync(scene, 4, 6) },
    {
      name: 'edits on both sides',
      async run(scene) {
        changeThere(scene, 0, { mail: 'there' });
        changeThere(scene, 7, { who: 'Person 7' });
        deleteThere(scene, 2);
        await changeHere(scene, 0, { note: 'here' });
        await changeHere(scene, 8, { who: 'Person 8' });
        await deleteHere(scene, 1);
      },
    },
    { name: 'the sync with conflicts', run: sync },
  ];
}

async function sync({ agent, later }: Scene): Promise<void> {
  later(10 * MINUTE_MS);
  await agent.sync();
}

async function firstSync(scene: Scene, theirs: number, count: number): Promise<void> {
  const { agent, other } = scene;
  for (let n = 0; n < theirs; n++) other.put('contacts', idOf(n), contactOf(n));
  other.put('notes', 'note-0', { who: 'a note', text: 'theirs' });
  await agent.enable();
  for (let n = theirs; n < count; n++) await changeHere(scene, n, contactOf(n));
  await agent.sync();
}

async function editBoth(scene: Scene, theirs: number): Promise<void> {
  const { other } = scene;
  // Both sides, one side each, edits that meet deletions, deletions that meet.
  for (const n of [0, 1, 2]) changeThere(scene, n, { mail: `there ${n}@example.test` });
  for (const n of [1, 2, 3]) await changeHere(scene, n, { note: `here ${n}` });
  deleteThere(scene, 4);
  await deleteHere(scene, 5);
  deleteThere(scene, 6);
  await deleteHere(scene, 6);
  other.delete('contacts', idOf(7));
  await scene.agent.put('contacts', { ...contactOf(7), id: idOf(7), note: 'kept' });
  changeThere(scene, theirs, { mail: 'of what is ours' });
  for (let n = 1_000; n < 1_012; n++) await changeHere(scene, n, contactOf(n));
  for (let n = 2_000; n < 2_012; n++) changeThere(scene, n, contactOf(n));
  await scene.agent.put('notes', { id: 'note-0', text: 'ours' });
  // The server says that one is gone, and nobody has deleted it.
  other.lose('contacts', idOf(8));
  claimThere(scene, 8);
}

async function emptied(scene: Scene, theirs: number): Promise<void> {
  const { servers, agent, later } = scene;
  later(10 * MINUTE_MS);
  await changeHere(scene, theirs - 1, { note: 'unsent while it was emptied' });
  servers.server.store.flush();
  await agent.sync();
}

/** What was written after the backup is on this device alone when it is restored. */
async function afterBackup(scene: Scene): Promise<void> {
  const { servers, agent, later } = scene;
  servers.backup = servers.server.store.dump();
  later(10 * MINUTE_MS);
  changeThere(scene, 10, { mail: 'after the backup' });
  await changeHere(scene, 11, { note: 'after the backup' });
  await changeHere(scene, 1_100, contactOf(1_100));
  await agent.sync();
}

async function restored(scene: Scene, theirs: number): Promise<void> {
  const { servers, agent, later } = scene;
  later(10 * MINUTE_MS);
  servers.server.store.restore(servers.backup);
  await changeHere(scene, 12, { note: 'unsent while it was restored' });
  await changeHere(scene, theirs, { note: 'unsent, too' });
  await agent.sync();
}

async function madeAnew(scene: Scene, theirs: number): Promise<void> {
  const { servers, agent, later } = scene;
  later(10 * MINUTE_MS);
  for (const { collections, names } of servers.server.store.buckets.values()) {
    collections.delete('contacts');
    names.delete('contacts');
  }
  await deleteHere(scene, 13);
  await changeHere(scene, theirs + 1, { note: 'unsent while it was made anew' });
  changeThere(scene, 3_000, contactOf(3_000));
  await agent.sync();
}

async function purged(scene: Scene, theirs: number): Promise<void> {
  const { agent, other, later } = scene;
  later(10 * MINUTE_MS);
  const records = other.records('contacts');
  records.purge();
  for (const n of [14, 15]) {
    other.lose('contacts', idOf(n));
    claimThere(scene, n);
  }
  deleteThere(scene, 16);
  await changeHere(scene, theirs + 2, { note: 'unsent while it was purged' });
  await agent.sync();
}

/** A second later than all that was: of two changes of a member the younger one stays. */
async function changeHere({ agent, claim, later }: Scene, n: number, members: Body): Promise<void> {
  later(1_000);
  await agent.put('contacts', { id: idOf(n), ...members });
  claim(`${JSON.stringify(members)} of ${n}`, (now) => isThere(now, 'contacts', n, members));
}

async function deleteHere({ agent, claim, later }: Scene, n: number): Promise<void> {
  later(1_000);
  await agent.delete('contacts', idOf(n));
  claim(`the deletion of ${n}`, (now) => !now.live('contacts').has(idOf(n)));
}

function changeThere({ other, claim }: Scene, n: number, members: Body): void {
  const now = other.live('contacts').get(idOf(n)) ?? contactOf(n);
  other.put('contacts', idOf(n), { ...now, ...members });
  claim(`their ${JSON.stringify(members)} of ${n}`, (later) =>
    isThere(later, 'contacts', n, members),
  );
}

function deleteThere({ other, claim }: Scene, n: number): void {
  other.delete('contacts', idOf(n));
  claim(`their deletion of ${n}`, (now) => !now.live('contacts').has(idOf(n)));
}

function claimThere({ claim }: Scene, n: number): void {
  claim(`${n}, which nobody deleted`, (now) => isThere(now, 'contacts', n, {}));
}

function isThere(other: Other, name: Name, n: number, members: Body): boolean {
  const body = other.live(name).get(idOf(n));
  return (
    body !== undefined &&
    Object.entries(members).every(
      ([member, value]) => JSON.stringify(body[member]) === JSON.stringify(value),
    )
  );
}
