import { describe, expect, it, test } from 'vitest';
import { byName, servicesOf } from './service.ts';

const remoteAt = (option: string, protocol: string, url: string | undefined) => {
  if (url === undefined) throw new Error(`${option} is missing`);
  return { protocol, serverUrl: url, audience: '', auth: 'bearer' } as const;
};

interface Typed {
  readonly remote?: string[];
  readonly protocol?: string;
  readonly collections?: string;
  readonly servers?: string[];
  readonly credentials?: string[];
}

function services({
  remote = [],
  protocol = 'sync15',
  collections,
  servers = ['https://h'],
  credentials = ['f'],
}: Typed = {}) {
  const values = { remote, protocol, collections, 'token-server': servers, credentials };
  return servicesOf(values, remoteAt).map((service) => ({
    name: service.name,
    to: `${service.remote.protocol} ${service.remote.serverUrl}`,
    file: service.credentialsFile,
    collections: service.collections.join(),
  }));
}

const WORK = {
  servers: ['https://h', 'work=https://w'],
  credentials: ['f', 'work=g'],
} as const satisfies Typed as Typed;

describe('the services of what was typed', () => {
  it('are one with history and passwords, unless other collections are named', () => {
    const first = { name: null, to: 'sync15 https://h', file: 'f' };
    expect(services()).toEqual([{ ...first, collections: 'history,passwords' }]);
    const named = services({ collections: 'forms, generic(my.notes)', protocol: 'syncto' });
    expect(named).toEqual([{ ...first, to: 'syncto https://h', collections: 'forms,my.notes' }]);
  });

  it('are one more for each that is named, with what it is called or what it lists', () => {
    expect(services({ ...WORK, remote: ['work=syncto'] })[1]).toEqual({
      name: 'work',
      to: 'syncto https://w',
      file: 'g',
      collections: 'work',
    });
    const [first, work] = services({ ...WORK, remote: ['work=sync15:history, generic(x),y'] });
    expect([first?.collections, work?.collections]).toEqual(['passwords', 'history,x,y']);
  });

  test.each<[Typed, string]>([
    [{ credentials: [] }, '--credentials is missing'],
    [{ credentials: [''] }, '--credentials is missing'],
    [{ servers: [] }, '--token-server is missing'],
    [{ protocol: 'http' }, '--protocol: "http" is not one of sync15, syncto'],
    [{ collections: 'histroy' }, '--collections: "histroy" is not one of history, passwords'],
    [{ collections: 'generic(meta)' }, '--collections: "meta" is not one of history, passwords'],
    [{ collections: 'forms,forms' }, 'forms is named twice, for first and first'],
    [{ ...WORK, remote: ['work'] }, '--remote must be NAME=PROTOCOL[:COLLECTIONS], NAME of 1 to'],
    [{ ...WORK, remote: ['Work=sync15'] }, '--remote must be NAME=PROTOCOL[:COLLECTIONS]'],
    [{ ...WORK, remote: ['first=sync15'] }, 'a-z, 0-9 and -, and not first'],
    [{ ...WORK, remote: [`${'x'.repeat(17)}=sync15`] }, '--remote must be NAME=PROTOCOL'],
    [{ ...WORK, remote: ['work=http'] }, '--remote work: "http" is not one of sync15, syncto'],
    [{ ...WORK, remote: ['work=sync15:a b'] }, '--remote work: "a b" is not one of history'],
    [
      { ...WORK, remote: [`work=sync15:${'x'.repeat(99)}`] },
      `--remote work: "${'x'.repeat(80)}" is not one of`,
    ],
    [{ ...WORK, remote: ['work=sync15', 'work=syncto'] }, '--remote work is there twice'],
    [{ ...WORK, remote: ['work=sync15'], servers: ['h'] }, '--token-server work=URL is missing'],
    [
      { ...WORK, remote: ['work=sync15'], credentials: ['f'] },
      '--credentials work=FILE is missing',
    ],
    [
      { ...WORK, remote: ['work=sync15'], credentials: ['f', 'work='] },
      '--credentials work=FILE is missing',
    ],
    [
      { ...WORK, remote: ['work=sync15:forms'], collections: 'forms' },
      'forms is named twice, for first and work',
    ],
  ])('are refused: %j: %s', (typed, complaint) => {
    expect(() => services(typed)).toThrow(complaint);
  });
});

describe('values by the name of a service', () => {
  it('are the first one without a name, whatever is in them', () => {
    const found = byName('--credentials', ['a=b', 'work=c=d'], ['work']);
    expect([...found]).toEqual([
      [null, 'a=b'],
      ['work', 'c=d'],
    ]);
  });

  it('may be repeated where there is one service: the last one counts', () => {
    expect(byName('--x', ['a', 'b'], []).get(null)).toBe('b');
  });

  it('are there once for each where there are several', () => {
    expect(() => byName('--x', ['work=a', 'work=b'], ['work'])).toThrow(
      '--x is there twice for work',
    );
    expect(() => byName('--x', ['a', 'b'], ['work'])).toThrow(
      '--x is there twice for the first: say NAME=...',
    );
  });
});
