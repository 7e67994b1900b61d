// What a person typed after `kitsync apps`, checked: as options.ts.

import { resolve } from 'node:path';
import { UsageError } from './complaint.ts';
import { flag, needed, parse, text, wholeNumber } from './typed.ts';

export interface AppsOptions {
  readonly action: 'list' | 'install' | 'remove' | 'promote' | 'hide';
  readonly directory: string;
  readonly json: boolean;
  readonly origins: readonly string[];
  readonly purpose: (typeof PURPOSES)[number];
  readonly limit: number;
  /** Of the manifest; null: the input has it. */
  readonly file: string | null;
  readonly manifestUrl: string | null;
  /** Not any more. */
  readonly isOff: boolean;
}

const APP_ACTIONS = ['list', 'install', 'remove', 'promote', 'hide'] as const;
const PURPOSES = ['own', 'remote', 'pick', 'hidden', 'all'] as const;
/** By option, the one action that it is for. */
const APP_OPTIONS = new Map<string, readonly AppsOptions['action'][]>([
  ['purpose', ['list']],
  ['limit', ['list']],
  ['json', ['list']],
  ['manifest-url', ['install']],
  ['off', ['promote', 'hide']],
]);

/** Errors: `UsageError`. */
export function parseApps(args: readonly string[]): AppsOptions {
  const options = {
    ...({ data: text, json: flag, purpose: text, limit: text, off: flag } as const),
    'manifest-url': text,
  } as const;
  const { values, words } = parse(args, ['ACTION?', 'ORIGIN...?'], options);
  const [word, ...rest] = words;
  const action = APP_ACTIONS.find((one) => one === word);
  if (action === undefined) {
    throw new UsageError(`apps must be followed by one of ${APP_ACTIONS.join(', ')}`);
  }
  for (const [name, value] of Object.entries(values)) {
    const isFor = APP_OPTIONS.get(name);
    if (value && isFor !== undefined && !isFor.includes(action)) {
      throw new UsageError(`--${name} is for ${isFor.join(' and ')}`);
    }
  }
  if (action === 'list' && rest.length > 0) throw new UsageError('one word too many behind list');
  if (action !== 'list' && rest.length === 0) throw new UsageError('ORIGIN is missing');
  if (action === 'install' && rest.length > 2) throw new UsageError('one app is installed');
  const purpose = PURPOSES.find((one) => one === (values.purpose ?? 'own'));
  if (purpose === undefined) {
    const asked = JSON.stringify(values.purpose);
    throw new UsageError(`--purpose: ${asked} is not one of ${PURPOSES.join(', ')}`);
  }
  const [origin = '', file = null] = rest;
  return {
    ...{ action, purpose, json: values.json, isOff: values.off },
    directory: resolve(needed('--data', values.data)),
    origins: action === 'install' ? [origin] : rest,
    file: action === 'install' ? file : null,
    manifestUrl: values['manifest-url'] ?? null,
    limit: wholeNumber('--limit', values.limit ?? '1000', 1, 10_000_000),
  };
}
