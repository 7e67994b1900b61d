// What it means that device and server agree, said in complaints: none is what every simulation
// ends with. The server's side is read by the second device; the device's side through the local
// API, as apps see it.

import type { Agent } from '../../agent/index.ts';
import type { Json, SecondDevice } from './second-device.ts';

export const COLLECTIONS = ['history', 'passwords'] as const;

/** Everything in which the device and the server differ, and every thing that is there twice. */
export async function disagreements(agent: Agent, second: SecondDevice): Promise<string[]> {
  const complaints: string[] = [];
  for (const name of COLLECTIONS) {
    const held = await everything(agent, name);
    const live = second.live(name);
    for (const records of things(name, live)) {
      const shown = records.filter(({ id }) => held.has(`${id}`));
      const [{ id, ...body }] = [shown[0] ?? records[0] ?? {}];
      const theirs = JSON.stringify(viewOf(name, { ...body, id, ...united(name, records) }));
      const ours = JSON.stringify(held.get(`${id}`) ?? null);
      if (ours !== theirs) complaints.push(`${name} ${id}: ${ours} here, ${theirs} on the server`);
      held.delete(`${id}`);
    }
    for (const id of held.keys()) complaints.push(`${name} ${id}: only here`);
    complaints.push(...duplicates(name, live));
    const { pending, quarantined } = agent.status().collections[name] ?? {};
    if (pending !== 0) complaints.push(`${name}: ${pending} changes are pending`);
    if (quarantined !== 0) complaints.push(`${name}: ${quarantined} records are in quarantine`);
  }
  return complaints;
}

/** All that apps see of a collection, by id. */
export async function everything(agent: Agent, collection: string): Promise<Map<string, Json>> {
  const records = new Map<string, Json>();
  let after: string | null = null;
  do {
    const page = await agent.list(collection, { limit: 100, after });
    for (const record of page.records) {
      if (records.has(String(record.guid))) throw new Error(`${record.guid} is listed twice`);
      records.set(String(record.guid), record);
    }
    after = page.next;
  } while (after !== null);
  return records;
}

/** The records of each page or login. */
function things(name: string, live: ReadonlyMap<string, Json>): Json[][] {
  const found = new Map<string, Json[]>();
  for (const [id, body] of live) {
    const what = thingIn(name, body);
    found.set(what, [...(found.get(what) ?? []), { ...body, id }]);
  }
  return [...found.values()];
}

function thingIn(name: string, body: Json): string {
  return name === 'history' ? String(body.histUri) : `${body.hostname} ${body.username}`;
}

/** What apps see of several records of one page: the visits of all. */
function united(name: string, records: readonly Json[]): object {
  if (name !== 'history' || records.length < 2) return {};
  const visits = records.flatMap((body) => body.visits as Visit[]);
  return {
    visits: [...new Map(visits.map((visit) => [`${visit.date} ${visit.type}`, visit])).values()],
  };
}

/** Two records for one page or one login. */
function duplicates(name: string, live: ReadonlyMap<string, Json>): string[] {
  return things(name, live).flatMap(([first, ...others]) =>
    others.map(
      ({ id, ...body }) => `${name}: ${first?.id} and ${id} are both ${thingIn(name, body)}`,
    ),
  );
}

interface Visit {
  readonly date: number;
  readonly type: number;
}

/** What apps should see of a record that the server has. */
export function viewOf(name: string, body: Json): Json {
  if (name === 'history') {
    const visits = [...(body.visits as Visit[])].sort((a, b) => b.date - a.date || a.type - b.type);
    return {
      guid: body.id,
      url: body.histUri,
      title: body.title,
      visits: visits.map(({ date, type }) => ({ date, type })),
    };
  }
  return {
    guid: body.id,
    origin: body.hostname,
    formActionOrigin: body.formSubmitURL ?? null,
    httpRealm: body.httpRealm ?? null,
    username: body.username,
    password: body.password,
    usernameField: body.usernameField,
    passwordField: body.passwordField,
    timeCreated: body.timeCreated,
    timePasswordChanged: body.timePasswordChanged,
    timeLastUsed: body.timeLastUsed,
    timesUsed: body.timesUsed,
  };
}
