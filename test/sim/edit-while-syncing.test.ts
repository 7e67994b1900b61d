// Apps edit while a pass is running: one edit at every single step that the pass takes through
// storage, network and cryptography. What an app was told is saved is never lost, and never counted
// as sent before the server has it.

import { expect, test } from 'vitest';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import type { DeviceCrypto } from '../../platform/crypto-port.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import { nodeDeviceCrypto } from '../../platform/node/crypto.ts';
import type { Network, Storage } from '../../platform/ports.ts';
import { NetworkError } from '../../platform/web/fetch-network.ts';
import { NOW_MS, testDevice } from '../support/device.ts';
import { disagreements } from './agreement.ts';
import { freeze, freezeAccount, honest, networkOf, sharedUser, thaw } from './lab.ts';
import { type Moment, type Protocol, play, RECOVERY } from './play.ts';
import { type SecondDevice, secondDevice } from './second-device.ts';
import { every } from './share.ts';
import type { Scene, Step } from './story.ts';

const START = freezeAccount(
  syntheticAccount({ records: 6, seed: 5, bodyBytes: 160, passwords: 3 }),
);
const USER = sharedUser(START);
const [PAGE = '', PAGE_DELETED = ''] = secondDevice(thaw(START)).ids('history');
const [LOGIN = '', LOGIN_THERE = ''] = secondDevice(thaw(START)).ids('passwords');
const URL_NEW = 'https://new.example/page';
const PAGE_NEW = 'newpage_0001';
const LOGIN_NEW = '{99999999-8888-4777-8666-555555555555}';
const STEP_MS = 20;
const VISIT_US = NOW_MS * 1000;

/**
 * The device has synced and has changes to send when the pass begins; the other device has written
 * too.
 */
const CHANGES: Step = {
  name: 'changes to send',
  async run({ agent, second }) {
    await agent.enable();
    const visits = [{ date: VISIT_US - 5e6, type: 1 }];
    await agent.put('history', { guid: PAGE, visits });
    await agent.put('history', { guid: PAGE_NEW, url: URL_NEW, title: 'first', visits });
    await agent.delete('history', PAGE_DELETED);
    await agent.put('passwords', { guid: LOGIN, password: 'first' });
    const origin = 'https://new.example';
    const login = { origin, formActionOrigin: origin, username: 'first', password: 'first' };
    await agent.put('passwords', { guid: LOGIN_NEW, ...login });
    second.put('passwords', {
      ...second.get('passwords', LOGIN),
      id: LOGIN,
      usernameField: 'there',
    });
    second.put('passwords', {
      ...second.get('passwords', LOGIN_THERE),
      id: LOGIN_THERE,
      password: 'there',
    });
  },
};

interface Edit {
  readonly what: string;
  make(agent: Scene['agent'], second: SecondDevice): Promise<unknown>;
  /** The server has it. */
  arrived(second: SecondDevice): boolean;
}

const login = (second: SecondDevice, id: string) => second.live('passwords').get(id);
const page = (second: SecondDevice, id: string) => second.live('history').get(id);

const EDITS: readonly Edit[] = [
  {
    what: 'a password that is being sent changes at the other device',
    async make(_, second) {
      second.put('passwords', {
        ...second.get('passwords', LOGIN),
        id: LOGIN,
        passwordField: 'pw',
      });
    },
    arrived: (second) =>
      login(second, LOGIN)?.password === 'first' && login(second, LOGIN)?.passwordField === 'pw',
  },
  {
    what: 'a page that is being sent is visited at the other device',
    async make(_, second) {
      const body = second.get('history', PAGE);
      const visits = [{ date: VISIT_US, type: 1 }, ...(body.visits as object[])];
      second.put('history', { ...body, id: PAGE, visits });
    },
    arrived: (second) =>
      [VISIT_US, VISIT_US - 5e6].every((date) =>
        JSON.stringify(page(second, PAGE)).includes(`"date":${date}`),
      ),
  },
  {
    what: 'a password that is being sent changes again',
    make: (agent) => agent.put('passwords', { guid: LOGIN, password: 'second' }),
    arrived: (second) =>
      login(second, LOGIN)?.password === 'second' &&
      login(second, LOGIN)?.usernameField === 'there',
  },
  {
    what: 'a new login that is being sent gets another user name',
    make: (agent) => agent.put('passwords', { guid: LOGIN_NEW, username: 'second' }),
    arrived: (second) => login(second, LOGIN_NEW)?.username === 'second',
  },
  {
    what: 'a new login that is being sent is deleted',
    make: (agent) => agent.delete('passwords', LOGIN_NEW),
    arrived: (second) => login(second, LOGIN_NEW) === undefined,
  },
  {
    what: 'a new page that is being sent gets another title',
    make: (agent) => agent.put('history', { guid: PAGE_NEW, title: 'second' }),
    arrived: (second) => page(second, PAGE_NEW)?.title === 'second',
  },
  {
    what: 'a new page that is being sent is deleted',
    make: (agent) => agent.delete('history', PAGE_NEW),
    arrived: (second) => page(second, PAGE_NEW) === undefined,
  },
  {
    what: 'a page that is being sent is visited again',
    make: (agent) => agent.put('history', { guid: PAGE, visits: [{ date: VISIT_US, type: 1 }] }),
    arrived: (second) => JSON.stringify(page(second, PAGE)).includes(`"date":${VISIT_US}`),
  },
  {
    what: 'a page whose deletion is being sent is visited again',
    make: (agent) =>
      agent.put('history', { guid: PAGE_DELETED, url: 'https://again.example/', title: 'again' }),
    arrived: (second) => page(second, PAGE_DELETED)?.title === 'again',
  },
  {
    what: 'a login that is arriving is deleted',
    make: async (agent) => {
      const { password } = (await agent.get('passwords', LOGIN_THERE)) ?? {};
      // Only who has seen the new password deletes it: before that, the other device's change wins.
      if (password === 'there') await agent.delete('passwords', LOGIN_THERE);
      return password;
    },
    arrived: () => true,
  },
];

/** Ports that count every step, and do something at one of them. Each takes its time. */
function stepping(at: number, act: () => void, pass: () => void) {
  let steps = Number.NEGATIVE_INFINITY;
  const step = (): void => {
    pass();
    if (steps++ === at) act();
  };
  const around = async <T>(work: Promise<T>): Promise<T> => {
    step();
    const result = await work;
    step();
    return result;
  };
  return {
    /** Steps count from here. */
    begin() {
      steps = 0;
    },
    storage: (inner: Storage): Storage => ({
      get: (keys) => around(inner.get(keys)),
      scan: (range) => around(inner.scan(range)),
      commit: (changes) => around(inner.commit(changes)),
    }),
    network: (inner: Network): Network => ({
      async request(request) {
        const response = await around(inner.request(request));
        return { ...response, read: () => around(response.read()) };
      },
    }),
    crypto: (inner: DeviceCrypto): DeviceCrypto => ({
      open: (...args) => around(inner.open(...args)),
      seal: (...args) => around(inner.seal(...args)),
    }),
  };
}

const speaking = ({ protocol = 'syncto' }: Moment) => ({ identity: USER, protocol });

async function editDuring(from: Moment, edit: Edit, at: number) {
  const servers = thaw(from.frozen);
  const memory = from.storage.fork();
  let saved: Promise<unknown> = Promise.resolve();
  let isMade = false;
  const makeEdit = (): void => {
    isMade = true;
    saved = edit.make(device.agent, secondDevice(servers));
  };
  const passTime = (): void => {
    servers.nowMs += STEP_MS;
    device.platform.time.set(servers.nowMs);
  };
  const ports = stepping(at, makeEdit, passTime);
  const device = testDevice(servers, {
    storage: ports.storage(memory),
    network: ports.network(networkOf(honest(servers))),
    crypto: ports.crypto(nodeDeviceCrypto()),
    ...speaking(from),
  });
  await device.agent.start();
  ports.begin();
  const report = await device.agent.sync();
  await saved;
  const { history, passwords } = device.agent.status().collections;
  return {
    report,
    isMade,
    pending: Number(history?.pending) + Number(passwords?.pending),
    moment: { ...from, storage: memory.fork(), frozen: freeze(servers) },
    second: secondDevice(servers),
  };
}

const begin = (protocol: Protocol): Promise<Moment> =>
  play(CHANGES, { protocol, storage: new MemoryStorage(), frozen: START, claims: [] }, USER);
const [syncto, sync15] = [await begin('syncto'), await begin('sync15')];
const CASES = [syncto, sync15].flatMap((from) =>
  EDITS.map((edit) => ({ ...edit, protocol: from.protocol, from, edit })),
);

test.each(CASES)(
  '$what, over $protocol: at any step of the pass it is kept, and sent',
  async ({ from, edit }) => {
    let at = 0;
    for (; ; at += every(37)) {
      const during = await editDuring(from, edit, at);
      const where = `${edit.what}, at step ${at}`;
      expect(during.report, where).toMatchObject({ ok: true });
      if (!during.isMade) break;
      if (during.pending === 0) expect(edit.arrived(during.second), `${where}: sent?`).toBe(true);
      const after = await play(RECOVERY, during.moment, USER, { laterMs: 60_000 });
      const servers = thaw(after.frozen);
      expect(edit.arrived(secondDevice(servers)), `${where}: lost`).toBe(true);
      const { agent } = testDevice(servers, { storage: after.storage, ...speaking(from) });
      await agent.start();
      expect(await disagreements(agent, secondDevice(servers)), where).toEqual([]);
    }
    expect(at).toBeGreaterThan(80);
  },
);

/** A pass whose uploads arrive, and no answer to them. */
async function passWithoutAnswers(from: Moment): Promise<Moment> {
  const servers = thaw(from.frozen);
  const memory = from.storage.fork();
  const ask = honest(servers);
  const network = networkOf(async (request, index) => {
    const reply = await ask(request, index);
    if (request.body?.includes('"payload"') === true) throw new NetworkError('timeout');
    return reply;
  });
  const { agent } = testDevice(servers, { storage: memory, network, ...speaking(from) });
  await agent.start();
  await agent.sync();
  return { ...from, storage: memory.fork(), frozen: freeze(servers) };
}

test.each(CASES)(
  '$what, over $protocol, and the answer was lost: kept, and sent',
  async ({ from, edit }) => {
    const unsure = await passWithoutAnswers(await passWithoutAnswers(from));
    const step: Step = {
      name: edit.what,
      run: async ({ agent, second }) => void (await edit.make(agent, second)),
    };
    const edited = await play(step, unsure, USER, { laterMs: 60_000 });
    const after = await play(RECOVERY, edited, USER, { laterMs: 120_000 });
    const servers = thaw(after.frozen);
    const { agent } = testDevice(servers, { storage: after.storage, ...speaking(from) });
    await agent.start();
    expect(edit.arrived(secondDevice(servers))).toBe(true);
    expect(await disagreements(agent, secondDevice(servers))).toEqual([]);
  },
);
