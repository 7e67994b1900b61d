// Pages and logins as a user leaves them behind, with what is hard about them: scripts from all
// over the world, emoji, control characters, long URLs and titles, many visits, odd targets. One
// seed gives one list.

import { createRandom, type Random } from '../../emulator/device/random.ts';
import type { NewLogin, NewPage } from './firefox.ts';

const TITLES = [
  'Plain',
  'Grüße aus Århus – «ça va?»',
  '日本語のページ',
  'Привет, мир',
  'مرحبا بالعالم',
  'שלום עולם',
  '한국어 제목',
  'नमस्ते दुनिया',
  'Family 👩‍👩‍👧‍👦 and flag 🏳️‍🌈',
  'e\u0301 is not é',
  'quotes " \' \\ / </script> &amp;',
  'tab\there, line\nbreak',
  'separators \u2028 \u2029 \ufeff',
  'turned \u202earound',
  'plane 16: \u{10fffd}',
  '  spaces  ',
  '',
];
const HOSTS = [
  'example.com',
  'www.example.org:8443',
  'xn--bcher-kva.example',
  '[2001:db8::7]',
  '192.0.2.7:8080',
];
const USERS = ['alice', 'bob@example.com', 'Jürgen', '用户名', 'имя', '👤', 'a "b" \\', ''];
const PASSWORDS = [
  'correct horse',
  'pässwörd',
  '密码🔑',
  'пароль',
  ' spaces ',
  'q"\'\\`$&<>',
  'e\u0301',
];
/** Link, typed, bookmark, redirects, reload: the visits that Firefox syncs. */
const VISIT_TYPES = [1, 1, 1, 2, 3, 5, 6, 9];
/** Firefox keeps URLs of up to 2,000 characters. */
const LONG_URL_CHARS = 1_900;
/** Firefox cuts titles at 4,096. */
const LONG_TITLE_CHARS = 5_000;
const DAY_US = 86_400e6;

/** `newestUs`: no visit is later, nor more than four weeks earlier. */
export function samplePages(count: number, seed: number, newestUs: number): NewPage[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) => ({
    url: url(random, `${seed}/${index}`, index),
    title:
      index % 19 === 7 ? 'ж'.repeat(LONG_TITLE_CHARS) : `${pick(random, TITLES)}${index % 3 || ''}`,
    // Firefox sends the newest 20.
    visits: Array.from({ length: index % 13 === 5 ? 25 : 1 + below(random, 6) }, () => ({
      date: newestUs - below(random, 28) * DAY_US - below(random, DAY_US),
      type: pick(random, VISIT_TYPES),
    })),
  }));
}

export function sampleLogins(count: number, seed: number): NewLogin[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const origin = `https://n${index}.${pick(random, HOSTS.slice(0, 3))}`;
    const who = {
      origin,
      username: pick(random, USERS),
      password: pick(random, PASSWORDS) + (index % 7 === 3 ? 'x'.repeat(500) : index),
    };
    if (index % 4 === 1) return { ...who, httpRealm: `Zugang "${index}" 制限` };
    const fields = {
      usernameField: pick(random, ['user', 'Benutzer[1]', '']),
      passwordField: 'pass',
    };
    return { ...who, ...fields, formActionOrigin: index % 5 === 2 ? '' : origin };
  });
}

function url(random: Random, path: string, index: number): string {
  const base = `https://${pick(random, HOSTS)}/${path}`;
  switch (index % 6) {
    case 0:
      return `${base}/ünï/путь?q=größe 日本&x=%2F`;
    case 1:
      return `${base}/#frag-ü`;
    case 2:
      return `${base}/?long=${'0123456789'.repeat(LONG_URL_CHARS / 10).slice(base.length)}`;
    case 3:
      return `${base}/a;b=c,d@e:f!$&'()*+~|^{}"`;
    default:
      return `${base}/`;
  }
}

function below(random: Random, limit: number): number {
  return Math.floor((random.uint32() / 2 ** 32) * limit);
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)] as T;
}
