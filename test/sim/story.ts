// The story that simulations interrupt: a first sync, then days in which this device and a second
// one edit the same records, then a sign-out. Each step says what it has promised once it was
// promised: a claim about the server that must hold after the next whole pass, whatever was
// interrupted.

import type { Agent } from '../../agent/index.ts';
import { NOW_MS } from '../support/device.ts';
import type { Json, SecondDevice } from './second-device.ts';

export interface Claim {
  readonly what: string;
  holds(second: SecondDevice): boolean;
}

export interface Scene {
  readonly agent: Agent;
  readonly second: SecondDevice;
  /** Makes a promise: an edit of this device is durable, or the second device has written. */
  claim(what: string, holds: (second: SecondDevice) => boolean): void;
}

export interface Step {
  readonly name: string;
  readonly signsOut?: boolean;
  run(scene: Scene): Promise<void>;
}

export interface Cast {
  /** Ids of pages; ten are used. */
  readonly pages: readonly string[];
  /** Ids of logins; five are used. */
  readonly logins: readonly string[];
}

const NEW_PAGE = 'https://new.example/both';
const NEW_LOGIN = { origin: 'https://new.example', formActionOrigin: 'https://new.example' };

/** The steps, in order. */
export function story(cast: Cast): Step[] {
  return [
    {
      name: 'the first sync',
      async run({ agent }) {
        await agent.enable();
      },
    },
    { name: 'edits here', run: (scene) => editHere(scene, cast) },
    { name: 'edits there', run: async (scene) => editThere(scene, cast) },
    {
      name: 'the sync with conflicts',
      async run({ agent }) {
        await agent.sync();
      },
    },
    { name: 'edits on both sides while a pass is due', run: (scene) => editBoth(scene, cast) },
    { name: 'the sign-out', signsOut: true, run: ({ agent }) => agent.disable() },
  ];
}

async function editHere(scene: Scene, { pages, logins }: Cast): Promise<void> {
  const { agent, claim } = scene;
  await visitHere(scene, nth(pages, 0), visitUs(1));
  await visitHere(scene, nth(pages, 1), visitUs(2));
  await deleteHere(scene, 'history', nth(pages, 2));
  const url = NEW_PAGE;
  await agent.put('history', { url, title: 'here', visits: [{ date: visitUs(3), type: 1 }] });
  claim('the new page', (now) => pagesOf(now, url).some((body) => hasVisit(body, visitUs(3))));
  const changed = nth(logins, 0);
  await agent.put('passwords', { guid: changed, password: 'changed here' });
  claim('a password', (second) => isLogin(second, changed, { password: 'changed here' }));
  await deleteHere(scene, 'passwords', nth(logins, 1));
  await agent.put('passwords', { ...NEW_LOGIN, username: 'me', password: 'new here' });
  claim('the new login', (second) =>
    loginsOf(second, NEW_LOGIN.origin).some(({ password }) => password === 'new here'),
  );
}

function editThere({ second, claim }: Scene, { pages, logins }: Cast): void {
  const [changed, deleted, gone] = [nth(logins, 0), nth(logins, 2), nth(pages, 4)];
  visitThere(second, nth(pages, 0), visitUs(4));
  visitThere(second, nth(pages, 3), visitUs(5));
  second.delete('history', gone);
  second.put('history', {
    id: 'abcdefghijkl',
    histUri: NEW_PAGE,
    title: 'there',
    visits: [{ date: visitUs(6), type: 2 }],
  });
  second.put('history', {
    id: '-leading_one',
    histUri: 'https://there.example/',
    title: '',
    visits: [{ date: visitUs(7), type: 1 }],
  });
  second.put('passwords', { ...second.get('passwords', changed), usernameField: 'there' } as never);
  second.delete('passwords', deleted);
  second.put('passwords', {
    ...second.get('passwords', nth(logins, 3)),
    id: '{11111111-2222-4333-8444-555555555555}',
    hostname: NEW_LOGIN.origin,
    formSubmitURL: NEW_LOGIN.origin,
    username: 'me',
  });
  claim('visits of the second device', (now) =>
    [4, 6].every((n) =>
      [...now.live('history').values()].some((body) => hasVisit(body, visitUs(n))),
    ),
  );
  claim('its field', (now) => isLogin(now, changed, { usernameField: 'there' }));
  claim('its deletions', (now) => now.deleted('history').includes(gone));
}

async function editBoth(scene: Scene, { pages, logins }: Cast): Promise<void> {
  await visitHere(scene, nth(pages, 5), visitUs(8));
  visitThere(scene.second, nth(pages, 5), visitUs(9));
  await deleteHere(scene, 'history', nth(pages, 6));
  await deleteHere(scene, 'passwords', nth(logins, 4));
  scene.second.delete('history', nth(pages, 7));
  await scene.agent.sync();
  await visitHere(scene, nth(pages, 8), visitUs(10));
  await scene.agent.sync();
}

function nth(ids: readonly string[], at: number): string {
  return ids[at] ?? '';
}

async function visitHere({ agent, claim }: Scene, id: string, date: number): Promise<void> {
  await agent.put('history', { guid: id, visits: [{ date, type: 1 }] });
  claim(`the visit ${date} of ${id}`, (second) => hasVisit(second.live('history').get(id), date));
}

async function deleteHere({ agent, claim }: Scene, name: string, id: string): Promise<void> {
  await agent.delete(name, id);
  claim(`the deletion of ${id}`, (second) => second.deleted(name).includes(id));
}

/**
 * A first sync and one in both directions, with a conflict and a twin: as few bytes as show
 * everything.
 */
export function shortStory({ pages: [page = '', gone = ''], logins: [login = ''] }: Cast): Step[] {
  const url = NEW_PAGE;
  return [
    {
      name: 'the first sync',
      async run({ agent }) {
        await agent.enable();
      },
    },
    {
      name: 'edits on both sides',
      async run({ agent, second, claim }) {
        await agent.put('history', { guid: page, visits: [{ date: visitUs(1), type: 1 }] });
        claim('a visit', (now) => hasVisit(now.live('history').get(page), visitUs(1)));
        await agent.put('history', { url, title: 'here', visits: [{ date: visitUs(3), type: 1 }] });
        claim('a new page', (now) => pagesOf(now, url).some((body) => hasVisit(body, visitUs(3))));
        await agent.delete('history', gone);
        claim('a deletion', (now) => now.deleted('history').includes(gone));
        await agent.put('passwords', { guid: login, password: 'changed here' });
        claim('a password', (now) => isLogin(now, login, { password: 'changed here' }));
        visitThere(second, page, visitUs(4));
        claim('their visit', (now) => hasVisit(now.live('history').get(page), visitUs(4)));
        const visits = [{ date: visitUs(6), type: 2 }];
        second.put('history', { id: 'abcdefghijkl', histUri: url, title: 'there', visits });
      },
    },
    {
      name: 'the sync with conflicts',
      async run({ agent }) {
        await agent.sync();
      },
    },
  ];
}

/** A visit in the last hour, in microseconds. */
function visitUs(n: number): number {
  return (NOW_MS - 3_600_000 + n * 1000) * 1000 + n;
}

function visitThere(second: SecondDevice, id: string, date: number): void {
  const body = second.get('history', id);
  const visits = [{ date, type: 1 }, ...(body.visits as Json[])];
  second.put('history', { ...body, id, visits });
}

function hasVisit(body: Json | undefined, date: number): boolean {
  return (
    (body?.visits as { date: number }[] | undefined)?.some((visit) => visit.date === date) ?? false
  );
}

function pagesOf(second: SecondDevice, url: string): Json[] {
  return [...second.live('history').values()].filter(({ histUri }) => histUri === url);
}

function loginsOf(second: SecondDevice, origin: string): Json[] {
  return [...second.live('passwords').values()].filter(({ hostname }) => hostname === origin);
}

function isLogin(second: SecondDevice, id: string, members: Json): boolean {
  const body = second.live('passwords').get(id);
  return (
    body !== undefined && Object.entries(members).every(([name, value]) => body[name] === value)
  );
}
