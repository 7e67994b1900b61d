// What happens to an account besides edits: another Firefox joins it, Firefox begins it anew with
// new keys, Firefox stops syncing a kind of data. The television keeps what it has, and sends what
// it has not sent yet.

import { afterEach, expect, test } from 'vitest';
import { startFirefox } from './firefox.ts';
import { common } from './likeness.ts';
import { type Pair, startPair } from './pair.ts';
import { PROTOCOLS } from './servers.ts';
import { deleteAll } from './storage.ts';

let pair: Pair;
afterEach(() => pair?.close());

const NEW_PAGE = { url: 'https://tv.example/new', title: 'Am Fernseher' };
const NEW_LOGIN = { origin: 'https://tv.example', formActionOrigin: '', password: 'new' };

test.each(PROTOCOLS)(
  'over %s, a Firefox that joins later holds what the others hold',
  async (protocol) => {
    pair = await startPair({ protocol, pages: 30, logins: 10 });
    const { serving, firefox, television } = pair;
    await television.put('history', NEW_PAGE);
    await television.put('passwords', NEW_LOGIN);
    await pair.syncTwice('the television');
    const joined = await startFirefox({ serving });
    try {
      await joined.sync();
      const held = common(await television.holdings());
      expect(common(await joined.holdings())).toEqual(held);
      expect(common(await firefox.holdings())).toEqual(held);
    } finally {
      await joined.close();
    }
  },
);

test.each(PROTOCOLS)(
  'over %s, an account that Firefox begins anew is followed',
  async (protocol) => {
    pair = await startPair({ protocol, pages: 30, logins: 10 });
    const { serving, firefox, television } = pair;
    await deleteAll(serving);
    await television.put('history', NEW_PAGE);
    await television.put('passwords', NEW_LOGIN);
    await expect(television.sync()).rejects.toThrow('noSyncData');
    await firefox.sync();
    await pair.syncTwice('the television');
    const held = await television.holdings();
    expect(held.history).toHaveLength(31);
    expect(held.logins).toHaveLength(11);
    expect(common(await firefox.holdings())).toEqual(common(held));
  },
);

test.each(PROTOCOLS)(
  'over %s, what Firefox stops to sync stays on the television',
  async (protocol) => {
    pair = await startPair({ protocol, pages: 30, logins: 10 });
    const { firefox, television } = pair;
    await firefox.switchEngine('history', false);
    await firefox.sync();
    await television.put('history', NEW_PAGE);
    await television.put('passwords', NEW_LOGIN);
    await pair.syncTwice('the television');
    expect((await firefox.holdings()).logins).toHaveLength(11);
    expect((await firefox.holdings()).history).toHaveLength(30);
    expect((await television.holdings()).history).toHaveLength(31);

    await firefox.switchEngine('history', true);
    await firefox.sync();
    await pair.syncTwice('the television');
    expect(common(await firefox.holdings())).toEqual(common(await television.holdings()));
    expect((await firefox.holdings()).history).toHaveLength(31);
  },
);
